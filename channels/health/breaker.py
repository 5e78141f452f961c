"""When a failing provider is left alone, and when it is tried again (docs/provider-health.md)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from channels.errors import ProviderRests
from channels.health.identity import Identity
from channels.health.rest import Rest
from channels.health.tally import Tally
from communication import metrics

SLOW = 5.0
"""Seconds from which on a call is slow."""
LOOK_EVERY = 0.25
"""Seconds for which what other processes found is taken as known."""
PROBE_WAIT = 1.0
"""Seconds before another look while somebody probes."""
MOST_ASKED = 600.0
"""Seconds that it is left alone at most because it asked."""

log = structlog.get_logger(part="channels.health.breaker")


@dataclass(frozen=True, slots=True)
class Trial:
    """One call under way."""

    began: float
    is_probe: bool


class Breaker:
    """Of one provider; what it counts and concludes may be shared. Used by threads."""

    def __init__(
        self,
        identity: Identity,
        rest: Rest,
        tally: Tally,
        *,
        slow: float = SLOW,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`longest`: seconds that a call can take at most."""
        self._provider, self._name = identity.provider, identity.name
        self._rest = rest
        self._tally = tally
        self._slow = slow
        self._longest = longest
        self._clock = clock
        self._looked = -LOOK_EVERY
        self._until = 0.0
        self._is_probing = False
        self._recovered = 0.0
        labels = identity.medium, identity.name
        self._gauge = metrics.PROVIDER_RESTING.labels(*labels) if identity.is_shown else None
        self._show(0)

    def rests(self) -> float:
        """Seconds for which nothing is to be tried; 0: it may be."""
        self._look()
        return max(0.0, self._until - self._clock())

    def check(self) -> None:
        """ProviderRests while it does."""
        rest = self.rests()
        if rest:
            reason = f"{self._provider} rests: it failed too often, or asked to be left alone"
            raise ProviderRests(reason, retry_after=rest)

    def begin(self) -> Trial:
        """Before a call. ProviderRests if only a probe is allowed and another makes it."""
        self.check()
        if not self._is_probing:
            return Trial(self._clock(), is_probe=False)
        if not self._rest.may_probe(self._longest):
            raise ProviderRests(f"{self._provider} is being probed", retry_after=PROBE_WAIT)
        return Trial(self._clock(), is_probe=True)

    def end(self, trial: Trial, *, worked: bool, at_least: float = 0.0) -> None:
        """After a call. `at_least`: seconds that the provider asked to be left alone."""
        worked = worked and self._clock() - trial.began < self._slow
        if trial.is_probe:
            if worked:
                self._recover()
            else:
                self._open(at_least)
        elif trial.began >= self._recovered and self._tally.count(worked=worked):
            self._open(at_least)

    def leave(self, trial: Trial) -> None:
        """After a call of which nothing follows."""
        if trial.is_probe:
            self._rest.leave_probe()

    def rest(self, at_least: float) -> None:
        """The provider answers, but takes nothing. Longer each time, as after a failed probe."""
        self._open(at_least)
        if at_least:
            self.keep_away(at_least)

    def keep_away(self, seconds: float) -> None:
        """The provider works, and asked to be left alone."""
        self._rests_for(self._rest.keep_away(min(seconds, MOST_ASKED)))

    def _look(self) -> None:
        moment = self._clock()
        if moment - self._looked < LOOK_EVERY:
            return
        self._looked = moment
        rest, is_probing = self._rest.look()
        if self._is_probing and not is_probing:
            self._recovered = moment
        self._until, self._is_probing = moment + rest, is_probing
        self._show(1 if rest or self._is_probing else 0)

    def _open(self, at_least: float) -> None:
        rest = self._rest.begin(at_least)
        self._tally.forget()
        self._rests_for(rest)

    def _rests_for(self, rest: float) -> None:
        known, self._until = self._until, self._clock() + rest
        self._looked = self._clock()
        self._show(1)
        if known < self._clock():
            log.warning("provider rests", provider=self._name, seconds=round(rest, 1))

    def _show(self, resting: int) -> None:
        if self._gauge is not None:
            self._gauge.set(resting)

    def _recover(self) -> None:
        self._rest.end()
        self._tally.forget()
        self._until, self._is_probing = 0.0, False
        self._looked = self._recovered = self._clock()
        self._show(0)
        log.info("provider works again", provider=self._name)
