"""Retention: what is over for so long that nobody may keep it is deleted.

The order-event feed (seed 002) is for ever: it has values of its own, and no addresses. Keys,
receipts, callbacks and notifications have terms of their own and are not of this.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Column, Connection, Table, and_, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from communication.bulk import among
from communication.clock import now
from communication.events.event_model import (
    COLLECTED_EVENT,
    EVENT,
    EVENT_CURSOR,
    FORWARDING,
    HEARD_EVENT,
)
from communication.events.forwarding import KEPT
from communication.events.sequencing import TOLD
from communication.model import ATTEMPT, DELIVERY, DOCUMENT, MESSAGE, RECEIVER, Status
from communication.store import Store

AT_ONCE = 200
"""Messages in one transaction; of the narrower rows, ten times as many."""

_ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

_Step = Callable[[Connection, datetime], int]


def purge(store: Store, before: datetime) -> dict[str, int]:
    """Delete what ended before then; how many of each kind. Safe while everything runs."""
    return {name: _repeat(store, step, before) for name, step in _STEPS.items()}


def purge_some(connection: Connection, before: datetime) -> int:
    """One transaction's worth of it; 0 when there is no more."""
    return sum(step(connection, before) for step in _STEPS.values())


def _repeat(store: Store, step: _Step, before: datetime) -> int:
    total = 0
    while True:
        with store.write() as connection:
            count = step(connection, before)
        if not count:
            return total
        total += count


def _messages(connection: Connection, before: datetime) -> int:
    is_over = and_(
        MESSAGE.c.updated_at < before,
        MESSAGE.c.open_count == 0,
        or_(MESSAGE.c.status.in_(_ENDED), MESSAGE.c.deleted_at.is_not(None)),
    )
    keys = _some(connection, MESSAGE, MESSAGE.c.key, is_over, AT_ONCE)
    if keys:
        _delete_messages(connection, keys)
    return len(keys)


def _delete_messages(connection: Connection, keys: Collection[int]) -> None:
    of_messages = among(connection, DELIVERY.c.message_key, keys)
    deliveries = select(DELIVERY.c.key).where(of_messages)
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.delivery_key.in_(deliveries)))
    connection.execute(delete(DELIVERY).where(of_messages))
    for table in (RECEIVER, DOCUMENT):
        connection.execute(delete(table).where(among(connection, table.c.message_key, keys)))
    connection.execute(delete(MESSAGE).where(among(connection, MESSAGE.c.key, keys)))


def _events(connection: Connection, before: datetime) -> int:
    """Those that every hub and poller has been told of."""
    cursor = select(EVENT_CURSOR.c.position).where(EVENT_CURSOR.c.name == TOLD).scalar_subquery()
    is_old = and_(EVENT.c.at < before, EVENT.c.position <= func.coalesce(cursor, 0))
    return _delete_some(connection, EVENT, EVENT.c.position, is_old)


def _heard(connection: Connection, before: datetime) -> int:
    is_old = HEARD_EVENT.c.created_at < before
    return _delete_some(connection, HEARD_EVENT, HEARD_EVENT.c.key, is_old)


def _collected(connection: Connection, before: datetime) -> int:
    """But for those that are still on their way to another collector."""
    on_its_way = select(FORWARDING.c.collected_key).where(FORWARDING.c.due_at.is_not(None))
    # Where there is no other collector, nobody ever sees to the forwarding of what is new.
    is_old = and_(
        COLLECTED_EVENT.c.created_at < before,
        or_(~COLLECTED_EVENT.c.to_forward, COLLECTED_EVENT.c.created_at < now() - KEPT),
        COLLECTED_EVENT.c.key.not_in(on_its_way),
    )
    keys = _some(connection, COLLECTED_EVENT, COLLECTED_EVENT.c.key, is_old, AT_ONCE * 10)
    if keys:
        connection.execute(
            delete(FORWARDING).where(among(connection, FORWARDING.c.collected_key, keys))
        )
        connection.execute(
            delete(COLLECTED_EVENT).where(among(connection, COLLECTED_EVENT.c.key, keys))
        )
    return len(keys)


_STEPS: dict[str, _Step] = {
    "messages": _messages,
    "events": _events,
    "heard events": _heard,
    "collected events": _collected,
}


def _delete_some(
    connection: Connection, table: Table, key: Column[int], which: ColumnElement[bool]
) -> int:
    keys = _some(connection, table, key, which, AT_ONCE * 10)
    if keys:
        connection.execute(delete(table).where(among(connection, key, keys)))
    return len(keys)


def _some(
    connection: Connection,
    table: Table,
    key: Column[int],
    which: ColumnElement[bool],
    most: int,
) -> list[int]:
    """Keys of rows that nobody else works on, in order: two who purge take different ones."""
    rows = connection.execute(
        select(key)
        .select_from(table)
        .where(which)
        .order_by(key)
        .limit(most)
        .with_for_update(skip_locked=True, of=table)
    )
    return list(rows.scalars())
