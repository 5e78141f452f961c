"""The connection to APNs: shared, reset, given up, dead."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from channels.base import Channel
from channels.errors import ConfigurationFault, OutcomeUnknown
from channels.health.provider import resting
from channels.health.tally import LEAST
from communication.errors import TransientDeliveryError
from tests.apple import Apple, apple, apple_server, channel, server
from tests.authority import Authority
from tests.devices import APNS_TOKEN
from tests.http_peer import Peer, says
from tests.providers import cared
from tests.push_messages import device, message, opened
from tests.waiting import wait_until

NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM = 8, 2, 7
__all__ = ["apple", "channel", "server"]
PHONE = device("apns", APNS_TOKEN)


def test_many_messages_share_one_connection(apple: Apple, channel: Channel) -> None:
    apple.answers({"wait": 500})
    before = time.monotonic()

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(channel.send, [message(PHONE, delivery_id=str(n)) for n in range(64)]))

    # 20 at a time, as the server allows: 4 rounds, where one after the other would take 32 s.
    assert time.monotonic() - before < 20
    assert len({one["session"] for one in apple.peer.received(64)}) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        {"reset": NGHTTP2_INTERNAL_ERROR},
        {"reset": NGHTTP2_CANCEL},
        {"half": True},
        {"hangUp": True},
        {"never": True},
    ],
    ids=str,
)
def test_a_message_without_an_answer_may_have_been_taken(
    apple: Apple, tmp_path: Path, behaviour: dict[str, Any]
) -> None:
    apple.answers(behaviour, {})
    channel = opened(apple.url(timeout="2s"), tmp_path)

    with pytest.raises(OutcomeUnknown, match="may have been taken"):
        channel.send(message(PHONE))

    assert channel.send(message(PHONE))
    channel.close()


def test_each_message_that_a_silent_server_leaves_without_an_answer_is_a_failure(
    apple: Apple, tmp_path: Path
) -> None:
    apple.answers({"never": True})
    watched = cared(channel := opened(apple.url(timeout="1s"), tmp_path))

    with ThreadPoolExecutor(LEAST) as pool:
        errors = list(pool.map(lambda _: failure(watched), range(LEAST)))

    assert all(isinstance(error, TransientDeliveryError) for error in errors)
    assert resting(watched) > 0
    channel.close()


def failure(channel: Channel) -> Exception | None:
    try:
        channel.send(message(PHONE))
    except TransientDeliveryError as error:
        return error
    return None


def test_one_reset_stream_harms_no_other(apple: Apple, channel: Channel) -> None:
    other = "aa" * 32
    apple.answers({"wait": 100})
    apple.peer.behave(other, {"reset": NGHTTP2_INTERNAL_ERROR})

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(channel.send, message(PHONE))
        wait_until(lambda: apple.peer.requests)
        with pytest.raises(OutcomeUnknown):
            channel.send(message(device("apns", other)))

        assert slow.result()
    assert len({one["session"] for one in apple.peer.received(2)}) == 1


def test_a_refused_stream_is_sent_again_at_once(apple: Apple, channel: Channel) -> None:
    apple.answers({"reset": NGHTTP2_REFUSED_STREAM}, {"reset": NGHTTP2_REFUSED_STREAM}, {})

    assert channel.send(message(PHONE))

    assert apple.peer.received(3)


def test_a_server_that_refuses_all_streams_is_a_transient_failure(
    apple: Apple, channel: Channel
) -> None:
    apple.answers({"reset": NGHTTP2_REFUSED_STREAM})

    with pytest.raises(TransientDeliveryError, match="takes no requests now") as caught:
        channel.send(message(PHONE))

    assert not isinstance(caught.value, OutcomeUnknown)


def test_after_goaway_what_was_begun_is_answered_and_the_rest_goes_elsewhere(
    apple: Apple, channel: Channel
) -> None:
    apple.answers({"goaway": 0, "wait": 200}, {})

    with ThreadPoolExecutor(8) as pool:
        begun = pool.submit(channel.send, message(PHONE))
        wait_until(lambda: apple.peer.requests)
        others = [message(PHONE, delivery_id=str(number)) for number in range(7)]
        references = list(pool.map(channel.send, others))

        assert begun.result()
    assert len(set(references)) == 7
    sessions = [one["session"] for one in apple.peer.received(8)]
    assert sessions.count(sessions[0]) == 1


def test_a_server_that_goes_away_again_and_again_is_a_transient_failure(
    apple: Apple, tmp_path: Path
) -> None:
    settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    goaway = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0]) + bytes(8)
    apple.authority.context.set_alpn_protocols(["h2"])
    peer = Peer(says(settings + goaway), tls=apple.authority.context)
    channel = opened(apple.url(int(peer.url.rpartition(":")[2])), tmp_path)

    with pytest.raises(TransientDeliveryError, match="takes no requests now") as caught:
        channel.send(message(PHONE))

    assert not isinstance(caught.value, OutcomeUnknown)
    assert peer.connections == 8
    channel.close()
    peer.close()


def test_a_server_with_little_room_gets_it_in_pieces(tmp_path: Path) -> None:
    with apple_server(tmp_path, initialWindowSize=10) as narrow:
        channel = opened(narrow.url(), tmp_path)

        assert channel.send(message(PHONE, text="å" * 1500))

        (request,) = narrow.peer.received(1)
        assert request["fault"] is None
        channel.close()


def test_after_a_silence_a_dead_connection_costs_no_unknown_outcome(
    apple: Apple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.push.http2_connection._IDLE", 0.0)
    monkeypatch.setattr("channels.push.http2_connection._PATIENCE", 1.0)
    channel = opened(apple.url(timeout="3s"), tmp_path)
    channel.send(message(PHONE))
    assert channel.send(message(PHONE))

    with apple.peer.frozen(), pytest.raises(TransientDeliveryError, match="in time") as caught:
        channel.send(message(PHONE))

    assert not isinstance(caught.value, OutcomeUnknown)
    assert channel.send(message(PHONE))
    channel.close()


def test_nobody_listening_is_a_transient_failure(apple: Apple, tmp_path: Path) -> None:
    channel = opened(apple.url(port=1), tmp_path)

    with pytest.raises(TransientDeliveryError, match="refused") as caught:
        channel.send(message(PHONE))

    assert not isinstance(caught.value, OutcomeUnknown)
    channel.close()


@pytest.mark.parametrize(
    "behave",
    [says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), says(b"\0" * 64), says(b"", then_hang_up=True)],
    ids=["HTTP/1.1", "garbage", "silence"],
)
def test_a_server_that_speaks_no_http2(
    apple: Apple, tmp_path: Path, behave: Callable[..., None]
) -> None:
    for protocols in (["h2"], ["http/1.1"]):
        apple.authority.context.set_alpn_protocols(protocols)
        peer = Peer(behave, tls=apple.authority.context)
        channel = opened(apple.url(int(peer.url.rpartition(":")[2]), timeout="1s"), tmp_path)

        with pytest.raises(TransientDeliveryError):
            channel.send(message(PHONE))
        channel.close()
        peer.close()


def test_a_frame_larger_than_allowed_ends_the_connection_at_once(
    apple: Apple, tmp_path: Path
) -> None:
    apple.authority.context.set_alpn_protocols(["h2"])
    settings, endless = b"\0\0\0\x04" + b"\0" * 5, b"\xff" * 64
    peer = Peer(says(settings + endless), tls=apple.authority.context)
    channel = opened(apple.url(int(peer.url.rpartition(":")[2])), tmp_path)

    with pytest.raises(TransientDeliveryError) as caught:
        channel.send(message(PHONE))

    assert "no answer in time" not in caught.value.reason
    channel.close()
    peer.close()


def test_a_certificate_of_an_unknown_authority_is_refused(apple: Apple, tmp_path: Path) -> None:
    stranger = Authority.make(tmp_path)
    channel = opened(f"{apple.url()}".rpartition("&")[0] + f"&cafile={stranger.cafile}", tmp_path)

    with pytest.raises(ConfigurationFault, match="certificate is not trusted"):
        channel.send(message(PHONE))
    channel.close()


def test_nothing_is_sent_after_closing(channel: Channel) -> None:
    channel.send(message(PHONE))
    channel.close()

    with pytest.raises(TransientDeliveryError, match="closed"):
        channel.send(message(PHONE))
