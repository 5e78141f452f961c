"""How long a provider rests: known to all processes through Redis, to this one without it."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

from redis import Redis
from redis.exceptions import RedisError

from channels.health.absence import Absence
from channels.health.identity import Identity
from channels.identifiers import digest

T = TypeVar("T")

FIRST = 5.0
LONGEST = 120.0
"""Seconds of the first rest, and of the longest: each that follows a failed probe is doubled."""
REMEMBERED = 600.0
"""Seconds after a rest in which nobody probes, until it is forgotten."""


class Rest(Protocol):
    """Of one provider: it works, rests, or has rested and is to be probed."""

    def look(self) -> tuple[float, bool]:
        """Seconds that it rests still, and whether it is to be probed."""
        ...

    def begin(self, at_least: float) -> float:
        """Let it rest, longer than last time; seconds. It rests already: what is left of it."""
        ...

    def keep_away(self, seconds: float) -> float:
        """Let it rest as long as it asks for, and no longer next time; seconds."""
        ...

    def may_probe(self, longest: float) -> bool:
        """Whether the caller is the one to probe; nobody else is for `longest` seconds."""
        ...

    def leave_probe(self) -> None:
        """It was not probed after all: another may."""
        ...

    def end(self) -> None:
        """It works."""
        ...


class LocalRest:
    """Known to this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until = self._probed = 0.0
        self._period = 0.0

    def look(self) -> tuple[float, bool]:
        """From memory."""
        with self._lock:
            return self._look()

    def begin(self, at_least: float) -> float:
        """In memory."""
        with self._lock:
            rest, _ = self._look()
            if rest:
                return rest
            doubled = min(self._period * 2, LONGEST) or FIRST
            self._period = max(doubled, min(at_least, LONGEST))
            self._until, self._probed = self._clock() + self._period, 0.0
            return self._period

    def keep_away(self, seconds: float) -> float:
        """In memory."""
        with self._lock:
            rest, _ = self._look()
            if rest < seconds:
                rest, self._until, self._probed = seconds, self._clock() + seconds, 0.0
            return rest

    def may_probe(self, longest: float) -> bool:
        """In memory."""
        with self._lock:
            if self._clock() < max(self._probed, self._until):
                return False
            self._probed = self._clock() + longest
            return True

    def leave_probe(self) -> None:
        """In memory."""
        with self._lock:
            self._probed = 0.0

    def end(self) -> None:
        """In memory."""
        with self._lock:
            self._until = self._period = self._probed = 0.0

    def _look(self) -> tuple[float, bool]:
        rest = max(0.0, self._until - self._clock())
        if self._clock() > self._until + REMEMBERED:
            self._until = self._period = 0.0
        return rest, not rest and self._until > 0


_BEGIN = """
local left = redis.call('PTTL', KEYS[1])
if left > 0 then return left end
local period = math.min(2 * tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[2]))
if period == 0 then period = tonumber(ARGV[1]) end
period = math.max(period, tonumber(ARGV[3]))
redis.call('SET', KEYS[1], '1', 'PX', period)
redis.call('SET', KEYS[2], period, 'PX', period + tonumber(ARGV[4]))
redis.call('DEL', KEYS[3])
return period
"""
_MAY_PROBE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
return redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[1]) and 1 or 0
"""
_KEEP_AWAY = """
local left, asked = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])
if left >= asked then return left end
redis.call('SET', KEYS[1], '1', 'PX', asked)
redis.call('SET', KEYS[2], redis.call('GET', KEYS[2]) or '0', 'PX', asked + tonumber(ARGV[2]))
redis.call('DEL', KEYS[3])
return asked
"""


class SharedRest:
    """Known to all processes. While Redis is away, each knows what it has found itself."""

    def __init__(self, redis: Redis, provider: str) -> None:
        name = f"tidings:provider:{{{digest(provider, 12)}}}"
        self._keys = [f"{name}:rest", f"{name}:period", f"{name}:probe"]
        self._redis = redis
        self._begin = redis.register_script(_BEGIN)
        self._keep_away = redis.register_script(_KEEP_AWAY)
        self._may_probe = redis.register_script(_MAY_PROBE)
        self._own = LocalRest()
        self._absence = Absence()

    def look(self) -> tuple[float, bool]:
        """From Redis."""
        return self._ask(self._look) or self._own.look()

    def begin(self, at_least: float) -> float:
        """In Redis."""
        own = self._own.begin(at_least)
        return self._ask(lambda: self._begin_shared(at_least)) or own

    def keep_away(self, seconds: float) -> float:
        """In Redis."""
        own = self._own.keep_away(seconds)
        arguments = [round(one * 1000) for one in (seconds, REMEMBERED)]
        left = self._ask(lambda: cast("Any", self._keep_away(keys=self._keys, args=arguments)))
        return own if left is None else left / 1000

    def may_probe(self, longest: float) -> bool:
        """In Redis."""
        arguments = [round(longest * 1000)]
        answer = self._ask(lambda: cast("Any", self._may_probe(keys=self._keys, args=arguments)))
        return self._own.may_probe(longest) if answer is None else bool(answer)

    def leave_probe(self) -> None:
        """In Redis."""
        self._own.leave_probe()
        self._ask(lambda: self._redis.delete(self._keys[2]))

    def end(self) -> None:
        """In Redis."""
        self._own.end()
        self._ask(lambda: self._redis.delete(*self._keys))

    def _look(self) -> tuple[float, bool]:
        rest, period, _ = self._keys
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.pttl(rest)
            pipeline.exists(period)
            left, known = pipeline.execute()
        return max(0, left) / 1000, left <= 0 and bool(known)

    def _begin_shared(self, at_least: float) -> float:
        times = (FIRST, LONGEST, min(at_least, LONGEST), REMEMBERED)
        arguments = [round(one * 1000) for one in times]
        return float(cast("Any", self._begin(keys=self._keys, args=arguments))) / 1000

    def _ask(self, question: Callable[[], T]) -> T | None:
        """What Redis says; None while it is away."""
        if self._absence.lasts:
            return None
        try:
            return question()
        except RedisError as error:
            self._absence.begin(error)
            return None


def open_rest(redis: Redis | None, identity: Identity) -> Rest:
    """What is shared where there is a Redis."""
    return LocalRest() if redis is None else SharedRest(redis, identity.key)
