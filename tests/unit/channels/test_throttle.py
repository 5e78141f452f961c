from itertools import pairwise

import pytest

from channels.errors import RateReached
from channels.health.throttle import EARLIEST, LONGEST, PATIENCE, LocalTurns, Rate, Throttle
from tests.clock import Clock

URGENT, NORMAL, BULK = 0, 4, 9


def throttle(clock: Clock, rate: Rate) -> Throttle:
    return Throttle("test://", LocalTurns(rate, clock), clock.sleep)


def test_calls_are_evenly_spread() -> None:
    clock = Clock()
    throttled = throttle(clock, Rate(50))
    for _ in range(101):
        throttled.wait(NORMAL)
    assert clock.now == pytest.approx(1002.0)
    assert clock.slept == pytest.approx([0.02] * 100)


def test_a_burst_goes_at_once_after_a_lull() -> None:
    clock = Clock()
    throttled = throttle(clock, Rate(50, burst=100))
    for _ in range(100):
        throttled.wait(NORMAL)
    assert clock.slept == []
    throttled.wait(NORMAL)
    assert clock.slept == pytest.approx([0.02])


def test_nobody_waits_long_in_a_thread() -> None:
    turns = LocalTurns(Rate(4), Clock())
    taken = [turns.take("normal", PATIENCE["normal"]) for _ in range(100)]
    waits = [wait for granted, wait in taken if granted]
    assert waits == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_those_put_off_come_back_one_after_the_other() -> None:
    turns = LocalTurns(Rate(10), Clock())
    taken = [turns.take("bulk", 0) for _ in range(100)]
    again = [wait for granted, wait in taken if not granted]
    assert again == pytest.approx([0.1 + 0.1 * number for number in range(1, 100)])


def test_those_put_off_come_back_a_little_before_their_turn() -> None:
    turns = LocalTurns(Rate(4), Clock())
    taken = [turns.take("normal", PATIENCE["normal"]) for _ in range(20)]
    again = [wait for granted, wait in taken if not granted]
    assert again[0] + EARLIEST == pytest.approx(1.5)
    assert [later - sooner for sooner, later in pairwise(again)] == pytest.approx([0.25] * 14)


def test_a_process_that_stood_still_does_not_send_all_at_once() -> None:
    clock = Clock()
    turns = LocalTurns(Rate(10), clock)
    turns.take("normal", 0)

    def oversleep(seconds: float) -> None:
        clock.sleep(seconds + (1.0 if not clock.slept else 0.0))

    Throttle("test://", turns, oversleep, clock).wait(NORMAL)
    assert clock.slept == pytest.approx([1.1])
    Throttle("test://", turns, clock.sleep, clock).wait(NORMAL)
    assert clock.slept == pytest.approx([1.1, 0.1])


def test_what_is_urgent_does_not_queue_behind_what_was_put_off() -> None:
    clock = Clock()
    throttled = throttle(clock, Rate(10))
    for _ in range(1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(throttled, "_sleep", lambda _seconds: None)
            _try(throttled, BULK)
    throttled.wait(URGENT)
    assert clock.slept[-1] <= PATIENCE["urgent"]


def test_nobody_is_put_off_for_ever() -> None:
    clock = Clock()
    throttled = throttle(clock, Rate(0.1))
    waits = [_try(throttled, BULK) for _ in range(200)]
    assert max(waits) <= LONGEST + 10
    # Beyond the longest they are spread.
    assert len(set(waits[-50:])) > 40


def _try(throttled: Throttle, priority: int) -> float:
    try:
        throttled.wait(priority)
    except RateReached as error:
        return error.retry_after or 0
    return 0
