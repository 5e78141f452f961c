"""Web Push to a push service that checks VAPID, and a browser that decrypts with http_ece."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from channels.base import Channel
from channels.errors import (
    ConfigurationFault,
    DeviceGone,
    OutcomeUnknown,
    ProviderRests,
    Throttled,
)
from channels.health.provider import resting
from channels.health.tally import LEAST
from channels.push.key_file import read_p256_key
from channels.registry import open_channels
from channels.testing import ChannelContract, environment
from communication.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from communication.http.guard import Guard
from tests.devices import public_point
from tests.push_messages import NEAR, ToDevice, device, message, opened, write_private
from tests.push_service import PATH, Service, push_service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with push_service(tmp_path_factory.mktemp("webpush")) as running:
        yield running


@pytest.fixture
def service(server: Service) -> Service:
    server.peer.behave(PATH, {})
    server.peer.requests.clear()
    return server


@pytest.fixture
def channel(service: Service, tmp_path: Path) -> Iterator[Channel]:
    running = opened(service.url(), tmp_path)
    yield running
    running.close()


class TestWebPushIsAChannel(ChannelContract):
    @pytest.fixture
    def channel(self, service: Service, tmp_path: Path) -> Iterator[Channel]:
        running = ToDevice(opened(service.url(), tmp_path), service.browser)
        yield running
        running.close()


def test_the_browser_reads_what_was_written(service: Service, channel: Channel) -> None:
    channel.send(message(service.browser))

    (request,) = service.peer.received(1)
    assert request["fault"] is None
    assert json.loads(request["text"]) == {
        "title": "Din beställning",
        "body": "Den är på väg ✓",
        "data": {"messageId": "order-7", "deliveryId": "0192f0c1-1-0"},
    }


def test_what_the_push_service_is_told(service: Service, tmp_path: Path) -> None:
    channel = opened(service.url(ttl="1h"), tmp_path)
    for priority in (0, 4, 9):
        channel.send(message(service.browser, priority=priority))
    channel.close()

    requests = service.peer.received(3)
    headers = [request["headers"] for request in requests]
    assert [one["urgency"] for one in headers] == ["high", "normal", "low"]
    assert {one["ttl"] for one in headers} == {"3600"}
    (topic,) = {one["topic"] for one in headers}
    assert len(topic) == 32
    claims = requests[0]["claims"]
    assert claims["sub"] == "mailto:ops@example.com"
    assert claims["exp"] > time.time() + 3600
    assert len({one["authorization"] for one in headers}) == 1


def test_the_reference_is_where_the_service_keeps_it(service: Service, channel: Channel) -> None:
    reference = channel.send(message(service.browser))

    assert reference == service.peer.received(1)[0]["headers"]["topic"]


def test_a_payload_is_as_large_as_push_services_take(service: Service, channel: Channel) -> None:
    around = len('{"title":"","body":"","data":{"messageId":"","deliveryId":"x"}}')
    room = 4096 - 103 - around

    channel.send(
        message(service.browser, subject="", message_id="", delivery_id="x", text="a" * room)
    )

    assert service.peer.received(1)[0]["size"] == 4096
    assert service.peer.requests[0]["fault"] is None
    with pytest.raises(PermanentDeliveryError, match="has 3994 bytes, the service takes 3993"):
        channel.send(
            message(
                service.browser, subject="", message_id="", delivery_id="x", text="a" * (room + 1)
            )
        )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, DeviceGone),
        (410, DeviceGone),
        (400, PermanentDeliveryError),
        (413, PermanentDeliveryError),
        (406, PermanentDeliveryError),
        (301, PermanentDeliveryError),
        (401, ConfigurationFault),
        (403, ConfigurationFault),
        (429, Throttled),
        (500, TransientDeliveryError),
        (503, TransientDeliveryError),
    ],
)
def test_what_the_service_refuses(
    service: Service, channel: Channel, status: int, kind: type[Exception]
) -> None:
    service.peer.behave(PATH, {"status": status, "body": "no\nmore of it"})

    with pytest.raises(kind) as caught:
        channel.send(message(service.browser))

    assert type(caught.value) is kind
    assert str(caught.value) == f"{status} no"


def test_retry_after_is_honoured(service: Service, channel: Channel) -> None:
    service.peer.behave(PATH, {"status": 429, "headers": {"Retry-After": "120"}})

    with pytest.raises(TransientDeliveryError) as caught:
        channel.send(message(service.browser))

    assert caught.value.retry_after == 120


@pytest.mark.parametrize("behaviour", [{"hangUp": True}, {"never": True}], ids=str)
def test_a_message_without_an_answer_may_have_been_taken(
    service: Service, tmp_path: Path, behaviour: dict[str, Any]
) -> None:
    service.peer.behave(PATH, behaviour)
    channel = opened(service.url(timeout="2s"), tmp_path)

    with pytest.raises(OutcomeUnknown, match="may have been taken"):
        channel.send(message(service.browser))
    channel.close()


def test_an_endpoint_in_the_operators_network_is_not_called(
    service: Service, tmp_path: Path
) -> None:
    channel = opened(service.url(), tmp_path, guard=Guard())

    with pytest.raises(PermanentDeliveryError, match="refused"):
        channel.send(message(service.browser))

    assert service.peer.requests == []
    channel.close()


def test_a_garbled_subscription_is_a_permanent_failure(channel: Channel) -> None:
    for keys in ({}, {"p256dh": "AA", "auth": "AA"}, {"p256dh": "å", "auth": "å"}):
        with pytest.raises(PermanentDeliveryError, match="no usable keys"):
            channel.send(message(device("webpush", "https://push.example/1", keys=keys)))


def test_keys_of_other_tools_are_read(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    scalar = key.private_numbers().private_value.to_bytes(32)
    path = tmp_path / "vapid.txt"
    path.write_bytes(base64.urlsafe_b64encode(scalar).rstrip(b"=") + b"\n")

    assert public_point(read_p256_key(path)) == public_point(key)


@pytest.mark.parametrize(
    ("name", "words"),
    [("none", "No such file"), ("rsa", "of another kind"), ("text", "no private key")],
)
def test_a_key_that_can_not_be_used_is_named(tmp_path: Path, name: str, words: str) -> None:
    write_private(rsa.generate_private_key(65537, 2048), tmp_path / "rsa")
    (tmp_path / "text").write_text("hello")

    with pytest.raises(SettingsError, match=words):
        opened(f"webpush://{tmp_path}/{name}?subject=mailto:a@example.com", tmp_path)


def test_a_subject_is_needed(service: Service, tmp_path: Path) -> None:
    for subject in ("", "ops@example.com", "http://example.com"):
        with pytest.raises(SettingsError, match="subject"):
            opened(service.url(subject=subject), tmp_path)


def test_a_push_service_that_fails_rests_and_stops_no_other(
    service: Service, tmp_path: Path
) -> None:
    place = replace(environment(tmp_path, "push"), guard=NEAR)
    channel = open_channels(service.url(), place)
    service.peer.behave("/s/bad", {"status": 500})
    bad = service.subscribed("/s/bad")

    for number in range(LEAST):
        with pytest.raises(TransientDeliveryError, match="500"):
            channel.send(message(bad, delivery_id=str(number)))

    with pytest.raises(ProviderRests, match="rests"):
        channel.send(message(bad))
    assert resting(channel) == 0
    channel.close()
