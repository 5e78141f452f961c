"""What slow, narrow and resting push services cost a message to several devices."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from channels.base import Device, Environment
from channels.errors import OutcomeUnknown, PutOff
from channels.health.provider import resting
from channels.push.to_devices import most_in_turn
from communication.errors import TransientDeliveryError
from tests.crowd import Crowd
from tests.push_devices import (
    Resting,
    Service,
    device,
    place,
    push,
    registry,
    to,
)
from tests.waiting import wait_until

__all__ = ["place", "registry"]


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


def test_what_stands_in_for_each_other_shares_the_time() -> None:
    assert most_in_turn(["fcm", "apns", "webpush"]) == 1
    assert most_in_turn(["fcm", "fcm", "apns", None]) == 3
    assert most_in_turn([None]) == 1
