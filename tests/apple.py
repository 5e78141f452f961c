"""A server that stands for Apple's: node's HTTP/2, checking what APNs checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels.base import Channel
from tests.authority import Authority
from tests.devices import APNS_TOKEN
from tests.peer_process import PeerProcess, peer_process
from tests.push_messages import opened, write_private, write_public

KEY_ID, TEAM, TOPIC = "ABC123DEFG", "DEF123GHIJ", "com.example.app"


@dataclass
class Apple:
    """A server that stands for Apple's, and what is needed to speak to it."""

    peer: PeerProcess
    folder: Path
    authority: Authority
    query: str

    def url(self, port: int | None = None, **parameters: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in parameters.items())
        place = f"127.0.0.1:{port or self.peer.port}"
        return f"apns://{place}{self.folder}/key.p8?{self.query}{more}"

    def answers(self, *behaviours: dict[str, Any]) -> None:
        """To the next requests for the phone."""
        self.peer.behave(APNS_TOKEN, *behaviours)

    def forgets(self) -> None:
        """Behave as usual, and know of no request."""
        self.answers({})
        self.peer.requests.clear()

    def refuses(self, status: int, reason: str, **rest: Any) -> None:
        self.answers({"status": status, "body": {"reason": reason, **rest}})


@contextmanager
def apple_server(folder: Path, **http2: int) -> Iterator[Apple]:
    """A server for the length of a block, with these HTTP/2 settings; its files in the folder."""
    authority = Authority.make(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(key, folder / "key.p8")
    settings = {
        "keyFile": f"{folder}/server.pem",
        "certFile": f"{folder}/server.pem",
        "publicKeyFile": str(write_public(key, folder / "public.pem")),
        "keyId": KEY_ID,
        "team": TEAM,
        "topic": TOPIC,
        "http2": {"maxConcurrentStreams": 20, **http2},
    }
    query = f"key={KEY_ID}&team={TEAM}&topic={TOPIC}&cafile={authority.cafile}"
    with peer_process("apns.js", **settings) as peer:
        yield Apple(peer, folder, authority, query)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apple]:
    with apple_server(tmp_path_factory.mktemp("apns")) as running:
        yield running


@pytest.fixture
def apple(server: Apple) -> Apple:
    server.forgets()
    return server


@pytest.fixture
def channel(apple: Apple, tmp_path: Path) -> Iterator[Channel]:
    running = opened(apple.url(), tmp_path)
    yield running
    running.close()
