"""Due work: how it is claimed, taken, renewed and let go (docs/decisions/0001).

Every function takes the table of any model with the DueWork columns. `due_at` doubles as
the lease's end: a claim moves it into the future, and work whose lease has run out is
simply due again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Row,
    Table,
    Update,
    bindparam,
    case,
    exists,
    literal,
    select,
    union_all,
    update,
)

from communication.bulk import among, among_named
from communication.lanes import LANES
from communication.model import State


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Work that the relay holds and will tell a worker about."""

    key: int
    priority: int
    lost: int
    """How many workers vanished while they had it."""


def claim(
    connection: Connection,
    table: Table,
    *,
    channel: str,
    priorities: Sequence[int],
    limit: int,
    lease: str,
    now: datetime,
    until: datetime,
) -> list[Claimed]:
    """Lease at most `limit` due rows of a channel to the relay, by (priority, due time).

    One index range per priority, in order: scheduled work of a higher priority is never
    walked over. Rows that another relay is claiming are passed by.
    """
    asked = {"channel": channel, "now": now, "most": limit}
    picked = connection.execute(_claimable(table, tuple(priorities)), asked).all()
    claimed = [
        Claimed(key=row.key, priority=row.priority, lost=row.lost + (row.state == State.SENDING))
        for row in picked
    ]
    if not claimed:
        return []
    connection.execute(
        update(table)
        .where(among(connection, table.c.key, [one.key for one in claimed]))
        .values(
            lease=lease,
            due_at=until,
            lost=table.c.lost + case((table.c.state == State.SENDING, 1), else_=0),
            state=State.PENDING,
        )
    )
    return claimed


def take(
    connection: Connection,
    table: Table,
    keys: Iterable[int],
    *,
    relayed: str,
    lease: str,
) -> Sequence[Row[Any]]:
    """Make what the relay holds under `relayed` the worker's own, and return the rows.

    A new lease, not the relay's: when the broker delivers the same message twice, the
    second worker finds nothing. `due_at`, the lease's end, stays: no index is touched.
    """
    given = {"keys": list(keys), "relayed": relayed, "own": lease}
    return connection.execute(_taking(connection.dialect.name, table), given).all()


def renew(
    connection: Connection, table: Table, keys: Iterable[int], *, lease: str, until: datetime
) -> None:
    """Keep what a worker still works at."""
    connection.execute(
        update(table)
        .where(among(connection, table.c.key, keys), table.c.lease == lease)
        .values(due_at=until)
    )


def release(
    connection: Connection, table: Table, keys: Sequence[int], *, lease: str, now: datetime
) -> None:
    """Give back what was not begun: it is due at once, and no try was spent on it."""
    if not keys:
        return
    connection.execute(
        update(table)
        .where(among(connection, table.c.key, keys), table.c.lease == lease)
        .values(lease=None, due_at=now, state=State.PENDING)
    )


def free_all(connection: Connection, table: Table, *, now: datetime) -> int:
    """Let go of every lease: only for a process that is alone, when it starts."""
    freed = connection.execute(
        update(table)
        .where(table.c.due_at.is_not(None), table.c.lease.is_not(None))
        .values(lease=None, due_at=now)
    )
    return freed.rowcount


def waiting(
    connection: Connection, table: Table, channels: Iterable[str], *, now: datetime
) -> set[tuple[str, int]]:
    """The (channel, priority) pairs that have anything due: one short look per pair."""
    looks = connection.execute(_looks(table, tuple(channels)), {"now": now})
    return {(channel, priority) for channel, priority in looks}


@lru_cache
def _taking(dialect: str, table: Table) -> Update:
    return (
        update(table)
        .where(among_named(dialect, table.c.key), table.c.lease == bindparam("relayed"))
        .values(lease=bindparam("own"), state=State.SENDING)
        .returning(*table.c)
    )


@lru_cache
def _claimable(table: Table, priorities: tuple[int, ...]) -> CompoundSelect[Any]:
    due = table.c
    ranges = [
        select(due.key, due.priority, due.lost, due.state)
        .where(
            due.channel == bindparam("channel"),
            due.priority == priority,
            due.due_at <= bindparam("now"),
            due.state != State.SENT,
        )
        .order_by(due.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .subquery()
        for priority in priorities
    ]
    return union_all(*[select(one) for one in ranges]).limit(bindparam("most"))


@lru_cache
def _looks(table: Table, channels: tuple[str, ...]) -> CompoundSelect[Any]:
    return union_all(
        *[
            select(literal(channel), literal(priority)).where(
                exists().where(
                    table.c.channel == channel,
                    table.c.priority == priority,
                    table.c.due_at <= bindparam("now"),
                    table.c.state != State.SENT,
                )
            )
            for channel in channels
            for priorities in LANES.values()
            for priority in priorities
        ]
    )
