"""How fast a provider can be asked, learnt from its saying when that is too fast.

Each process learns by itself what it may have of the provider: what the provider took in the
last second, less a margin, is its rate from then on. The rate grows until the provider says so
again, or for so long that there is no limit any more.
"""

import time
from collections.abc import Callable
from math import log, log2
from threading import Lock

import structlog

from channels.health.identity import Identity
from channels.health.throttle import early
from communication import metrics
from communication.lanes import LANES

SHARE = 0.8
"""Of what the provider took in the last second, that it is asked from then on."""
LEAST = 0.2
"""Calls a second, at least."""
DOUBLES_IN, DOUBLES_AT_FIRST_IN = 10.0, 2.0
"""Seconds without another complaint in which the rate doubles; the second where it is a guess,
as the provider had only just been asked for the first time."""
FREE_AFTER = 60.0
"""Seconds without another complaint after which there is no rate."""
IN_VAIN = 3
"""Complaints in a row, with nothing taken in between, from which on a pace is of no use."""
_SAME = 1.0
"""Seconds in which complaints are of calls that were made before the first."""

logger = structlog.get_logger(part="channels.health.pace")


class Pace:
    """Turns, of one provider in this process. Shared by threads.

    They are numbered from the last complaint on, and come the faster the later they are.
    """

    def __init__(self, identity: Identity, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = identity.name
        self._clock = clock
        self._lock = Lock()
        self._second = 0
        self._taken = self._taken_before = 0
        self._rate, self._doubles_in = LEAST, DOUBLES_IN
        self._slowed: float | None = None
        self._next = 0.0
        self._put_off = dict.fromkeys(LANES, 0.0)
        self._complaints = 0
        labels = identity.medium, identity.name
        self._gauge = metrics.PROVIDER_PACE.labels(*labels) if identity.is_shown else None
        self._show(0)

    @property
    def is_in_vain(self) -> bool:
        """Whether the provider takes nothing, however slowly it is asked."""
        return self._complaints >= IN_VAIN

    def take(self, lane: str, patience: float) -> tuple[bool, float]:
        """At once, unless the provider complained lately."""
        if self._slowed is None:
            return True, 0.0
        with self._lock:
            since = self._clock() - self._slowed
            if since > FREE_AFTER:
                self._slowed = None
                self._show(0)
                return True, 0.0
            turn = max(self._next, self._turn_at(since))
            wait = max(0.0, self._time_of(turn) - since)
            if wait <= patience:
                self._next = turn + 1
                return True, wait
            self._put_off[lane] = again = max(self._put_off[lane], turn) + 1
            back = min(self._time_of(again) - early(patience), FREE_AFTER)
            return False, max(back - since, patience)

    def accepted(self) -> None:
        """The provider took one."""
        with self._lock:
            self._turn_second()
            self._taken += 1
            if self._complaints >= IN_VAIN:
                # All that waited meanwhile would meet the same limit at once.
                self._slow_down(self._clock())
            self._complaints = 0

    def complained(self) -> None:
        """The provider said that it is asked too fast."""
        moment = self._clock()
        with self._lock:
            if self._slowed is not None and moment - self._slowed < _SAME:
                return
            known = self._slowed
            self._complaints += 1
            self._slow_down(moment)
        if known is None:
            rate = round(self._rate, 1)
            logger.warning("provider wants fewer", provider=self._name, per_second=rate)

    def _slow_down(self, moment: float) -> None:
        self._slowed = moment
        self._rate = max(LEAST, SHARE * self._recent(moment))
        self._doubles_in = DOUBLES_IN if self._taken_before else DOUBLES_AT_FIRST_IN
        self._next, self._put_off = 1.0, dict.fromkeys(LANES, 0.0)
        self._show(self._rate)

    def _show(self, rate: float) -> None:
        if self._gauge is not None:
            self._gauge.set(rate)

    def _turn_at(self, since: float) -> float:
        """How many turns there are in so many seconds after the complaint."""
        doubled = since / self._doubles_in
        return self._rate * self._doubles_in / log(2) * (2**doubled - 1)

    def _time_of(self, turn: float) -> float:
        """After how many seconds it comes."""
        return self._doubles_in * log2(1 + turn * log(2) / (self._rate * self._doubles_in))

    def _recent(self, moment: float) -> float:
        """How many it took in the last second: all of this one, the rest's share of the other."""
        self._turn_second()
        return self._taken + self._taken_before * (1 - moment % 1)

    def _turn_second(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._taken_before = self._taken if second == self._second + 1 else 0
            self._second, self._taken = second, 0
            if self._slowed is not None:
                doubled = (self._clock() - self._slowed) / self._doubles_in
                self._show(self._rate * 2**doubled)
