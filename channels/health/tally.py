"""How many of a provider's last calls failed: of all processes, through Redis; else of this one."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, cast

from redis import Redis
from redis.exceptions import RedisError

from channels.health.absence import Absence
from channels.health.identity import Identity
from channels.identifiers import digest

WINDOW = 10
"""Seconds that are looked back."""
LEAST = 20
"""Calls in them, below which nothing is concluded."""
SHARE = 0.5
"""Of failed or slow calls, from which on they are too many."""
TELL_EVERY = 0.25
"""Seconds for which calls are counted before the other processes are told of them."""


def too_many(made: int, failed: int) -> bool:
    """Whether so many calls failed that the provider is to be left alone."""
    return made >= LEAST and failed >= SHARE * made


class Tally(Protocol):
    """Counts the calls to one provider. Shared by threads."""

    def count(self, *, worked: bool) -> bool:
        """One more call; whether too many have failed now. A call that worked never says so."""
        ...

    def forget(self) -> None:
        """Begin anew."""
        ...


class LocalTally:
    """Of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets = [[0, 0, 0] for _ in range(WINDOW)]

    def count(self, *, worked: bool) -> bool:
        """In memory."""
        second = int(self._clock())
        with self._lock:
            bucket = self._buckets[second % WINDOW]
            if bucket[0] != second:
                bucket[:] = [second, 0, 0]
            bucket[1] += 1
            if worked:
                return False
            bucket[2] += 1
            recent = [one for one in self._buckets if one[0] > second - WINDOW]
            return too_many(sum(one[1] for one in recent), sum(one[2] for one in recent))

    def forget(self) -> None:
        """In memory."""
        with self._lock:
            self._buckets = [[0, 0, 0] for _ in range(WINDOW)]


_COUNT = """
local second, window = tonumber(redis.call('TIME')[1]), tonumber(ARGV[3])
local sums = {made = 0, failed = 0}
for place, kind in ipairs({'made', 'failed'}) do
  if ARGV[place] ~= '0' then redis.call('HINCRBY', KEYS[1], second .. kind, ARGV[place]) end
end
redis.call('EXPIRE', KEYS[1], window)
local found = redis.call('HGETALL', KEYS[1])
for at = 1, #found, 2 do
  local one, kind = string.match(found[at], '(%d+)(%a+)')
  if tonumber(one) > second - window then
    sums[kind] = sums[kind] + tonumber(found[at + 1])
  else
    redis.call('HDEL', KEYS[1], found[at])
  end
end
return {sums.made, sums.failed}
"""


class SharedTally:
    """Of all processes. While Redis is away, each goes by its own calls.

    The others are told four times a second at most, and at once of what could make a
    difference: a failure with which, by what is known, too many have failed.
    """

    def __init__(
        self, redis: Redis, provider: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = f"tidings:provider:{{{digest(provider, 12)}}}:calls"
        self._redis = redis
        self._count = redis.register_script(_COUNT)
        self._own = LocalTally(clock)
        self._absence = Absence()
        self._clock = clock
        self._lock = Lock()
        self._known = (0, 0)
        self._untold = [0, 0]
        self._told = clock() - TELL_EVERY

    def count(self, *, worked: bool) -> bool:
        """In Redis, as soon as it matters."""
        if self._absence.lasts:
            return self._own.count(worked=worked)
        with self._lock:
            self._untold[0] += 1
            if not worked:
                self._untold[1] += 1
            if not self._is_to_be_told(worked=worked):
                return False
            telling, self._untold = self._untold, [0, 0]
            self._told = self._clock()
        try:
            self._known = self._tell(telling)
        except RedisError as error:
            self._absence.begin(error)
            return self._own.count(worked=worked)
        return not worked and too_many(*self._known)

    def forget(self) -> None:
        """In Redis."""
        self._own.forget()
        with self._lock:
            self._known, self._untold = (0, 0), [0, 0]
        if self._absence.lasts:
            return
        try:
            self._redis.delete(self._key)
        except RedisError as error:
            self._absence.begin(error)

    def _is_to_be_told(self, *, worked: bool) -> bool:
        if self._clock() - self._told >= TELL_EVERY:
            return True
        (made, failed), (more, more_failed) = self._known, self._untold
        return not worked and too_many(made + more, failed + more_failed)

    def _tell(self, calls: list[int]) -> tuple[int, int]:
        made, failed = cast("Any", self._count(keys=[self._key], args=[*calls, WINDOW]))
        return made, failed


def open_tally(redis: Redis | None, identity: Identity) -> Tally:
    """What is shared where there is a Redis."""
    return LocalTally() if redis is None else SharedTally(redis, identity.key)
