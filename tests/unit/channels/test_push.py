"""One message to all devices of a user."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from channels.base import Device, Environment
from channels.errors import DeviceGone, OutcomeUnknown, PutOff
from channels.folder import FolderChannel
from channels.push.to_devices import Push, open_push
from channels.testing import SENDER, ChannelContract
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from tests.push_devices import Registry, Service, device, place, push, raising, registry, to

__all__ = ["place", "registry"]


class TestPushIsAChannel(ChannelContract):
    @pytest.fixture
    def channel(self, place: Environment) -> Push:
        folder = FolderChannel(place.outbox, "push", SENDER)
        return open_push([("fcm", Service()), (None, folder)], place)


def test_every_device_is_reached_through_its_own_service(place: Environment) -> None:
    google, apple = Service(provider="fcm://"), Service(provider="apns://")
    channel = push(place, fcm=google, apns=apple)

    reference = channel.send(to(device(1), device(2, "apns"), device(3)))

    assert (sorted(google.asked), apple.asked) == ([1, 3], [2])
    assert reference == "taken-1 taken-2 taken-3"
    assert channel.provider == "fcm://,apns://"


def test_one_device_that_accepts_is_enough(place: Environment) -> None:
    broken = Service(raising(TransientDeliveryError("503")), provider="apns://")
    channel = push(place, fcm=Service(provider="fcm://"), apns=broken)

    assert channel.send(to(device(1, "apns"), device(2))) == "taken-2"
    assert channel.provider == "fcm://"


def test_a_user_without_devices_is_a_failure_that_says_so(place: Environment) -> None:
    with pytest.raises(PermanentDeliveryError, match="the app user has no registered device"):
        push(place, fcm=Service()).send(to())


def test_a_platform_without_a_provider_is_a_failure_that_says_so(place: Environment) -> None:
    with pytest.raises(PermanentDeliveryError, match="TIDINGS_PUSH_URL names nothing for webpush"):
        push(place, fcm=Service()).send(to(device(1, "webpush")))


@pytest.mark.parametrize(
    ("errors", "kind", "reason", "retry_after"),
    [
        (
            [PermanentDeliveryError("too large"), PermanentDeliveryError("too large")],
            PermanentDeliveryError,
            "fcm: too large",
            None,
        ),
        (
            [PermanentDeliveryError("no"), TransientDeliveryError("busy", retry_after=7)],
            TransientDeliveryError,
            "fcm: no; fcm: busy",
            7,
        ),
        (
            [TransientDeliveryError("a", retry_after=7), OutcomeUnknown("b")],
            OutcomeUnknown,
            "fcm: a; fcm: b",
            0,
        ),
        ([TransientDeliveryError("alone", retry_after=3)], TransientDeliveryError, "alone", 3),
    ],
    ids=str,
)
def test_where_none_accepts_it_is_tried_again_if_that_may_help_one(
    place: Environment,
    errors: list[DeliveryError],
    kind: type[DeliveryError],
    reason: str,
    retry_after: float | None,
) -> None:
    by_key = dict(enumerate(errors))
    service = Service(lambda one: raising(by_key[one.key])(one))

    with pytest.raises(kind) as caught:
        push(place, fcm=service).send(to(*(device(key) for key in by_key)))

    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert getattr(caught.value, "retry_after", None) == retry_after


def test_a_device_that_is_gone_is_unregistered(place: Environment, registry: Registry) -> None:
    gone = device()
    channel = push(place, fcm=Service(raising(DeviceGone("UNREGISTERED"))))

    with pytest.raises(PermanentDeliveryError, match="UNREGISTERED"):
        channel.send(to(gone))

    assert registry.gone == [gone]


def test_a_device_registered_after_it_was_gone_stays(
    place: Environment, registry: Registry
) -> None:
    back = device()
    error = DeviceGone("Unregistered", since=back.registered_at - timedelta(hours=1))

    with pytest.raises(PermanentDeliveryError):
        push(place, apns=Service(raising(error))).send(to(replace(back, platform="apns")))

    assert registry.gone == []


def test_a_device_that_is_gone_beside_one_that_is_put_off_spends_no_try(
    place: Environment, registry: Registry
) -> None:
    def gone(_one: Device) -> str:
        raise DeviceGone("removed")

    def rests(_one: Device) -> str:
        raise PutOff("it rests", retry_after=7)

    channel = push(place, fcm=Service(gone), apns=Service(rests))

    with pytest.raises(PutOff, match="it rests"):
        channel.send(to(device(1), device(2, "apns")))

    assert [one.key for one in registry.gone] == [1]


def test_a_channel_without_a_platform_takes_what_is_left(
    place: Environment, tmp_path: Path
) -> None:
    folder = FolderChannel(tmp_path, "push", SENDER)
    channel = open_push([("fcm", Service()), (None, folder)], place)

    assert channel.send(to()).endswith(".json")
    assert channel.send(to(device(1, "apns"))).endswith(".json")
    assert channel.send(to(device(1))) == "taken-1"


def test_no_reason_has_a_devices_token(place: Environment) -> None:
    service = Service(raising(PermanentDeliveryError("the token token-1 is bad")))

    with pytest.raises(PermanentDeliveryError) as caught:
        push(place, fcm=service).send(to(device()))

    assert str(caught.value) == caught.value.reason == "the token … is bad"


def test_what_no_channel_may_raise_is_one_devices_failure(place: Environment) -> None:
    def answer(one: Device) -> str:
        return "taken" if one.key == 2 else raising(ZeroDivisionError())(one)

    assert push(place, fcm=Service(answer)).send(to(device(1), device(2))) == "taken"
