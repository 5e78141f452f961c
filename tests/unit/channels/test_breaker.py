from collections.abc import Callable

import pytest

from channels.errors import ProviderRests
from channels.health.breaker import LOOK_EVERY, Breaker
from channels.health.rest import FIRST, LONGEST, REMEMBERED, LocalRest
from channels.health.tally import LEAST, WINDOW, LocalTally
from tests.clock import Clock
from tests.providers import identity


@pytest.fixture
def clock() -> Clock:
    return Clock()


def breaker(clock: Callable[[], float], rest: LocalRest | None = None) -> Breaker:
    rest, tally = rest or LocalRest(clock), LocalTally(clock)
    return Breaker(identity("test://"), rest, tally, slow=2.0, clock=clock)


def calls(watched: Breaker, number: int, *, worked: bool) -> None:
    for _ in range(number):
        watched.end(watched.begin(), worked=worked)


def broken(clock: Clock) -> Breaker:
    watched = breaker(clock)
    calls(watched, LEAST, worked=False)
    return watched


def test_few_failures_prove_nothing(clock: Clock) -> None:
    watched = breaker(clock)
    calls(watched, LEAST - 1, worked=False)
    watched.check()


def test_a_provider_that_fails_half_of_its_calls_rests(clock: Clock) -> None:
    watched = breaker(clock)
    calls(watched, LEAST, worked=True)
    calls(watched, LEAST - 1, worked=False)
    watched.check()
    calls(watched, 1, worked=False)
    with pytest.raises(ProviderRests) as caught:
        watched.check()
    assert caught.value.retry_after == pytest.approx(FIRST)


def test_old_failures_are_forgotten(clock: Clock) -> None:
    watched = breaker(clock)
    calls(watched, LEAST - 1, worked=False)
    clock.now += WINDOW
    calls(watched, 1, worked=False)
    watched.check()


def test_slow_calls_count_as_failures(clock: Clock) -> None:
    watched = breaker(clock)
    for _ in range(LEAST // 4):
        trials = [watched.begin() for _ in range(4)]
        clock.now += 2.0
        for trial in trials:
            watched.end(trial, worked=True)
    assert watched.rests()


def test_after_the_rest_one_call_probes_and_its_success_ends_it(clock: Clock) -> None:
    watched = broken(clock)
    clock.now += FIRST + LOOK_EVERY
    assert not watched.rests()
    probe = watched.begin()
    with pytest.raises(ProviderRests, match="probed"):
        watched.begin()
    watched.end(probe, worked=True)
    calls(watched, LEAST - 1, worked=False)
    watched.check()


def test_each_failed_probe_doubles_the_rest_up_to_the_longest(clock: Clock) -> None:
    watched, rests = broken(clock), [FIRST]
    for _ in range(6):
        clock.now += rests[-1] + LOOK_EVERY
        watched.end(watched.begin(), worked=False)
        rests.append(watched.rests())
    assert rests == pytest.approx([5, 10, 20, 40, 80, LONGEST, LONGEST])


def test_a_slow_probe_is_no_recovery(clock: Clock) -> None:
    watched = broken(clock)
    clock.now += FIRST + LOOK_EVERY
    probe = watched.begin()
    clock.now += 3
    watched.end(probe, worked=True)
    assert watched.rests()


def test_a_provider_that_asks_for_time_gets_it(clock: Clock) -> None:
    watched = breaker(clock)
    for _ in range(LEAST):
        watched.end(watched.begin(), worked=False, at_least=30)
    assert watched.rests() == pytest.approx(30)


def test_a_probe_that_vanished_with_its_worker_is_made_by_another(clock: Clock) -> None:
    rest = LocalRest(clock)
    rest.begin(0)
    clock.now += FIRST
    assert rest.may_probe(30)
    assert not rest.may_probe(30)
    clock.now += 30
    assert rest.may_probe(30)


def test_a_rest_that_nobody_probes_is_forgotten(clock: Clock) -> None:
    rest = LocalRest(clock)
    assert [rest.begin(0), rest.begin(0)] == [FIRST, FIRST]
    clock.now += FIRST + REMEMBERED + 1
    assert rest.look() == (0, False)
    assert rest.begin(0) == FIRST


def test_late_answers_of_calls_begun_before_do_not_prolong_a_rest(clock: Clock) -> None:
    watched = breaker(clock)
    late = [watched.begin() for _ in range(3 * LEAST)]
    for trial in late:
        watched.end(trial, worked=False)
    assert watched.rests() == pytest.approx(FIRST)


def test_calls_begun_before_the_recovery_say_nothing_of_what_is_after_it(clock: Clock) -> None:
    watched = breaker(clock)
    late = [watched.begin() for _ in range(2 * LEAST)]
    calls(watched, LEAST, worked=False)
    clock.now += FIRST + LOOK_EVERY
    watched.end(watched.begin(), worked=True)
    for trial in late:
        watched.end(trial, worked=False)
    watched.check()


def test_a_probe_of_which_nothing_follows_is_left_to_another(clock: Clock) -> None:
    watched = broken(clock)
    clock.now += FIRST + LOOK_EVERY
    watched.leave(watched.begin())
    watched.end(watched.begin(), worked=True)
    watched.check()


def test_a_provider_that_asks_to_be_left_alone_is_probed_when_that_is_over(clock: Clock) -> None:
    watched = breaker(clock)
    watched.keep_away(30)
    watched.keep_away(20)
    assert watched.rests() == pytest.approx(30)
    clock.now += 30 + LOOK_EVERY
    probe = watched.begin()
    with pytest.raises(ProviderRests, match="probed"):
        watched.begin()
    watched.end(probe, worked=False)
    assert watched.rests() == pytest.approx(FIRST)
