"""How much work of whom waits in the database, and for how long: short looks at an index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select, union_all

from communication import clock
from communication.lanes import CHANNELS, LANES
from communication.model import DELIVERY, MESSAGE, State

MOST_COUNTED = 10_000
"""The oldest of one channel and priority, so that a look costs the same whatever waits."""
NOBODY = ""
"""The tenant of a lane in which nothing waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """What of a tenant, channel and lane is due and with no worker."""

    tenant: str
    channel: str
    lane: str
    waiting: int
    """Counted among the MOST_COUNTED oldest of each priority, whosever they are."""
    age: float
    """Seconds that the longest waiting of them has been due; 0 when nothing waits."""


def queue_status(connection: Connection, *, now: datetime) -> list[QueueStatus]:
    """The state of every channel and lane, by the tenants that have something waiting there."""
    found = [
        QueueStatus(
            tenant=tenant,
            channel=channel,
            lane=lane,
            waiting=int(waiting),
            age=(now - since).total_seconds(),
        )
        for channel, lane, tenant, waiting, since in connection.execute(union_all(*_looks(now)))
    ]
    busy = {(one.channel, one.lane) for one in found}
    return found + [
        QueueStatus(tenant=NOBODY, channel=channel, lane=lane, waiting=0, age=0.0)
        for channel in CHANNELS
        for lane in LANES
        if (channel, lane) not in busy
    ]


def count_due(connection: Connection, most: int) -> int:
    """How many deliveries are due and not sent, counted up to `most`."""
    due = (
        select(literal(1))
        .where(DELIVERY.c.due_at <= clock.now(), DELIVERY.c.state != State.SENT)
        .limit(most)
        .subquery()
    )
    return int(connection.execute(select(func.count()).select_from(due)).scalar_one())


def _looks(now: datetime) -> list[Any]:
    return [
        _look(channel, lane, priorities, now)
        for channel in CHANNELS
        for lane, priorities in LANES.items()
    ]


def _look(
    channel: str, lane: str, priorities: tuple[int, ...], now: datetime
) -> Select[*tuple[Any, ...]]:
    due = union_all(*[_due(channel, priority, now) for priority in priorities]).subquery()
    number, oldest = func.count().label("number"), func.min(due.c.due_at).label("oldest")
    # Few messages for many deliveries: only they are looked up.
    of = select(due.c.message_key, number, oldest).group_by(due.c.message_key).subquery()
    return (
        select(
            literal(channel),
            literal(lane),
            MESSAGE.c.tenant,
            func.sum(of.c.number),
            func.min(of.c.oldest),
        )
        .join_from(of, MESSAGE, MESSAGE.c.key == of.c.message_key)
        .group_by(MESSAGE.c.tenant)
    )


def _due(channel: str, priority: int, now: datetime) -> Select[Any]:
    ordered = (
        select(DELIVERY.c.due_at, DELIVERY.c.message_key)
        .where(
            DELIVERY.c.channel == channel,
            DELIVERY.c.priority == priority,
            DELIVERY.c.due_at <= now,
            DELIVERY.c.state != State.SENT,
        )
        .order_by(DELIVERY.c.due_at)
        .limit(MOST_COUNTED)
        .subquery()
    )
    return select(ordered)
