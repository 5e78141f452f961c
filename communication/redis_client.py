"""Redis: the server that the settings name, or one in this process in the embedded mode."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from communication.settings import Settings

PATIENCE = 2.0
"""Seconds for Redis to answer."""


def open_redis(settings: Settings) -> Redis:
    """A client, shared by threads, that connects at first use.

    With `memory://` each call opens another, empty Redis: a process opens one and hands it on.
    """
    if settings.redis_url.startswith("memory:"):
        # A tenth of what a process imports, and on a real Redis for nothing.
        from fakeredis import FakeRedis, FakeServer  # noqa: PLC0415

        return FakeRedis(server=FakeServer())
    return Redis.from_url(
        settings.redis_url,
        socket_connect_timeout=PATIENCE,
        socket_timeout=PATIENCE,
        # Once, at once: a pooled connection that a restart has closed. Who waits is told soon.
        retry=Retry(NoBackoff(), 1),
    )
