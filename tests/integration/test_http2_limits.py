"""Servers that take only so much on a connection, at a time or at all: what they leave is kept."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels.base import Channel
from channels.errors import NotTaken, OutcomeUnknown, RateReached
from channels.health.provider import resting
from channels.registry import open_channel
from channels.testing import environment
from tests.apple import Apple, apple, apple_server, server
from tests.devices import APNS_TOKEN
from tests.http_peer import Peer, says
from tests.nginx import LeavingNginx
from tests.providers import cared
from tests.push_messages import device, message, write_private
from tests.waiting import wait_until

ENHANCE_YOUR_CALM, REFUSED_STREAM = 11, 7
THREADS, MESSAGES = 16, 60
__all__ = ["apple", "server"]
PHONE = device("apns", APNS_TOKEN)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a turn gets it, however slow the machine."""
    monkeypatch.setattr("channels.push.http2_client._START_WITHIN", 60.0)


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Channel]:
    around = replace(environment(folder, "push"), send_timeout=60.0)
    channel = open_channel(f"{url}&timeout=60s", around)
    try:
        yield channel
    finally:
        channel.close()


def send_all(channel: Channel) -> Counter[str]:
    """How many were taken, and how many ended in which error, side by side."""

    def send(number: int) -> str:
        try:
            channel.send(message(PHONE, delivery_id=str(number)))
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            return type(error).__name__
        return "taken"

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(send, range(MESSAGES)))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("requests", "streams"), [(1, 4), (1, 128), (7, 1)])
def test_nginx_ending_its_connections_costs_no_try(
    tmp_path: Path, requests: int, streams: int
) -> None:
    key = write_private(ec.generate_private_key(ec.SECP256R1()), tmp_path / "key.p8")
    query = "key=ABC123DEFG&team=DEF123GHIJ&topic=com.example.app"
    with LeavingNginx(requests=requests, streams=streams) as nginx:
        url = f"apns://127.0.0.1:{nginx.port}{key}?{query}&cafile={nginx.authority.cafile}"
        with opened(url, tmp_path) as channel:
            assert send_all(channel) == {"taken": MESSAGES}

        wait_until(lambda: len(nginx.seen()) >= MESSAGES)
        assert set(Counter(nginx.seen()).values()) == {1}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "behaviour",
    [
        {"goaway": 0},
        {"goaway": 0, "each": 10},
        {"reset": REFUSED_STREAM, "each": 2},
        {"reset": REFUSED_STREAM, "each": 5},
    ],
    ids=str,
)
def test_what_the_server_has_not_acted_on_costs_no_try(
    apple: Apple, tmp_path: Path, behaviour: dict[str, int]
) -> None:
    apple.answers({"wait": 5, **behaviour})

    with opened(apple.url(), tmp_path) as channel:
        assert send_all(channel) == {"taken": MESSAGES}


def test_what_gets_no_turn_for_long_is_put_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.push.http2_client._START_WITHIN", 0.05)
    with apple_server(tmp_path, maxConcurrentStreams=1) as narrow:
        narrow.answers({"wait": 20})
        with opened(narrow.url(), tmp_path) as channel:
            send_all(channel)
            ended = send_all(channel)

    assert set(ended) == {"taken", RateReached.__name__}


def test_a_server_that_is_asked_too_much_is_asked_slower_and_does_not_rest(
    apple: Apple, tmp_path: Path
) -> None:
    settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    goaway = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0]) + bytes([0, 0, 0, 0, 0, 0, 0, ENHANCE_YOUR_CALM])
    apple.authority.context.set_alpn_protocols(["h2"])
    peer = Peer(says(settings + goaway), tls=apple.authority.context)

    with opened(apple.url(int(peer.url.rpartition(":")[2])), tmp_path) as inner:
        channel = cared(inner)
        with pytest.raises(NotTaken, match="asked too fast"):
            channel.send(message(PHONE))
        with pytest.raises(RateReached):
            channel.send(message(PHONE))
        assert resting(channel) == 0
    peer.close()


def test_a_server_that_acts_on_nothing_rests_and_no_try_is_spent(
    apple: Apple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.push.http2_client._PAUSES", (0.0,))
    apple.answers({"reset": REFUSED_STREAM})

    with opened(apple.url(), tmp_path) as inner:
        channel = cared(inner)
        ended = send_all(channel)

        assert set(ended) <= {NotTaken.__name__, "ProviderRests"}
        assert resting(channel) > 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("most", [1, 10])
def test_after_connections_that_broke_off_little_is_left_without_an_answer(
    apple: Apple, tmp_path: Path, most: int
) -> None:
    apple.answers({"cut": True, "each": most, "wait": 5})

    with opened(apple.url(), tmp_path) as channel:
        send_all(channel)
        ended = send_all(channel)

    assert set(ended) <= {"taken", OutcomeUnknown.__name__}
    assert ended["taken"] >= MESSAGES / 2
