"""Redis being away: remembered, so that not every send waits to find it out anew."""

import time

import structlog
from redis.exceptions import RedisError

PAUSE = 5.0
"""Seconds for which it is not asked again."""

log = structlog.get_logger(part="channels.health.absence")


class Absence:
    """Shared by threads."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Whether it was away just now."""
        return time.monotonic() < self._until

    def begin(self, error: RedisError) -> None:
        """It is away."""
        if not self.lasts:
            log.warning("redis is away, this process is on its own", why=type(error).__name__)
        self._until = time.monotonic() + PAUSE
