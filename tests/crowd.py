"""Counts who is at the same place at the same time."""

from threading import Condition
from types import TracebackType

REACHED_WITHIN, LINGER = 20.0, 0.01


class Crowd:
    """Entered by many threads: `most` is how many of them were ever inside at once.

    Each stays until `bound` are inside, and then until there is one more, or for `LINGER` seconds:
    whoever is let in above the bound is seen.
    """

    def __init__(self, bound: int) -> None:
        self.most = 0
        self._bound = bound
        self._inside = 0
        self._changed = Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._bound, REACHED_WITHIN)
            self._changed.wait_for(lambda: self.most > self._bound, LINGER)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._inside -= 1
