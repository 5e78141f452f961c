"""Own faults on their way to another Event Collector, as due work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, or_, select, update

from communication import due
from communication.bulk import among, insert_rows
from communication.events.event_model import COLLECTED_EVENT, FORWARDING
from communication.lanes import DEFAULT_PRIORITY
from communication.model import State

CHANNEL = "collector"
_PRIORITY = DEFAULT_PRIORITY
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """One fault to forward. `attempts` were made before."""

    key: int
    id: str
    tenant: str
    body: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What came of a try. `due_at`: it is tried again then."""

    key: int
    state: State
    attempts: int
    status: int | None
    reason: str | None
    due_at: datetime | None


def adopt(connection: Connection, *, limit: int, now: datetime) -> int:
    """Make due work of own faults that are still to be forwarded; how many were looked at.

    Those of before KEPT are passed by: they are of a time when nothing was forwarded.
    """
    chosen = (
        select(COLLECTED_EVENT.c.key)
        .where(COLLECTED_EVENT.c.to_forward)
        .order_by(COLLECTED_EVENT.c.key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = connection.execute(chosen).scalars().all()
    if not keys:
        return 0
    rows = connection.execute(
        update(COLLECTED_EVENT)
        .where(among(connection, COLLECTED_EVENT.c.key, keys))
        .values(to_forward=False)
        .returning(COLLECTED_EVENT.c.key, COLLECTED_EVENT.c.created_at)
    )
    recent = [row.key for row in rows if row.created_at > now - KEPT]
    insert_rows(connection, FORWARDING, [_new(key, now) for key in recent])
    return len(keys)


def any_waiting(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to adopt, or due."""
    new = exists().where(COLLECTED_EVENT.c.to_forward)
    waiting = exists().where(
        FORWARDING.c.channel == CHANNEL,
        FORWARDING.c.priority == _PRIORITY,
        FORWARDING.c.due_at <= now,
    )
    return bool(connection.execute(select(or_(new, waiting))).scalar_one())


def _new(key: int, now: datetime) -> dict[str, Any]:
    return {
        "collected_key": key,
        "channel": CHANNEL,
        "priority": _PRIORITY,
        "state": State.PENDING,
        "attempts": 0,
        "lost": 0,
        "due_at": now,
        "created_at": now,
    }


def take(
    connection: Connection, *, limit: int, lease: str, now: datetime, until: datetime
) -> list[Forwarding]:
    """Lease what is due, at most so many."""
    claimed = due.claim(
        connection,
        FORWARDING,
        channel=CHANNEL,
        priorities=(_PRIORITY,),
        limit=limit,
        lease=lease,
        now=now,
        until=until,
    )
    if not claimed:
        return []
    rows = connection.execute(
        select(
            FORWARDING.c.key,
            FORWARDING.c.attempts,
            COLLECTED_EVENT.c.id,
            COLLECTED_EVENT.c.tenant,
            COLLECTED_EVENT.c.body,
        )
        .join(COLLECTED_EVENT, COLLECTED_EVENT.c.key == FORWARDING.c.collected_key)
        .where(among(connection, FORWARDING.c.key, [one.key for one in claimed]))
        .order_by(FORWARDING.c.key)
    )
    return [Forwarding(**row) for row in rows.mappings()]


def settle(
    connection: Connection, tried: Sequence[Forwarded], *, lease: str, now: datetime
) -> None:
    """Record tries; what is no longer leased under `lease` is left alone."""
    for one in tried:
        connection.execute(
            update(FORWARDING)
            .where(FORWARDING.c.key == one.key, FORWARDING.c.lease == lease)
            .values(
                lease=None,
                state=one.state,
                attempts=one.attempts,
                status=one.status,
                reason=one.reason,
                due_at=one.due_at,
                ended_at=None if one.due_at else now,
            )
        )
