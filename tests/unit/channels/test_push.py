"""One message to all devices of a user."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from channels.base import Device, Environment, Outbound, Receiver
from channels.errors import DeviceGone, OutcomeUnknown, PutOff
from channels.folder import FolderChannel
from channels.health.provider import resting
from channels.push.to_devices import Push, most_in_turn, open_push
from channels.testing import SENDER, ChannelContract, environment, outbound
from communication.clock import now
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from tests.crowd import Crowd
from tests.waiting import wait_until

Answer = Callable[[Device], str]


def device(key: int = 1, platform: str = "fcm") -> Device:
    return Device(
        key=key, id=f"d{key}", platform=platform, token=f"token-{key}", registered_at=now()
    )


def to(*devices: Device) -> Outbound:
    return outbound(address="ann", devices=devices)


def raising(error: Exception) -> Answer:
    def answer(_device: Device) -> str:
        raise error

    return answer


@dataclass
class Service:
    """A push service that does what the test says."""

    answer: Answer = lambda one: f"taken-{one.key}"
    provider: str = "service://"
    concurrency: int = 4
    asked: list[int] = field(default_factory=list)

    def address(self, receiver: Receiver) -> str:
        return str(receiver.app_user_id)

    def send(self, message: Outbound) -> str:
        (one,) = message.devices
        self.asked.append(one.key)
        return self.answer(one)

    def close(self) -> None: ...


class Resting(Service):
    """One that is not to be asked for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def resting(self) -> float:
        return self._seconds


@dataclass
class Registry:
    """Devices that were called gone."""

    gone: list[Device] = field(default_factory=list)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def place(tmp_path: Path, registry: Registry) -> Environment:
    return replace(environment(tmp_path, "push"), on_gone=registry.gone.append)


def push(place: Environment, **services: Service) -> Push:
    return open_push(list(services.items()), place)


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


def test_a_slow_device_delays_no_other(place: Environment) -> None:
    reached, hold = threading.Event(), threading.Event()

    def answer(one: Device) -> str:
        if one.key == 1:
            hold.wait(60)
            return "late"
        reached.set()
        return "taken"

    channel = push(replace(place, send_timeout=1.0), fcm=Service(answer))

    assert channel.send(to(device(1), device(2))) == "taken"
    assert reached.is_set()
    hold.set()


def test_what_has_no_answer_in_time_may_have_been_taken(place: Environment) -> None:
    hold = threading.Event()

    def answer(one: Device) -> str:
        if one.key == 1:
            hold.wait(60)
        raise TransientDeliveryError("busy")

    channel = push(replace(place, send_timeout=0.1), fcm=Service(answer))

    with pytest.raises(OutcomeUnknown, match="may have been taken"):
        channel.send(to(device(1), device(2)))
    hold.set()


def test_a_narrow_service_narrows_no_other(place: Environment) -> None:
    asking = Crowd(bound=2)

    def answer(_one: Device) -> str:
        with asking:
            return "taken"

    channel = push(place, fcm=Service(concurrency=32), ntfy=Service(answer, concurrency=2))

    with ThreadPoolExecutor(channel.concurrency) as pool:
        list(pool.map(channel.send, [to(device(1, "ntfy"))] * 20))
    assert (channel.concurrency, asking.most) == (32, 2)


def test_who_waits_too_long_for_a_narrow_service_is_tried_again(place: Environment) -> None:
    hold = threading.Event()
    service = Service(lambda _one: str(hold.wait(60)), concurrency=1)
    channel = push(replace(place, send_timeout=0.05), fcm=service)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(channel.send, to(device()))
        wait_until(lambda: service.asked)
        with pytest.raises(PutOff, match="other messages took all the time"):
            channel.send(to(device()))
        hold.set()

        assert first.result() == "True"


def test_it_rests_while_all_its_services_do(place: Environment) -> None:
    channel = push(place, fcm=Resting(5.0), apns=Resting(2.0))

    assert resting(channel) == 2.0
    assert resting(push(place, fcm=Resting(5.0), apns=Service())) == 0.0


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


def test_what_stands_in_for_each_other_shares_the_time() -> None:
    assert most_in_turn(["fcm", "apns", "webpush"]) == 1
    assert most_in_turn(["fcm", "fcm", "apns", None]) == 3
    assert most_in_turn([None]) == 1


def test_no_reason_has_a_devices_token(place: Environment) -> None:
    service = Service(raising(PermanentDeliveryError("the token token-1 is bad")))

    with pytest.raises(PermanentDeliveryError) as caught:
        push(place, fcm=service).send(to(device()))

    assert str(caught.value) == caught.value.reason == "the token … is bad"


def test_what_no_channel_may_raise_is_one_devices_failure(place: Environment) -> None:
    def answer(one: Device) -> str:
        return "taken" if one.key == 2 else raising(ZeroDivisionError())(one)

    assert push(place, fcm=Service(answer)).send(to(device(1), device(2))) == "taken"
