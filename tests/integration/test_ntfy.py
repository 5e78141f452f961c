"""Push through ntfy, to a stand-in that answers as an ntfy server does."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.base import Channel
from channels.errors import ConfigurationFault, Throttled
from channels.testing import ChannelContract
from communication.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from tests.peer_process import PeerProcess, peer_process
from tests.push_messages import ToDevice, device, message, opened

TOPIC = "ann_phone-7"
PHONE = device("ntfy", TOPIC)


@pytest.fixture(scope="module")
def server() -> Iterator[PeerProcess]:
    with peer_process("ntfy.js") as peer:
        yield peer


@pytest.fixture
def ntfy(server: PeerProcess) -> PeerProcess:
    server.behave(TOPIC, {})
    server.requests.clear()
    return server


@pytest.fixture
def channel(ntfy: PeerProcess, tmp_path: Path) -> Iterator[Channel]:
    running = opened(f"ntfy+http://127.0.0.1:{ntfy.port}", tmp_path)
    yield running
    running.close()


class TestNtfyIsAChannel(ChannelContract):
    @pytest.fixture
    def channel(self, ntfy: PeerProcess, tmp_path: Path) -> Iterator[Channel]:
        running = ToDevice(opened(f"ntfy+http://127.0.0.1:{ntfy.port}", tmp_path), PHONE)
        yield running
        running.close()


def test_what_the_server_gets(ntfy: PeerProcess, channel: Channel) -> None:
    assert channel.send(message(PHONE, priority=1)) == "id-0192f0c1-1-0"

    (request,) = ntfy.received(1)
    assert request["message"] == {
        "topic": TOPIC,
        "title": "Din beställning",
        "message": "Den är på väg ✓",
        "priority": 5,
        "sequence_id": "0192f0c1-1-0",
    }


@pytest.mark.parametrize(
    ("login", "authorization"),
    [
        ("ann:s%3Ac", "Basic " + base64.b64encode(b"ann:s:c").decode()),
        (":tk_abc", "Bearer tk_abc"),
    ],
)
def test_the_login_is_the_urls(tmp_path: Path, login: str, authorization: str) -> None:
    with peer_process("ntfy.js", authorization=authorization) as peer:
        channel = opened(f"ntfy+http://{login}@127.0.0.1:{peer.port}", tmp_path)
        stranger = opened(f"ntfy+http://127.0.0.1:{peer.port}", tmp_path)

        assert channel.send(message(PHONE))
        with pytest.raises(ConfigurationFault, match="401 40101 unauthorized"):
            stranger.send(message(PHONE))

        assert channel.provider == f"ntfy+http://127.0.0.1:{peer.port}"
        channel.close()
        stranger.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 40010, PermanentDeliveryError),
        (404, 40401, PermanentDeliveryError),
        (413, 41303, PermanentDeliveryError),
        (403, 40301, ConfigurationFault),
        (429, 42901, Throttled),
        (507, 50701, TransientDeliveryError),
        (500, 50001, TransientDeliveryError),
    ],
)
def test_what_the_server_refuses(
    ntfy: PeerProcess, channel: Channel, status: int, code: int, kind: type
) -> None:
    headers = {"Retry-After": "Fri, 21 Nov 2036 08:00:00 GMT"}
    ntfy.behave(TOPIC, {"status": status, "code": code, "error": "why", "headers": headers})

    with pytest.raises((PermanentDeliveryError, TransientDeliveryError)) as caught:
        channel.send(message(PHONE))

    assert type(caught.value) is kind
    assert str(caught.value) == f"{status} {code} why"
    if type(caught.value) is TransientDeliveryError:
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 86_400


def test_a_message_that_is_too_large_is_not_sent(ntfy: PeerProcess, channel: Channel) -> None:
    with pytest.raises(PermanentDeliveryError, match="has 4098 bytes, the service takes 4096"):
        channel.send(message(PHONE, text="å" * 2049))

    assert ntfy.requests == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ntfy://", "a host is missing"),
        ("ntfy://ann@ntfy.example.com", "a login needs both"),
        ("ntfy://ntfy.example.com?topic=x", "unknown parameter 'topic'"),
    ],
)
def test_a_url_that_can_not_be_used_says_why(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        opened(url, tmp_path)
