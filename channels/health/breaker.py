"""When a failing provider is left alone, and when it is tried again (docs/provider-health.md)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import structlog

from channels.errors import ProviderRests
from channels.health.rest import Rest
from communication import metrics

WINDOW = 10
"""Seconds that are looked back."""
LEAST = 20
"""Calls in them, below which nothing is concluded."""
SHARE = 0.5
"""Of failed or slow calls, from which on the provider rests."""
SLOW = 5.0
"""Seconds from which on a call is slow."""
LOOK_EVERY = 0.25
"""Seconds for which what other processes found is taken as known."""
PROBE_WAIT = 1.0
"""Seconds before another look while somebody probes."""

log = structlog.get_logger(part="channels.health.breaker")


@dataclass(frozen=True, slots=True)
class Trial:
    """One call under way."""

    began: float
    is_probe: bool


class Breaker:
    """Of one provider, in this process; what it concludes is shared. Used by threads."""

    def __init__(
        self,
        provider: str,
        rest: Rest,
        *,
        slow: float = SLOW,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest`: seconds that a call can take at most."""
        self.provider = provider
        self._rest = rest
        self._slow = slow
        self._longest = longest
        self._clock = clock
        self._lock = Lock()
        self._buckets = [[0, 0, 0] for _ in range(WINDOW)]
        self._looked = -LOOK_EVERY
        self._until = 0.0
        self._is_probing = False
        self._gauge = metrics.PROVIDER_RESTING.labels(provider)
        self._gauge.set(0)

    def rests(self) -> float:
        """Seconds for which nothing is to be tried; 0: it may be."""
        self._look()
        return max(0.0, self._until - self._clock())

    def check(self) -> None:
        """ProviderRests while it does."""
        rest = self.rests()
        if rest:
            raise ProviderRests(f"{self.provider} rests after failures", retry_after=rest)

    def begin(self) -> Trial:
        """Before a call. ProviderRests if only a probe is allowed and another makes it."""
        self.check()
        if not self._is_probing:
            return Trial(self._clock(), is_probe=False)
        if not self._rest.may_probe(self._longest):
            raise ProviderRests(f"{self.provider} is being probed", retry_after=PROBE_WAIT)
        return Trial(self._clock(), is_probe=True)

    def end(self, trial: Trial, *, worked: bool, at_least: float = 0.0) -> None:
        """After a call. `at_least`: seconds that the provider asked to be left alone."""
        worked = worked and self._clock() - trial.began < self._slow
        if trial.is_probe:
            if worked:
                self._recover()
            else:
                self._open(at_least)
        elif self._fails(worked=worked):
            self._open(at_least)

    def _fails(self, *, worked: bool) -> bool:
        """Count a call, and whether too many have failed by now."""
        second = int(self._clock())
        with self._lock:
            bucket = self._buckets[second % WINDOW]
            if bucket[0] != second:
                bucket[:] = [second, 0, 0]
            bucket[1 if worked else 2] += 1
            if worked:
                return False
            recent = [one for one in self._buckets if one[0] > second - WINDOW]
            failed = sum(one[2] for one in recent)
            calls = failed + sum(one[1] for one in recent)
            return calls >= LEAST and failed >= SHARE * calls

    def _look(self) -> None:
        moment = self._clock()
        if moment - self._looked < LOOK_EVERY:
            return
        self._looked = moment
        rest, self._is_probing = self._rest.look()
        self._until = moment + rest
        self._gauge.set(1 if rest or self._is_probing else 0)

    def _open(self, at_least: float) -> None:
        rest = self._rest.begin(at_least)
        with self._lock:
            self._buckets = [[0, 0, 0] for _ in range(WINDOW)]
            known, self._until = self._until, self._clock() + rest
        self._looked = self._clock()
        self._gauge.set(1)
        if known < self._clock():
            log.warning("provider rests", provider=self.provider, seconds=round(rest, 1))

    def _recover(self) -> None:
        self._rest.end()
        self._until, self._is_probing = 0.0, False
        self._looked = self._clock()
        self._gauge.set(0)
        log.info("provider works again", provider=self.provider)
