"""When a callback is tried again, and how long a failing hub rests: decisions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

JITTER = 0.2
"""A wait is up to this share longer, so that not everything comes back at once."""
LONGEST_REST = 600.0
"""Seconds after which a failing hub is tried again at the latest."""
_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The waits after the first, second … failed try, in seconds, and the highest Retry-After."""

    waits: Sequence[float]
    cap: float

    def next_try(
        self, attempts: int, retry_after: float, *, now: datetime, jitter: float
    ) -> datetime | None:
        """When to try again after the failure number `attempts`, None if never.

        `jitter` is 0 to 1. What the listener asked for is a lower bound, clamped.
        """
        if attempts > len(self.waits):
            return None
        wait = self.waits[attempts - 1] * (1 + JITTER * jitter)
        return now + timedelta(seconds=max(wait, min(retry_after, self.cap)))

    def rest(
        self, failing_since: datetime, retry_after: float, *, now: datetime, jitter: float
    ) -> datetime:
        """Until when to leave a failing hub alone.

        It grows with the time that the hub has been failing, so that a short absence is over
        soon and a long one costs few tries; not beyond LONGEST_REST.
        """
        shortest, longest = min(self.waits, default=0.0), max(self.waits, default=0.0)
        failing_for = max(0.0, (now - failing_since).total_seconds())
        wait = max(shortest, min(failing_for * _SHARE, longest, LONGEST_REST))
        wait = max(wait * (1 + JITTER * jitter), min(retry_after, self.cap))
        return now + timedelta(seconds=wait)
