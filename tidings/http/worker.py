"""gunicorn's threaded worker, with its connections spread evenly over the processes."""

import time
from multiprocessing import RawArray
from typing import Any

from tidings.http.intake import Intake

PATIENCE = 0.02
"""Seconds for which a new connection is left to a process that has fewer of them."""
LOOK_EVERY = 0.001
"""Seconds between looks whether it has been taken."""
_LEAD = 8
"""One connection in so many may be had beyond the others: a flood is not parted one by one."""
_FREE = -1
_RETIRED = 2**31 - 1
_SPARE = 16


class Seats:
    """How many connections each worker process has, in memory that all of them see.

    Kept-alive connections stay where they were accepted, and whoever wakes up first accepts:
    left alone, one process often serves nearly all of them, on one core.
    """

    def __init__(self, processes: int) -> None:
        # While workers are replaced, the old ones are still there.
        self._counts = RawArray("i", [_FREE] * (2 * processes + _SPARE))

    def claim(self) -> int:
        """A place for a worker process that is about to be forked."""
        place = list(self._counts).index(_FREE)
        self._counts[place] = 0
        return place

    def leave(self, place: int) -> None:
        """The process has ended."""
        self._counts[place] = _FREE

    def retire(self, place: int) -> None:
        """The process takes no more connections."""
        self._counts[place] = _RETIRED

    def __setitem__(self, place: int, count: int) -> None:
        self._counts[place] = count

    def least(self) -> int:
        """The fewest that any process has."""
        return min(int(count) for count in self._counts if count != _FREE)


class HttpWorker(Intake):
    """A worker process. `seats` is shared with the others."""

    seats: Seats

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.place = self.seats.claim()
        self._connections = 0
        self._left_at: float | None = None
        self._offered = False
        self.alive = True
        super().__init__(*args, **kwargs)

    @property
    def nr_conns(self) -> int:
        """How many connections are open here."""
        return self._connections

    @nr_conns.setter
    def nr_conns(self, count: int) -> None:
        self._connections = count
        if self.alive:
            self.seats[self.place] = count

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Told to stop: what is in flight ends, nothing more is accepted."""
        super().handle_exit(sig, frame)
        self.seats.retire(self.place)

    def accept(self, listener: Any) -> None:
        """Accept, unless another process has fewer connections and takes it in time."""
        lead = self.nr_conns // _LEAD
        fair = self.seats.least() + lead
        if self.nr_conns > fair and self._leaves_it():
            self.set_accept_enabled(enabled=False)  # until the next round of the loop
            return
        self._left_at = None
        fair = max(fair, self.nr_conns + lead)
        while self.admit(listener) and self.nr_conns < fair:
            continue

    def _leaves_it(self) -> bool:
        self._offered = True
        self._left_at = self._left_at or time.monotonic()
        return time.monotonic() - self._left_at < PATIENCE

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the loop; a short one while a connection is left to another process."""
        self._offered = False
        super().wait_for_and_dispatch_events(LOOK_EVERY if self._left_at else timeout)
        if not self._offered:
            self._left_at = None
