"""Email channels of tests, and the servers that they send to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels.base import Channel
from channels.registry import open_channels
from channels.testing import environment, outbound
from communication.errors import DeliveryError
from tests.authority import Authority
from tests.smtp_script import SmtpServer
from tests.smtp_server import smtp_server

Opened = Callable[..., Channel]


@pytest.fixture(params=[False, True], ids=["one-by-one", "pipelining"])
def server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    """A server without TLS or login, that takes commands one by one or together."""
    with smtp_server(pipelining=request.param) as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens channels, and closes them after the test."""
    channels: list[Channel] = []

    def open_one(url: str, *, send_timeout: float = 30.0) -> Channel:
        channels.append(open_channels(url, environment(tmp_path, send_timeout=send_timeout)))
        return channels[-1]

    yield open_one
    for channel in channels:
        channel.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def url(server: SmtpServer, query: str = "") -> str:
    return f"smtp://127.0.0.1:{server.port}{query}"


def failure(channel: Channel, **changes: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(outbound(**changes))
    return caught.value
