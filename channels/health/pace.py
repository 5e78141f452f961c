"""How fast a provider can be asked, learnt from its saying when that is too fast.

Each process learns by itself what it may have of the provider: what the provider took in the
last second, less a margin, is its rate from then on. The rate grows until the provider says so
again, or for so long that there is no limit any more.
"""

import time
from collections.abc import Callable
from threading import Lock

import structlog

from channels.health.throttle import LocalTurns, Rate

SHARE = 0.8
"""Of what the provider took in the last second, that it is asked from then on."""
LEAST = 0.1
"""Calls a second, at least."""
DOUBLES_IN, DOUBLES_AT_FIRST_IN = 10.0, 2.0
"""Seconds without another complaint in which the rate doubles; the second where it is a guess,
as the provider had only just been asked for the first time."""
FREE_AFTER = 60.0
"""Seconds without another complaint after which there is no rate."""
_SAME = 1.0
"""Seconds in which complaints are of calls that were made before the first."""

log = structlog.get_logger(part="channels.health.pace")


class Pace:
    """Turns, of one provider in this process. Shared by threads."""

    def __init__(self, provider: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._lock = Lock()
        self._second = 0
        self._taken = self._taken_before = 0
        self._rate, self._doubles_in = 0.0, DOUBLES_IN
        self._slowed: float | None = None
        self._turns = LocalTurns(Rate(LEAST), clock)

    def take(self, lane: str, patience: float) -> tuple[bool, float]:
        """At once, unless the provider complained lately."""
        slowed = self._slowed
        if slowed is None:
            return True, 0.0
        since = self._clock() - slowed
        if since > FREE_AFTER:
            self._slowed = None
            return True, 0.0
        self._turns.change(Rate(self._rate * 2 ** (since / self._doubles_in)))
        return self._turns.take(lane, patience)

    def accepted(self) -> None:
        """The provider took one."""
        with self._lock:
            self._turn_second()
            self._taken += 1

    def complained(self) -> None:
        """The provider said that it is asked too fast."""
        moment = self._clock()
        with self._lock:
            if self._slowed is not None and moment - self._slowed < _SAME:
                return
            known, self._slowed = self._slowed, moment
            self._rate = max(LEAST, SHARE * self._recent(moment))
            self._doubles_in = DOUBLES_IN if self._taken_before else DOUBLES_AT_FIRST_IN
            self._turns = LocalTurns(Rate(self._rate), self._clock)
            self._turns.take("normal", 0.0)  # this moment's is over
        if known is None:
            rate = round(self._rate, 1)
            log.warning("provider wants fewer", provider=self._provider, per_second=rate)

    def _recent(self, moment: float) -> float:
        """How many it took in the last second: all of this one, the rest's share of the other."""
        self._turn_second()
        return self._taken + self._taken_before * (1 - moment % 1)

    def _turn_second(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._taken_before = self._taken if second == self._second + 1 else 0
            self._second, self._taken = second, 0
