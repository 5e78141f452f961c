"""What all workers know together of a provider: that it rests, and at which rate it is asked."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from redis import Redis

from channels.errors import ProviderRests
from channels.health.breaker import LOOK_EVERY, Breaker
from channels.health.rest import FIRST, SharedRest
from channels.health.tally import LEAST, TELL_EVERY, SharedTally
from channels.health.throttle import Rate, SharedTurns
from communication.redis_client import open_redis
from communication.settings import Settings
from tests.clock import Clock
from tests.providers import identity


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with closing(open_redis(Settings(redis_url=redis_url))) as client:
        yield client


def test_all_workers_know_that_a_provider_rests(redis: Redis) -> None:
    clock = Clock()
    first, second = (breaker("smpp://a", redis, clock) for _ in range(2))
    other = breaker("smpp://b", redis, clock)
    second.check()

    for _ in range(LEAST):
        first.end(first.begin(), worked=False)
    clock.now += LOOK_EVERY

    for one in (first, second):
        with pytest.raises(ProviderRests):
            one.begin()
    other.check()


def breaker(provider: str, redis: Redis, clock: Clock) -> Breaker:
    rest, tally = SharedRest(redis, provider), SharedTally(redis, provider, clock)
    return Breaker(identity(provider), rest, tally, clock=clock)


def fails_for_each(workers: list[Breaker], clock: Clock) -> None:
    """Once for each, when they have not told of a call for a while."""
    clock.now += TELL_EVERY
    for one in workers:
        one.end(one.begin(), worked=False)


def test_failures_count_whichever_worker_meets_them(redis: Redis) -> None:
    clock = Clock()
    workers = [breaker("smpp://a", redis, clock) for _ in range(LEAST // 2)]
    fails_for_each(workers, clock)
    breaker("smpp://a", redis, clock).check()
    fails_for_each(workers, clock)
    with pytest.raises(ProviderRests):
        breaker("smpp://a", redis, clock).check()


def test_one_worker_that_fails_among_many_that_work_proves_nothing(redis: Redis) -> None:
    clock = Clock()
    *working, failing = [breaker("smpp://a", redis, clock) for _ in range(4)]
    for one in working:
        for _ in range(LEAST):
            one.end(one.begin(), worked=True)
        clock.now += TELL_EVERY
        one.end(one.begin(), worked=True)
    for _ in range(LEAST):
        failing.end(failing.begin(), worked=False)
    failing.check()


def test_what_all_workers_counted_is_forgotten_when_it_is_old(redis: Redis) -> None:
    first, second = (SharedTally(redis, "smpp://a") for _ in range(2))
    assert not any(first.count(worked=False) for _ in range(LEAST - 1))
    (key,) = redis.scan_iter("tidings:provider:*:calls")
    assert 0 < redis.ttl(key) <= 10
    redis.delete(key)
    assert not second.count(worked=False)


def test_a_provider_that_asks_to_be_left_alone_is_by_all_workers(redis: Redis) -> None:
    clock = Clock()
    first, second = (breaker("smpp://a", redis, clock) for _ in range(2))
    second.check()
    first.keep_away(30)
    clock.now += LOOK_EVERY
    for one in (first, second):
        assert one.rests() == pytest.approx(30, abs=10)


def test_one_of_all_workers_probes_and_all_go_on(redis: Redis) -> None:
    rests = [SharedRest(redis, "smpp://a") for _ in range(3)]
    assert rests[0].begin(0) == pytest.approx(FIRST, abs=0.1)
    assert 0 < rests[1].begin(0) <= FIRST
    _end_of_rest(redis)

    assert [rest.look() for rest in rests] == [(0, True)] * 3
    assert [rest.may_probe(30) for rest in rests] == [True, False, False]
    assert rests[0].begin(0) == 2 * FIRST
    _end_of_rest(redis)
    assert rests[2].may_probe(30)
    rests[2].end()

    assert [rest.look() for rest in rests] == [(0, False)] * 3
    assert rests[1].begin(30) == 30


def test_who_has_not_heard_that_a_probe_failed_does_not_probe_again(redis: Redis) -> None:
    first, second = (SharedRest(redis, "smpp://a") for _ in range(2))
    first.begin(0)
    _end_of_rest(redis)
    assert second.look() == (0, True)
    assert first.may_probe(30)
    first.begin(0)
    assert not second.may_probe(30)


def _end_of_rest(redis: Redis) -> None:
    (key,) = redis.scan_iter("tidings:provider:*:rest")
    redis.delete(key)


def test_all_workers_keep_to_one_rate_together(redis: Redis) -> None:
    turns = [SharedTurns(redis, "smpp://a", Rate(2)) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda at: turns[at % 4].take("normal", 60.0), range(100)))

    ends = time.monotonic()
    assert all(granted for granted, _ in taken)
    # The last turn is fifty seconds after the first, whatever time the asking took.
    assert max(wait for _, wait in taken) <= 50
    assert len({round(wait, 3) for _, wait in taken}) > 50
    granted, again = turns[0].take("bulk", 0.0)
    assert not granted
    assert 0 < again <= 51 - (time.monotonic() - ends)


def test_those_put_off_get_times_of_their_own(redis: Redis) -> None:
    turns = SharedTurns(redis, "smpp://a", Rate(0.2))
    taken = [turns.take("bulk", 0.0) for _ in range(50)]
    again = [wait for granted, wait in taken if not granted]
    assert len(again) > 25
    assert again[-1] > 100
    assert all(later > earlier for earlier, later in itertools.pairwise(again))
