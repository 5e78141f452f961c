"""Which templates ended a process lately, so that they can't do it again and again."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from worker.templates.wire import RenderJob

REMEMBERED = 60.0
"""Seconds."""
MOST_OF_MESSAGE = 3
"""After so many of one message, the rest of it fails at once."""
MOST_OF_VERSION = 10
"""After so many of one version, its other messages are tried again later."""
_MOST_KEPT = 10_000


class Strikes:
    """Shared by threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._recent: deque[tuple[float, str, int, str]] = deque(maxlen=_MOST_KEPT)

    def add(self, job: RenderJob, reason: str) -> None:
        """The job ended its process, or had to be ended."""
        with self._lock:
            self._recent.append((self._clock(), job.snapshot.version, job.group, reason))

    def suspects(self, job: RenderJob) -> bool:
        """Whether the job's version did it before."""
        return bool(self._of(job))

    def verdict(self, job: RenderJob) -> DeliveryError | None:
        """Why the job is not to be tried now; None if it may be."""
        strikes = self._of(job)
        if not strikes:
            return None
        own = [reason for _, _, group, reason in strikes if group == job.group]
        if len(own) >= MOST_OF_MESSAGE:
            return PermanentDeliveryError(own[-1])
        if len(strikes) >= MOST_OF_VERSION:
            reason = strikes[-1][3]
            return TransientDeliveryError(f"put off, for others failed: {reason}")
        return None

    def _of(self, job: RenderJob) -> list[tuple[float, str, int, str]]:
        if not self._recent:
            return []
        with self._lock:
            while self._recent and self._recent[0][0] < self._clock() - REMEMBERED:
                self._recent.popleft()
            version = job.snapshot.version
            return [one for one in self._recent if one[1] == version]
