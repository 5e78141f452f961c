"""Push through APNs, to a server on node's HTTP/2 that checks what Apple checks."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.base import Channel
from channels.errors import ConfigurationFault, DeviceGone, ReceiverBusy
from channels.testing import ChannelContract
from communication.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from tests.apple import KEY_ID, TEAM, TOPIC, Apple, apple, channel, server
from tests.devices import APNS_TOKEN
from tests.push_messages import ToDevice, device, message, opened

__all__ = ["apple", "channel", "server"]
PHONE = device("apns", APNS_TOKEN)


class TestApnsIsAChannel(ChannelContract):
    @pytest.fixture
    def channel(self, apple: Apple, tmp_path: Path) -> Iterator[Channel]:
        running = ToDevice(opened(apple.url(), tmp_path), PHONE)
        yield running
        running.close()


def test_what_apple_gets(apple: Apple, channel: Channel) -> None:
    reference = channel.send(message(PHONE, priority=8))

    (request,) = apple.peer.received(1)
    headers = request["headers"]
    assert headers[":path"] == f"/3/device/{APNS_TOKEN}"
    assert headers["apns-push-type"] == "alert"
    assert headers["apns-priority"] == "5"
    assert headers["apns-id"] == reference
    assert int(headers["apns-expiration"]) > time.time()
    assert json.loads(request["body"]) == {
        "aps": {
            "alert": {"title": "Din beställning", "body": "Den är på väg ✓"},
            "sound": "default",
        },
        "messageId": "order-7",
        "deliveryId": "0192f0c1-1-0",
    }


def test_a_repeat_is_the_same_notification_to_apple(apple: Apple, channel: Channel) -> None:
    channel.send(message(PHONE))
    channel.send(message(PHONE))
    channel.send(message(PHONE, delivery_id="another"))

    requests = apple.peer.received(3)
    ids = [one["headers"]["apns-id"] for one in requests]
    collapsed = [one["headers"]["apns-collapse-id"] for one in requests]
    assert ids[0] == ids[1] != ids[2]
    assert collapsed[0] == collapsed[1] != collapsed[2]
    tokens = {one["headers"]["authorization"] for one in requests}
    assert len(tokens) == 1


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "BadDeviceToken", DeviceGone),
        (410, "ExpiredToken", DeviceGone),
        (400, "DeviceTokenNotForTopic", PermanentDeliveryError),
        (413, "PayloadTooLarge", PermanentDeliveryError),
        (400, "SomethingNew", PermanentDeliveryError),
        (403, "InvalidProviderToken", ConfigurationFault),
        (400, "BadTopic", ConfigurationFault),
        (429, "TooManyProviderTokenUpdates", ConfigurationFault),
        (429, "TooManyRequests", ReceiverBusy),
        (500, "InternalServerError", TransientDeliveryError),
        (503, "Shutdown", TransientDeliveryError),
        (502, "", TransientDeliveryError),
    ],
)
def test_what_apple_refuses(
    apple: Apple, channel: Channel, status: int, reason: str, kind: type[Exception]
) -> None:
    apple.refuses(status, reason)

    with pytest.raises(kind) as caught:
        channel.send(message(PHONE))

    assert type(caught.value) is kind
    assert str(caught.value) == f"{status} {reason}".strip()


def test_a_phone_that_is_gone_tells_since_when(apple: Apple, channel: Channel) -> None:
    apple.refuses(410, "Unregistered", timestamp=1_700_000_000_000)

    with pytest.raises(DeviceGone) as caught:
        channel.send(message(PHONE))

    assert caught.value.since is not None
    assert caught.value.since.isoformat() == "2023-11-14T22:13:20+00:00"


def test_retry_after_is_honoured(apple: Apple, channel: Channel) -> None:
    body = {"reason": "TooManyRequests"}
    apple.answers({"status": 429, "body": body, "headers": {"retry-after": "17"}})

    with pytest.raises(TransientDeliveryError) as caught:
        channel.send(message(PHONE))

    assert caught.value.retry_after == 17


def test_an_expired_provider_token_that_is_young_is_our_clocks_fault(
    apple: Apple, channel: Channel
) -> None:
    apple.refuses(403, "ExpiredProviderToken")

    with pytest.raises(ConfigurationFault, match="403 ExpiredProviderToken"):
        channel.send(message(PHONE))

    assert apple.peer.received(1)


def test_a_provider_token_is_made_anew_before_its_hour_is_over(
    apple: Apple, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.send(message(PHONE))
    later = time.monotonic() + 51 * 60
    monkeypatch.setattr("channels.push.apns_token.time.monotonic", lambda: later)

    channel.send(message(PHONE))

    tokens = [one["headers"]["authorization"] for one in apple.peer.received(2)]
    assert tokens[0] != tokens[1]


def test_a_message_that_is_too_large_is_not_sent(apple: Apple, channel: Channel) -> None:
    with pytest.raises(PermanentDeliveryError, match="bytes, the service takes 4096: shorten"):
        channel.send(message(PHONE, text="å" * 2000))

    assert apple.peer.requests == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("apns://production?key=ABC123DEFG", "looks like apns://production/path"),
        ("apns:///key.p8?key=ABC123DEFG", "looks like apns://production/path"),
        ("apns://production/none.p8?key=short", "key must be given"),
        (f"apns://production/none.p8?key={KEY_ID}&team={TEAM}", "topic must be given"),
        (f"apns://sandbox/none.p8?key={KEY_ID}&team={TEAM}&topic={TOPIC}", "No such file"),
        (f"apns://sandbox/dev/null?key={KEY_ID}&team={TEAM}&topic={TOPIC}", "no private key"),
    ],
)
def test_a_url_that_can_not_be_used_says_why(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        opened(url, tmp_path)
