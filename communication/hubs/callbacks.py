"""Callbacks: the events that hubs are to be told, and what became of them (docs/hub.md)."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from communication.bulk import among, insert_rows
from communication.clock import to_wire
from communication.encoding import to_json
from communication.hubs.listener_model import CALLBACK, CALLBACK_ATTEMPT, CALLBACK_BODY, HUB
from communication.model import State
from communication.wire.fields import present

PRIORITY = 4
"""Of every callback: DueWork asks for one, and all events of a hub are alike."""
_TIDIED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which callbacks of a hub: of one state, None: of all."""

    state: str | None
    offset: int
    limit: int


def callback_row(hub_key: int, *, position: int, event_id: str, due_at: datetime) -> dict[str, Any]:
    """A callback that is due, as its row."""
    return {
        "channel": str(hub_key),
        "priority": PRIORITY,
        "state": State.PENDING,
        "due_at": due_at,
        "attempts": 0,
        "lost": 0,
        "hub_key": hub_key,
        "event_position": position,
        "event_id": event_id,
        "created_at": due_at,
    }


def body_row(
    *, position: int, event_type: str, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """What hubs are told of one event, as its row."""
    text = to_json(body).decode()
    return {
        "event_position": position,
        "type": event_type,
        "body": text,
        "size": len(text),
        "created_at": now,
    }


def add_example(connection: Connection, hub_key: int, body: Mapping[str, Any], at: datetime) -> int:
    """Tell one hub of an event that did not happen; its position, below those of all events."""
    position = -1 - secrets.randbits(60)
    row = body_row(position=position, event_type=body["eventType"], body=body, now=at)
    insert_rows(connection, CALLBACK_BODY, [row])
    told = callback_row(hub_key, position=position, event_id=body["eventId"], due_at=at)
    insert_rows(connection, CALLBACK, [told])
    return position


def list_callbacks(
    connection: Connection, hub_key: int, wanted: Wanted
) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and the page of them in the events' order, with their attempts."""
    conditions: list[ColumnElement[bool]] = [CALLBACK.c.hub_key == hub_key]
    if wanted.state is not None:
        conditions.append(CALLBACK.c.state == wanted.state)
    total = connection.execute(select(func.count()).select_from(CALLBACK).where(*conditions))
    rows = connection.execute(
        select(CALLBACK, CALLBACK_BODY.c.type)
        .outerjoin(CALLBACK_BODY, CALLBACK_BODY.c.event_position == CALLBACK.c.event_position)
        .where(*conditions)
        .order_by(CALLBACK.c.event_position)
        .offset(wanted.offset)
        .limit(wanted.limit)
    ).all()
    attempts = _attempts(connection, [row.key for row in rows])
    return total.scalar_one(), [_represent(row, attempts.get(row.key, ())) for row in rows]


def recover(connection: Connection, hub_key: int, *, since: datetime) -> int:
    """Send again, from the first try on, what failed of the events since; how many.

    They are due since they were made, so that they go in their order.
    """
    recovered = connection.execute(
        update(CALLBACK)
        .where(
            CALLBACK.c.hub_key == hub_key,
            CALLBACK.c.state == State.FAILED,
            CALLBACK.c.created_at >= since,
        )
        .values(state=State.PENDING, due_at=CALLBACK.c.created_at, attempts=0, ended_at=None)
    )
    return recovered.rowcount


def drop_all(connection: Connection, hub_key: int) -> None:
    """Forget all that a hub was told or was to be told."""
    of_hub = CALLBACK.c.hub_key == hub_key
    attempt_of = CALLBACK_ATTEMPT.c.callback_key
    connection.execute(
        delete(CALLBACK_ATTEMPT).where(attempt_of.in_(select(CALLBACK.c.key).where(of_hub)))
    )
    connection.execute(delete(CALLBACK).where(of_hub))


def open_of(hub_key: int) -> tuple[ColumnElement[bool], ...]:
    """What holds of the callbacks of a hub that are to be tried now or later."""
    return (
        CALLBACK.c.channel == str(hub_key),
        CALLBACK.c.priority == PRIORITY,
        CALLBACK.c.due_at.is_not(None),
    )


def forget_old(connection: Connection, *, before: datetime) -> bool:
    """Delete older callbacks that ended or lost their hub, and bodies that none needs any more.

    It looks at the oldest few thousand; whether there may be more.
    """
    oldest = connection.execute(
        select(CALLBACK.c.key, CALLBACK.c.due_at, CALLBACK.c.created_at, HUB.c.key.label("hub"))
        .outerjoin(HUB, HUB.c.key == CALLBACK.c.hub_key)
        .order_by(CALLBACK.c.key)
        .limit(_TIDIED_AT_ONCE)
    ).all()
    old = [row for row in oldest if row.created_at < before]
    over = {row.key for row in old if row.due_at is None or row.hub is None}
    if over:
        attempt_of = CALLBACK_ATTEMPT.c.callback_key
        connection.execute(delete(CALLBACK_ATTEMPT).where(among(connection, attempt_of, over)))
        connection.execute(delete(CALLBACK).where(among(connection, CALLBACK.c.key, over)))
    still_needed = [row.created_at for row in oldest if row.key not in over]
    last_seen = [row.created_at for row in oldest[-1:]]
    _forget_bodies(connection, before=min([before, *(still_needed or last_seen)]))
    return len(over) == _TIDIED_AT_ONCE


def _forget_bodies(connection: Connection, *, before: datetime) -> None:
    """A body is as old as the callbacks that it is for."""
    position = CALLBACK_BODY.c.event_position
    oldest = connection.execute(
        select(position, CALLBACK_BODY.c.created_at).order_by(position).limit(_TIDIED_AT_ONCE)
    )
    over = [row.event_position for row in oldest if row.created_at < before]
    if over:
        connection.execute(delete(CALLBACK_BODY).where(among(connection, position, over)))


def _attempts(connection: Connection, keys: Sequence[int]) -> Mapping[int, list[Row[Any]]]:
    rows = connection.execute(
        select(CALLBACK_ATTEMPT)
        .where(among(connection, CALLBACK_ATTEMPT.c.callback_key, keys))
        .order_by(CALLBACK_ATTEMPT.c.key)
    )
    by_callback: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_callback[row.callback_key].append(row)
    return by_callback


def _represent(row: Row[Any], attempts: Iterable[Row[Any]]) -> dict[str, Any]:
    return present(
        eventId=row.event_id,
        eventType=row.type,
        state=row.state,
        status=row.status,
        reason=row.reason,
        createdAt=to_wire(row.created_at),
        dueAt=row.due_at and to_wire(row.due_at),
        endedAt=row.ended_at and to_wire(row.ended_at),
        attempts=[
            present(
                number=one.number,
                at=to_wire(one.at),
                outcome=one.outcome,
                status=one.status,
                reason=one.reason,
                tookMs=one.took_ms,
            )
            for one in attempts
        ],
    )
