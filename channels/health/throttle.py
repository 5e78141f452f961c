"""At most so many calls a second to a provider, evenly spread, over all processes.

The generic cell rate algorithm: each call moves a theoretical arrival time on by the interval
between calls. Who comes early waits for his turn if that is near; others are put off, each to
a time of its own, one interval after the other, so that they do not all come back at once.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, cast

from redis import Redis
from redis.exceptions import RedisError

from channels.errors import RateReached
from channels.health.absence import Absence
from channels.health.identity import Identity
from channels.identifiers import digest
from communication.lanes import LANES, lane_of

PATIENCE = {"urgent": 2.0, "normal": 1.0, "bulk": 0.8}
"""Seconds for which a delivery of a lane holds a thread to wait for its turn.

Long enough for those that were put off to be there before their turn, whatever the way through
relay and broker takes: a turn that nobody takes is lost.
"""
EARLY, EARLIEST = 0.6, 0.6
"""So much of its lane's patience, but not more seconds, one that is put off comes back early."""
LATE = 0.1
"""Seconds after which a turn that was overslept is lost: else a process that stood still would
send all that waited in it at once."""
LONGEST = 600.0
"""Seconds for which one is put off at most."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second, and how many may go at once after a lull."""

    per_second: float
    burst: int = 1

    @property
    def interval(self) -> float:
        """Seconds between calls."""
        return 1 / self.per_second


class Turns(Protocol):
    """Hands out turns."""

    def take(self, lane: str, patience: float) -> tuple[bool, float]:
        """A turn, and in how many seconds it is; or none, and when to ask again."""
        ...


class LocalTurns:
    """Of this process."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._interval = rate.interval
        self._tolerance = (rate.burst - 1) * rate.interval
        self._arrival = 0.0
        self._put_off = dict.fromkeys(LANES, 0.0)

    def take(self, lane: str, patience: float) -> tuple[bool, float]:
        """From memory."""
        with self._lock:
            moment = self._clock()
            arrival = max(self._arrival, moment)
            wait = max(0.0, arrival - self._tolerance - moment)
            if wait <= patience:
                self._arrival = arrival + self._interval
                return True, wait
            again = max(self._put_off[lane], moment + wait) + self._interval
            if again - moment <= LONGEST:
                self._put_off[lane] = again
            return False, again - moment - early(patience)


def early(patience: float) -> float:
    """Seconds before its turn that one is back who has this patience."""
    return min(EARLY * patience, EARLIEST)


_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local patience, longest = tonumber(ARGV[3]), tonumber(ARGV[4])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(0, arrival - tolerance - now)
local function keep(key, moment)
  redis.call('SET', key, string.format('%.0f', moment), 'PX',
             math.ceil((moment - now) / 1000) + 1000)
end
if wait <= patience then
  keep(KEYS[1], arrival + interval)
  return {1, math.floor(wait)}
end
local again = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now + wait) + interval
if again - now <= longest then keep(KEYS[2], again) end
return {0, math.floor(again - now - tonumber(ARGV[5]))}
"""


class SharedTurns:
    """Of all processes. While Redis is away, each keeps to the whole rate by itself."""

    def __init__(self, redis: Redis, provider: str, rate: Rate) -> None:
        self._name = f"tidings:provider:{{{digest(provider, 12)}}}"
        self._take = redis.register_script(_TAKE)
        self._own = LocalTurns(rate)
        self._rate = rate
        self._absence = Absence()

    def take(self, lane: str, patience: float) -> tuple[bool, float]:
        """From Redis, in one step."""
        if self._absence.lasts:
            return self._own.take(lane, patience)
        interval = self._rate.interval
        tolerance = (self._rate.burst - 1) * interval
        times = (interval, tolerance, patience, LONGEST, early(patience))
        keys = [f"{self._name}:arrival", f"{self._name}:put-off:{lane}"]
        try:
            answer = self._take(keys=keys, args=[round(one * 1_000_000) for one in times])
        except RedisError as error:
            self._absence.begin(error)
            return self._own.take(lane, patience)
        granted, microseconds = cast("Any", answer)
        return bool(granted), microseconds / 1_000_000


class Throttle:
    """Of one provider."""

    def __init__(
        self,
        provider: str,
        turns: Turns,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._turns = turns
        self._sleep = sleep
        self._clock = clock

    def wait(self, priority: int) -> None:
        """Return when it is the caller's turn. RateReached if that would take long."""
        lane = lane_of(priority)
        while True:
            granted, seconds = self._turns.take(lane, PATIENCE[lane])
            if not granted:
                # Beyond the longest they all have no time of their own.
                spread = min(seconds, LONGEST * random.uniform(0.5, 1))  # noqa: S311  # no secret
                raise RateReached(f"the rate of {self._provider} is reached", retry_after=spread)
            if not seconds:
                return
            turn = self._clock() + seconds
            self._sleep(seconds)
            if self._clock() - turn <= LATE:
                return


def open_throttle(redis: Redis | None, identity: Identity, rate: Rate) -> Throttle:
    """Shared where there is a Redis."""
    turns = LocalTurns(rate) if redis is None else SharedTurns(redis, identity.key, rate)
    return Throttle(identity.provider, turns)
