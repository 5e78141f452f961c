"""A provider that answers, and says each time that it wants fewer."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY

from channels.base import Channel
from channels.errors import Throttled
from channels.health.breaker import Breaker
from channels.health.pace import IN_VAIN, LEAST, Pace
from channels.health.provider import Cared, resting
from channels.health.rest import LocalRest
from channels.health.tally import LocalTally
from tests.providers import Provider, identity, send


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def throttled(keep_away: float = 0.0) -> Callable[[], str]:
    def answer() -> str:
        raise Throttled("slower", retry_after=keep_away, keep_away=keep_away)

    return answer


def watched(provider: Provider, clock: Clock) -> Channel:
    known = identity(provider.provider)
    breaker = Breaker(known, LocalRest(clock), LocalTally(clock), clock=clock)
    return Cared(provider, known, breaker=breaker, pace=Pace(known, clock))


def rests(channel: Channel, clock: Clock, times: int) -> list[int]:
    """Seconds that it rested after each of so many calls, made as soon as they may be."""
    found = []
    for _ in range(times):
        assert send(channel) == ["Throttled"]
        found.append(round(resting(channel)))
        clock.now += max(resting(channel), 9) + 1
    return found


def test_it_rests_longer_each_time(clock: Clock) -> None:
    channel = watched(Provider(throttled()), clock)

    asked_slower = [0] * (IN_VAIN - 1)
    assert rests(channel, clock, 9) == [*asked_slower, 5, 10, 20, 40, 80, 120, 120]


def test_it_rests_longer_than_it_asks_for_in_vain(clock: Clock) -> None:
    channel = watched(Provider(throttled(keep_away=6)), clock)

    assert rests(channel, clock, 5) == [6, 6, 6, 12, 24]


def test_it_rests_as_long_as_it_asks_for(clock: Clock) -> None:
    channel = watched(Provider(throttled(keep_away=300)), clock)

    assert rests(channel, clock, 5) == [300] * 5


def test_one_that_takes_something_in_between_does_not_rest(clock: Clock) -> None:
    provider = Provider()
    channel = watched(provider, clock)

    for takes in [False, False, True] * 10:
        provider.answer = (lambda: "reference") if takes else throttled()
        send(channel)
        assert resting(channel) == 0
        clock.now += 10


def test_when_it_takes_one_again_it_is_asked_for_more_bit_by_bit(clock: Clock) -> None:
    provider = Provider(throttled())
    channel = watched(provider, clock)
    rests(channel, clock, 6)
    provider.answer = lambda: "reference"

    assert send(channel, 100) == ["reference"] + ["RateReached"] * 99
    assert resting(channel) == 0
    clock.now += 20
    assert send(channel, 100) == ["reference"] * 100
    provider.answer = throttled()
    assert rests(channel, clock, 3) == [0, 0, 5]


def test_the_pace_is_a_metric_until_there_is_none(clock: Clock) -> None:
    provider = Provider(throttled(), provider="test://metric")
    channel = watched(provider, clock)

    def shown() -> float | None:
        labels = {"channel": "sms", "provider": "test://metric"}
        return REGISTRY.get_sample_value("tidings_provider_pace", labels)

    send(channel)
    assert shown() == LEAST
    provider.answer = lambda: "reference"
    clock.now += 10
    send(channel)
    assert (shown() or 0) > LEAST
    clock.now += 100
    send(channel)
    assert shown() == 0
