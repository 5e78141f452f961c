"""How much work waits in the database, and for how long: a few short looks at an index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select, union_all

from communication import clock
from communication.lanes import CHANNELS, LANES
from communication.model import DELIVERY, State

MOST_COUNTED = 10_000
"""Of one channel and priority, so that a look costs the same whatever waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """What of a channel and lane is due and with no worker."""

    channel: str
    lane: str
    waiting: int
    """Counted up to MOST_COUNTED of each priority."""
    age: float
    """Seconds that the longest waiting of them has been due; 0 when nothing waits."""


def queue_status(connection: Connection, *, now: datetime) -> list[QueueStatus]:
    """The state of every channel and lane."""
    rows = connection.execute(union_all(*_looks(now)))
    return [
        QueueStatus(
            channel=channel,
            lane=lane,
            waiting=waiting,
            age=(now - since).total_seconds() if since else 0.0,
        )
        for channel, lane, waiting, since in rows
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
    return select(
        literal(channel), literal(lane), func.count(), func.min(due.c.due_at)
    ).select_from(due)


def _due(channel: str, priority: int, now: datetime) -> Select[Any]:
    ordered = (
        select(DELIVERY.c.due_at)
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
    return select(ordered.c.due_at)
