"""How often a client and a tenant may call. Counted in Redis, for all processes together."""

import math
import time
from collections.abc import Sequence

import structlog
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import ConnectionPool

from api.edge import Caller
from communication import metrics
from communication.errors import TooManyRequests
from communication.settings import Settings

_PATIENCE = 0.25
"""Seconds for Redis to answer: counting must not hold up what is counted."""
_LEFT_ALONE = 5.0
"""Seconds for which a Redis that did not answer is not asked again."""
_PREFIX = "tidings:rate"

log = structlog.get_logger(part="api")


class Rates:
    """Lets a request through while its client and its tenant call within their limits.

    While Redis can't be reached all are let through, and counted as such.
    """

    def __init__(
        self,
        storage: MemoryStorage | RedisStorage,
        *,
        client: Sequence[RateLimitItem],
        tenant: Sequence[RateLimitItem],
    ) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._limits = [("client", item) for item in client] + [("tenant", item) for item in tenant]
        self._asleep_until = 0.0

    def check(self, caller: Caller) -> None:
        """TooManyRequests, with when to come again, when the caller is over a limit."""
        if not self._limits:
            return
        if time.monotonic() < self._asleep_until:
            metrics.UNCOUNTED.inc()
            return
        try:
            self._count(caller)
        except StorageError as error:
            self._asleep_until = time.monotonic() + _LEFT_ALONE
            metrics.UNCOUNTED.inc()
            log.warning("requests are not counted", why=str(error.storage_error))

    def _count(self, caller: Caller) -> None:
        for kind, item in self._limits:
            names = (caller.tenant, caller.client) if kind == "client" else (caller.tenant,)
            if not self._limiter.hit(item, kind, *names):
                metrics.REFUSED.labels(caller.tenant, "rate").inc()
                reset = self._limiter.get_window_stats(item, kind, *names).reset_time
                raise _refusal(kind, item, max(1, math.ceil(reset - time.time())))


def open_rates(settings: Settings) -> Rates:
    """As the settings say; `memory://` counts in this process."""
    storage: MemoryStorage | RedisStorage
    if settings.redis_url.startswith("memory:"):
        storage = MemoryStorage()
    else:
        pool = ConnectionPool.from_url(
            settings.redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        )
        storage = RedisStorage(
            "redis://", connection_pool=pool, key_prefix=_PREFIX, wrap_exceptions=True
        )
    return Rates(
        storage, client=_parse(settings.rate_per_client), tenant=_parse(settings.rate_per_tenant)
    )


def _parse(text: str) -> list[RateLimitItem]:
    return parse_many(text) if text else []


def _refusal(kind: str, item: RateLimitItem, seconds: int) -> TooManyRequests:
    error = TooManyRequests(
        f"this {kind} may call {item.amount} times in {item.get_expiry()} s; "
        f"come again in {seconds} s"
    )
    error.headers = {
        "Retry-After": str(seconds),
        "RateLimit-Limit": str(item.amount),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(seconds),
        "RateLimit-Policy": f'"{kind}";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"{kind}";r=0;t={seconds}',
    }
    return error
