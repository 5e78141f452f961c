"""Batches run side by side, but one that may kill its worker runs alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Isolation:
    """Shared by all batches of a worker process.

    A delivery whose workers have vanished has its last chance with nothing else in flight, so
    that only what kills workers is failed for it, and not its neighbours.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._running = 0
        self.suspects = 0
        """How many run, or wait to run, alone."""

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """Run with others, when no suspect runs or waits to."""
        with self._changed:
            self._changed.wait_for(lambda: not self.suspects)
            self._running += 1
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run when all others have ended; nothing else begins meanwhile."""
        with self._changed:
            self.suspects += 1
            self._changed.wait_for(lambda: not self._running)
            self._running += 1
        try:
            yield
        finally:
            self._end(suspects=1)

    def _end(self, *, suspects: int = 0) -> None:
        with self._changed:
            self._running -= 1
            self.suspects -= suspects
            self._changed.notify_all()
