"""A subscription's queue in Redis: whole, or seen to lack something."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from redis import Redis

from communication.clock import now
from communication.polling.queue import Entry, Look, PollQueues
from communication.redis_client import open_redis
from communication.settings import Settings

TTL = 60.0
LARGE = 9_007_199_254_740_000
"""Nearly the last whole number that a score holds."""


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


@pytest.fixture
def queues(redis: Redis) -> PollQueues:
    return PollQueues(redis, ttl=TTL)


def entries(*positions: int, at: datetime | None = None) -> list[Entry]:
    return [
        Entry(position=one, at=at or now(), body=f'{{"number":{one}}}'.encode())
        for one in positions
    ]


def look(queues: PollQueues, handed_out: int = 0, *, least: int = 0, size: int = 100) -> Look:
    return queues.look("s", handed_out=handed_out, least=least, size=size, now=now())


def positions(seen: Look) -> list[int]:
    return [position for position, _ in seen.oldest]


def extend(queues: PollQueues, *given: int, after: int, last: int) -> bool:
    return queues.extend("s", entries(*given), after=after, last=last, now=now())


def test_an_empty_queue_is_told_from_none(queues: PollQueues) -> None:
    assert look(queues) == Look(mark=-1)
    queues.reset("s", 7)
    assert look(queues) == Look(mark=7, left=0, oldest=[])


def test_entries_come_back_oldest_first_as_they_were(queues: PollQueues) -> None:
    queues.reset("s", 0)
    assert extend(queues, 2, 9, after=0, last=9)
    assert extend(queues, 10, 100, after=9, last=100)

    seen = look(queues, size=3)
    assert (seen.mark, seen.left) == (100, 4)
    assert seen.oldest == [(2, b'{"number":2}'), (9, b'{"number":9}'), (10, b'{"number":10}')]


def test_what_was_handed_out_is_forgotten(queues: PollQueues) -> None:
    queues.reset("s", 0)
    extend(queues, 1, 2, 3, after=0, last=3)
    assert positions(look(queues, 2)) == [3]
    assert (look(queues, 0).left, look(queues, 3).left) == (1, 0)


def test_a_queue_that_lacks_something_takes_no_more(queues: PollQueues) -> None:
    assert not extend(queues, 5, after=4, last=5)
    assert look(queues).mark == -1
    queues.reset("s", 3)
    assert not extend(queues, 5, after=4, last=5)
    assert look(queues) == Look(mark=3, left=0, oldest=[])
    assert look(queues, least=4) == Look(mark=3)


def test_a_batch_that_comes_again_counts_once(queues: PollQueues) -> None:
    queues.reset("s", 0)
    extend(queues, 1, 2, after=0, last=2)
    changed = [Entry(position=2, at=now(), body=b'"changed"'), *entries(3)]
    assert queues.extend("s", changed, after=0, last=3, now=now())

    seen = look(queues)
    assert (positions(seen), seen.left) == ([1, 2, 3], 3)
    assert seen.oldest[1][1] == b'{"number":2}'


def test_a_batch_that_comes_again_after_it_was_handed_out_stays_out(queues: PollQueues) -> None:
    queues.reset("s", 0)
    extend(queues, 1, 2, after=0, last=2)
    look(queues, 2)
    assert extend(queues, 1, 2, after=0, last=2)
    assert look(queues, 2).left == 0


def test_what_was_half_written_does_not_count(queues: PollQueues, redis: Redis) -> None:
    queues.reset("s", 0)
    extend(queues, 1, after=0, last=1)
    (key,) = redis.keys("*")
    redis.zadd(key, {"2:half": 2, "at:2": -1e15})
    assert (positions(look(queues)), look(queues).left) == ([1], 1)

    extend(queues, 2, after=1, last=2)
    assert look(queues).oldest[1] == (2, b'{"number":2}')


def test_entries_expire_by_their_own_time_whatever_their_order(queues: PollQueues) -> None:
    old, young = now() - timedelta(seconds=TTL + 1), now()
    queues.reset("s", 0)
    mixed = [*entries(1, at=young), *entries(2, at=old), *entries(3, at=young)]
    queues.extend("s", mixed, after=0, last=3, now=now() - timedelta(hours=1))

    seen = look(queues)
    assert (positions(seen), seen.left) == ([1, 3], 2)


def test_a_queue_that_nobody_reads_keeps_only_what_has_not_expired(
    queues: PollQueues, redis: Redis
) -> None:
    queues.reset("s", 0)
    queues.extend("s", entries(1), after=0, last=1, now=now())
    later = now() + timedelta(seconds=TTL + 1)
    queues.extend("s", entries(2, at=later), after=1, last=2, now=later)

    (key,) = redis.keys("*")
    assert redis.zcard(key) == 3
    assert 0 < redis.pttl(key) <= TTL * 1000


def test_large_positions_are_exact(queues: PollQueues) -> None:
    queues.reset("s", LARGE)
    assert extend(queues, LARGE + 1, LARGE + 2, after=LARGE, last=LARGE + 2)
    assert positions(look(queues, LARGE + 1, least=LARGE + 2)) == [LARGE + 2]


def test_a_dropped_queue_is_none(queues: PollQueues, redis: Redis) -> None:
    queues.reset("s", 0)
    queues.drop("s")
    assert redis.keys("*") == []


def test_bodies_may_hold_anything(queues: PollQueues) -> None:
    body = b'"\xc3\xa9 : 5:mark:7\\n at:1"'
    queues.reset("s", 0)
    queues.extend("s", [Entry(position=1, at=now(), body=body)], after=0, last=1, now=now())
    assert look(queues).oldest == [(1, body)]
