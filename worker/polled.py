"""The sink that fills the queues of polled notifications."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Row

from communication import metrics
from communication.clock import now
from communication.events.told import Told
from communication.polling.handing_out import entries_of
from communication.polling.queue import Entry, PollQueues
from communication.polling.subscriptions import (
    note_queued,
    queue_of,
    subscriptions_of,
    wanted_types,
)

REST = 5.0
"""Seconds for which a Redis that is away is not asked again."""
MOST_BYTES = 16 * 1024 * 1024
"""Of notifications that are sent to Redis together, and a bit."""

log = structlog.get_logger(part="worker.polled")


class PolledNotifications:
    """Puts into the queues what subscriptions want; shared by threads.

    Never fails for want of Redis: what a queue lacks its reader brings back, as the position up
    to which it was told is in the database.
    """

    def __init__(self, redis: Redis, *, ttl: float) -> None:
        self._queues = PollQueues(redis, ttl=ttl)
        self._rests_until = 0.0

    def wants(self, connection: Connection) -> Mapping[str, set[str]]:
        """The event types of all subscriptions, by tenant."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for tenant, types in wanted_types(connection):
            wanted[tenant].update(types)
        return wanted

    def put(self, connection: Connection, told: Sequence[Told]) -> None:
        """Add what each subscription wants to its queue."""
        rows = subscriptions_of(connection, {one.tenant for one in told})
        types = {(row.tenant, name) for row in rows for name in row.event_type_ids}
        by_type: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for one in told:
            if (one.tenant, one.type) in types:
                by_type[one.tenant, one.type] += entries_of([one])
        wanted = [(row, own) for row in rows if (own := _wanted(row, by_type))]
        if wanted:
            self._extend(wanted)
            note_queued(connection, {row.key: own[-1].position for row, own in wanted})

    def _extend(self, wanted: Sequence[tuple[Row[Any], list[Entry]]]) -> None:
        if time.monotonic() < self._rests_until:
            return
        try:
            self._send(wanted)
        except RedisError as error:
            self._rests_until = time.monotonic() + REST
            metrics.POLL_QUEUES_FAILED.inc()
            log.warning("Redis is away, notifications wait in the database", why=repr(error))

    def _send(self, wanted: Sequence[tuple[Row[Any], list[Entry]]]) -> None:
        pipeline, moment, size = self._queues.pipeline(), now(), 0
        for row, own in wanted:
            last = own[-1].position
            self._queues.extend_later(
                pipeline, queue_of(row), own, after=row.queued, last=last, now=moment
            )
            size += sum(len(one.body) for one in own)
            if size > MOST_BYTES:
                pipeline.execute()
                size = 0
        pipeline.execute()


def _wanted(row: Row[Any], told: Mapping[tuple[str, str], Sequence[Entry]]) -> list[Entry]:
    """What a subscription is to hear, in order."""
    own = [
        one
        for event_type in row.event_type_ids
        for one in told.get((row.tenant, event_type), ())
        if one.position > row.created_position
    ]
    return sorted(own, key=lambda one: one.position)
