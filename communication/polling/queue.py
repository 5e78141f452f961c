"""A subscription's notifications in Redis: ready to be handed out, and never the only copy.

A queue is one sorted set, so that Redis keeps or loses it as a whole. Its members are

    mark:<position>   with the score -inf: up to there nothing is lacking
    at:<position>     with the negated time of the event in ms: what expires first is last of these
    <position>:<body> with the position: the order in which they are handed out

Only what is not after the mark counts. Writers move it on only from where they know it stands,
so that a queue that was emptied, or lost what it held last, is seen to lack something.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline

_COMMON = """
local key = KEYS[1]
local function mark()
    local first = redis.call('ZRANGE', key, 0, 0)[1]
    return first and string.match(first, '^mark:(%d+)$')
end
local function expire(cutoff)
    for _, one in ipairs(redis.call('ZRANGEBYSCORE', key, '-' .. cutoff, '(0')) do
        local position = string.sub(one, 4)
        redis.call('ZREMRANGEBYSCORE', key, position, position)
        redis.call('ZREM', key, one)
    end
end
"""
_RESET = """
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], '-inf', 'mark:' .. ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_EXTEND = (
    _COMMON
    + """
local known, after, last, cutoff, ttl = mark(), ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not known or tonumber(known) < tonumber(after) then return 0 end
expire(cutoff)
if tonumber(known) >= tonumber(last) then return 1 end
redis.call('ZREMRANGEBYSCORE', key, '(' .. known, '+inf')
for at = 5, #ARGV, 3 do
    local position, time, body = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    if tonumber(position) > tonumber(known) then
        redis.call('ZADD', key, '-' .. time, 'at:' .. position, position, position .. ':' .. body)
    end
end
redis.call('ZREM', key, 'mark:' .. known)
redis.call('ZADD', key, '-inf', 'mark:' .. last)
redis.call('PEXPIRE', key, ttl)
return 1
"""
)
_LOOK = (
    _COMMON
    + """
local known, handed_out, least = mark(), ARGV[1], ARGV[2]
if not known then return {-1} end
if tonumber(known) < tonumber(least) then return {tonumber(known)} end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', key, '(0', handed_out)) do
    redis.call('ZREM', key, 'at:' .. string.match(one, '^%d+'), one)
end
expire(ARGV[3])
local left = redis.call('ZCOUNT', key, '(0', known)
local oldest = redis.call('ZRANGEBYSCORE', key, '(0', known, 'LIMIT', 0, ARGV[4])
return {tonumber(known), left, oldest}
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One notification. `body`: its JSON."""

    position: int
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a queue holds. `oldest`: position and body of the next notifications, in order.

    `mark`: nothing up to there is lacking; -1: there is no queue. A queue whose mark is before
    what was asked for tells nothing else.
    """

    mark: int
    left: int = 0
    oldest: Sequence[tuple[int, bytes]] = ()


class PollQueues:
    """The queues of all subscriptions, by their names; shared by threads. RedisError."""

    def __init__(self, redis: Redis, *, ttl: float) -> None:
        self._redis = redis
        self._look = redis.register_script(_LOOK)
        self._extend = redis.register_script(_EXTEND)
        self._ttl = timedelta(seconds=ttl)

    def check(self) -> None:
        """Whether Redis answers."""
        self._redis.ping()

    def look(
        self, subscription: str, *, handed_out: int, least: int, size: int, now: datetime
    ) -> Look:
        """What is left after `handed_out` and has not expired; nothing is taken.

        The queue forgets what was handed out or has expired.
        """
        asked = [handed_out, least, self._cutoff(now), size]
        answer = cast("list[Any]", self._look(keys=[_key(subscription)], args=asked))
        if len(answer) == 1:
            return Look(mark=answer[0])
        mark, left, members = answer
        return Look(mark=mark, left=left, oldest=[_parted(one) for one in members])

    def reset(self, subscription: str, mark: int) -> None:
        """Begin anew with nothing but a mark."""
        self._redis.eval(_RESET, 1, _key(subscription), mark, self._ttl_ms())

    def extend(
        self, subscription: str, entries: Iterable[Entry], *, after: int, last: int, now: datetime
    ) -> bool:
        """Add all that there is after `after` up to `last`, in order; again does no harm.

        False, and nothing is added, when the queue lacks something before.
        """
        given = self._extension(entries, after=after, last=last, now=now)
        return bool(self._extend(keys=[_key(subscription)], args=given))

    def extend_later(
        self,
        pipeline: Pipeline,
        subscription: str,
        entries: Iterable[Entry],
        *,
        after: int,
        last: int,
        now: datetime,
    ) -> None:
        """The same as one of many commands that are sent together."""
        given = self._extension(entries, after=after, last=last, now=now)
        pipeline.eval(_EXTEND, 1, _key(subscription), *given)

    def pipeline(self) -> Pipeline:
        """Commands that are sent together."""
        return self._redis.pipeline(transaction=False)

    def drop(self, subscription: str) -> None:
        """Forget a queue."""
        self._redis.delete(_key(subscription))

    def _extension(
        self, entries: Iterable[Entry], *, after: int, last: int, now: datetime
    ) -> list[Any]:
        told = chain.from_iterable((one.position, _ms(one.at), one.body) for one in entries)
        return [after, last, self._cutoff(now), self._ttl_ms(), *told]

    def _cutoff(self, now: datetime) -> int:
        return _ms(now - self._ttl)

    def _ttl_ms(self) -> int:
        return max(1, int(self._ttl.total_seconds() * 1000))


def _key(subscription: str) -> str:
    return f"tidings:notifications:{subscription}"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _parted(member: bytes) -> tuple[int, bytes]:
    position, _, body = member.partition(b":")
    return int(position), body
