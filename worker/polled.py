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
from communication.poll_queue import PollQueues
from communication.polling import entries_of
from communication.subscriptions import list_subscriptions, note_queued
from communication.told import Told

REST = 5.0
"""Seconds for which a Redis that is away is not asked again."""

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
        for row in list_subscriptions(connection):
            wanted[row.tenant].update(row.event_type_ids)
        return wanted

    def put(self, connection: Connection, told: Sequence[Told]) -> None:
        """Add what each subscription wants to its queue."""
        by_type: dict[tuple[str, str], list[Told]] = defaultdict(list)
        for one in told:
            by_type[one.tenant, one.type].append(one)
        wanted = []
        for row in list_subscriptions(connection):
            own = _wanted(row, by_type)
            if own:
                wanted.append((row, own))
        if wanted:
            self._extend(wanted)
            note_queued(connection, {row.key: own[-1].position for row, own in wanted})

    def _extend(self, wanted: Sequence[tuple[Row[Any], list[Told]]]) -> None:
        if time.monotonic() < self._rests_until:
            return
        pipeline = self._queues.pipeline()
        for row, own in wanted:
            last = own[-1].position
            self._queues.extend_later(
                pipeline, row.id, entries_of(own), after=row.queued, last=last, now=now()
            )
        try:
            pipeline.execute()
        except RedisError as error:
            self._rests_until = time.monotonic() + REST
            metrics.POLL_QUEUES_FAILED.inc()
            log.warning("Redis is away, notifications wait in the database", why=repr(error))


def _wanted(row: Row[Any], told: Mapping[tuple[str, str], Sequence[Told]]) -> list[Told]:
    """What a subscription is to hear, in order."""
    own = [
        one
        for event_type in row.event_type_ids
        for one in told.get((row.tenant, event_type), ())
        if one.position > row.created_position
    ]
    return sorted(own, key=lambda one: one.position)
