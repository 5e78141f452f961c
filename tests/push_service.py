"""A browser's push service, and the browser behind it: they decrypt with http_ece."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from channels.base import Device
from tests.authority import Authority
from tests.peer_process import PeerProcess, peer_process
from tests.push_messages import device, write_private

PATH = "/s/1"


@dataclass
class Service:
    """A push service, and what is needed to speak to it."""

    peer: PeerProcess
    folder: Path

    @property
    def browser(self) -> Device:
        return self.subscribed(PATH)

    def subscribed(self, path: str, key: int = 1) -> Device:
        endpoint = f"https://127.0.0.1:{self.peer.port}{path}"
        return device("webpush", endpoint, key, keys=self.peer.facts["keys"])

    def url(self, **parameters: str) -> str:
        query = {"subject": "mailto:ops@example.com", "cafile": f"{self.folder}/ca.pem"}
        given = "&".join(f"{name}={value}" for name, value in {**query, **parameters}.items())
        return f"webpush://{self.folder}/vapid.pem?{given}"


@contextmanager
def push_service(folder: Path) -> Iterator[Service]:
    """A service for the length of a block; its files stand in the folder."""
    Authority.make(folder)
    write_private(ec.generate_private_key(ec.SECP256R1()), folder / "vapid.pem")
    with peer_process("push_service.js", certFile=f"{folder}/server.pem") as peer:
        yield Service(peer, folder)
