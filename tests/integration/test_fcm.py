"""Push through FCM, to a stand-in that checks the OAuth assertion and the v1 JSON's shape."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from channels.base import Channel
from channels.errors import ConfigurationFault, DeviceGone, OutcomeUnknown, Throttled
from channels.testing import ChannelContract
from communication.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from tests.google import FCM_TOKEN, Google, google_server
from tests.push_messages import ToDevice, device, message, opened
from tests.waiting import wait_until

PHONE = device("fcm", FCM_TOKEN)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    with google_server(tmp_path_factory.mktemp("fcm")) as running:
        yield running


@pytest.fixture
def google(server: Google) -> Google:
    server.forgets()
    return server


@pytest.fixture
def channel(google: Google, tmp_path: Path) -> Iterator[Channel]:
    running = opened(google.url(), tmp_path)
    yield running
    running.close()


class TestFcmIsAChannel(ChannelContract):
    @pytest.fixture
    def channel(self, google: Google, tmp_path: Path) -> Iterator[Channel]:
        running = ToDevice(opened(google.url(), tmp_path), PHONE)
        yield running
        running.close()


def test_what_google_gets(google: Google, tmp_path: Path) -> None:
    channel = opened(google.url(ttl="1h"), tmp_path)
    reference = channel.send(message(PHONE, priority=9))
    channel.close()

    (sent,) = google.sent(1)
    assert sent["fault"] is None
    assert sent["message"]["token"] == FCM_TOKEN
    assert sent["message"]["notification"] == {
        "title": "Din beställning",
        "body": "Den är på väg ✓",
    }
    assert sent["message"]["data"] == {"messageId": "order-7", "deliveryId": "0192f0c1-1-0"}
    android = sent["message"]["android"]
    assert (android["priority"], android["ttl"]) == ("NORMAL", "3600s")
    assert reference == f"projects/my-project/messages/{android['notification']['tag']}"


def test_a_token_is_asked_for_once(google: Google, channel: Channel) -> None:
    google.peer.behave("token", {"wait": 100})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(channel.send, [message(PHONE, delivery_id=str(n)) for n in range(32)]))

    assert google.peer.received(33)[0]["fault"] is None
    assert len({one["accessToken"] for one in google.sent(32)}) == 1


def test_a_token_is_renewed_before_its_end_while_others_go_on(
    google: Google, channel: Channel
) -> None:
    google.peer.behave("token", {"lifetime": 200}, {"wait": 2000})
    channel.send(message(PHONE))

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(channel.send, message(PHONE, delivery_id="renewing"))
        wait_until(lambda: len(google.peer.requests) == 3)
        channel.send(message(PHONE, delivery_id="meanwhile"))
        renewing.result()

    paths = [one["path"] for one in google.peer.received(5)]
    assert paths.count("/token") == 2
    first, meanwhile, renewed = (one["accessToken"] for one in google.sent(4))
    assert first == meanwhile != renewed


def test_a_renewal_that_fails_does_not_matter_while_the_old_token_is_good(
    google: Google, channel: Channel
) -> None:
    google.peer.behave("token", {"lifetime": 200}, {"status": 503})

    assert channel.send(message(PHONE))
    assert channel.send(message(PHONE))


def test_a_token_that_was_revoked_is_replaced_at_once(google: Google, channel: Channel) -> None:
    google.peer.behave(FCM_TOKEN, {}, {"forgetTokens": True}, {})
    channel.send(message(PHONE))

    assert channel.send(message(PHONE))

    paths = [one["path"] for one in google.peer.received(5)]
    assert paths.count("/token") == 2


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"error": "invalid_grant"}, ConfigurationFault, "no access token: 400 invalid_grant"),
        (401, {"error": "unauthorized_client"}, ConfigurationFault, "unauthorized_client"),
        (503, {}, TransientDeliveryError, "no access token: 503"),
        (200, {"no": "token"}, ConfigurationFault, "no access token: 200"),
    ],
)
def test_without_a_token_nothing_is_sent(
    google: Google, channel: Channel, status: int, body: dict[str, Any], kind: type, words: str
) -> None:
    google.peer.behave("token", {"status": status, "body": body})

    for _ in range(3):
        with pytest.raises(TransientDeliveryError, match=words) as caught:
            channel.send(message(PHONE))
        assert type(caught.value) is kind

    assert [one["path"] for one in google.peer.received(1)] == ["/token"]


def test_a_token_that_never_comes_is_no_message_that_may_have_been_taken(
    google: Google, tmp_path: Path
) -> None:
    google.peer.behave("token", {"never": True})
    channel = opened(google.url(timeout="200ms"), tmp_path)

    for _ in range(2):
        with pytest.raises(TransientDeliveryError, match=r"no access token: .*in time") as caught:
            channel.send(message(PHONE))
        assert not isinstance(caught.value, OutcomeUnknown)
    channel.close()


@pytest.mark.parametrize(
    ("code", "status", "error_code", "kind"),
    [
        (404, "NOT_FOUND", "UNREGISTERED", DeviceGone),
        (404, "NOT_FOUND", "", DeviceGone),
        (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", PermanentDeliveryError),
        (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", PermanentDeliveryError),
        (403, "PERMISSION_DENIED", "", ConfigurationFault),
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", ConfigurationFault),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Throttled),
        (500, "INTERNAL", "INTERNAL", TransientDeliveryError),
        (503, "UNAVAILABLE", "UNAVAILABLE", TransientDeliveryError),
    ],
)
def test_what_google_refuses(
    google: Google, channel: Channel, code: int, status: str, error_code: str, kind: type
) -> None:
    google.refuses(code, status, error_code)

    with pytest.raises((PermanentDeliveryError, TransientDeliveryError)) as caught:
        channel.send(message(PHONE))

    assert type(caught.value) is kind
    assert str(caught.value) == f"{code} {error_code or status} because"


def test_a_garbled_token_is_a_gone_device(google: Google, channel: Channel) -> None:
    violations = [{"field": "message.token", "description": "Invalid registration token"}]
    bad_request = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": violations,
    }
    google.refuses(400, "INVALID_ARGUMENT", details=[bad_request])

    with pytest.raises(DeviceGone):
        channel.send(message(PHONE))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, PermanentDeliveryError), (413, PermanentDeliveryError), (502, TransientDeliveryError)],
)
def test_what_does_not_come_from_fcm_makes_no_device_gone(
    google: Google, channel: Channel, status: int, kind: type
) -> None:
    google.peer.behave(FCM_TOKEN, {"status": status, "body": "<html>a proxy's page</html>"})

    with pytest.raises((PermanentDeliveryError, TransientDeliveryError)) as caught:
        channel.send(message(PHONE))

    assert type(caught.value) is kind


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "7"}, 7), ({}, 60)], ids=str)
def test_a_quota_is_waited_for(
    google: Google, channel: Channel, headers: dict[str, str], wait: float
) -> None:
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED"}
    google.peer.behave(FCM_TOKEN, {"error": error, "headers": headers})

    with pytest.raises(TransientDeliveryError) as caught:
        channel.send(message(PHONE))

    assert caught.value.retry_after == wait


@pytest.mark.parametrize("behaviour", [{"hangUp": True}, {"never": True}], ids=str)
def test_a_message_without_an_answer_may_have_been_taken(
    google: Google, tmp_path: Path, behaviour: dict[str, Any]
) -> None:
    google.peer.behave(FCM_TOKEN, behaviour)
    channel = opened(google.url(timeout="2s"), tmp_path)

    with pytest.raises(OutcomeUnknown, match="may have been taken"):
        channel.send(message(PHONE))
    channel.close()


def test_a_message_that_is_too_large_is_not_sent(google: Google, channel: Channel) -> None:
    with pytest.raises(PermanentDeliveryError, match="bytes, the service takes 4096: shorten"):
        channel.send(message(PHONE, text="å" * 2040))

    assert google.peer.requests == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"private_key": "hello"}, "private_key that can't be read"),
        ({"private_key": 7}, "no service account's JSON file"),
        ({"project_id": None}, "no service account's JSON file"),
    ],
    ids=str,
)
def test_an_account_that_can_not_be_used_is_named(
    google: Google, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    account = json.loads((google.folder / "account.json").read_text())
    (tmp_path / "account.json").write_text(json.dumps({**account, **change}))

    with pytest.raises(SettingsError, match=words) as caught:
        opened(f"fcm://{tmp_path}/account.json", tmp_path)

    assert "PRIVATE" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.json: No such file"):
        opened("fcm:///none.json", tmp_path)
    with pytest.raises(SettingsError, match="looks like fcm:///path"):
        opened("fcm://host/none.json", tmp_path)
