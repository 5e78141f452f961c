from collections import deque
from dataclasses import dataclass, field

import pytest

from channels.errors import RateReached
from channels.health.pace import FREE_AFTER, Pace
from channels.health.throttle import PATIENCE, Throttle
from tests.providers import identity

NORMAL = 4


@dataclass
class Provider:
    """Takes so many in any second, and has a clock that sleeping moves on."""

    limit: int
    now: float = 1000.0
    taken: deque[float] = field(default_factory=deque)
    complaints: int = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, pace: Pace) -> None:
        while self.taken and self.taken[0] <= self.now - 1:
            self.taken.popleft()
        if len(self.taken) < self.limit:
            self.taken.append(self.now)
            pace.accepted()
        else:
            self.complaints += 1
            pace.complained()


def asked(provider: Provider, pace: Pace, seconds: float) -> int:
    """How often in so many seconds, if there is always more to be sent."""
    throttle = Throttle("test://", pace, provider.sleep)
    ends, times = provider.now + seconds, 0
    while provider.now < ends:
        try:
            throttle.wait(NORMAL)
        except RateReached:
            provider.now += 0.01
            continue
        provider.ask(pace)
        provider.now += 0.001
        times += 1
    return times


@pytest.mark.parametrize("limit", [5, 50, 400])
def test_a_provider_is_asked_about_as_fast_as_it_allows(limit: int) -> None:
    provider = Provider(limit)
    pace = Pace(identity("test://"), provider.clock)
    asked(provider, pace, 30)
    provider.complaints = 0

    times = asked(provider, pace, 60)

    assert times - provider.complaints > 0.8 * limit * 60
    assert provider.complaints < 0.07 * times


def test_one_that_never_complains_is_not_held_back() -> None:
    provider = Provider(limit=10**6)
    assert asked(provider, Pace(identity("test://"), provider.clock), 1) >= 999


def test_complaints_of_one_moment_are_one() -> None:
    provider = Provider(limit=100)
    pace = Pace(identity("test://"), provider.clock)
    for _ in range(200):
        provider.ask(pace)
    assert asked(provider, pace, 1) > 70


def test_a_provider_that_took_nothing_is_asked_now_and_then() -> None:
    provider = Provider(limit=0)
    pace = Pace(identity("test://"), provider.clock)
    provider.ask(pace)
    assert 3 <= asked(provider, pace, 30) <= 12


def test_what_waited_at_a_slow_pace_does_not_wait_on_when_it_is_fast() -> None:
    provider = Provider(limit=0)
    pace = Pace(identity("test://"), provider.clock)
    provider.ask(pace)
    taken = [pace.take("bulk", PATIENCE["bulk"]) for _ in range(1000)]
    assert 20 < max(wait for _, wait in taken) < 40


def test_a_limit_that_is_gone_is_forgotten() -> None:
    provider = Provider(limit=2)
    pace = Pace(identity("test://"), provider.clock)
    asked(provider, pace, 10)
    provider.limit = 10**6
    provider.now += FREE_AFTER + 1
    assert asked(provider, pace, 1) >= 999
