"""What is due to a hub, with all that posting it needs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from communication.bulk import among
from communication.hubs.callbacks import open_of
from communication.hubs.listener_model import CALLBACK, CALLBACK_BODY
from communication.hubs.registration import signing_secrets
from worker.hubs.post import Job, Listener

MOST_BYTES = 8 * 1024 * 1024
"""Of bodies that one hub has in memory."""

_HEADS: Select[Any] = (
    select(
        CALLBACK.c.key,
        CALLBACK.c.event_id,
        CALLBACK.c.event_position,
        CALLBACK.c.attempts,
        CALLBACK_BODY.c.type,
        CALLBACK_BODY.c.size,
    )
    .join(CALLBACK_BODY, CALLBACK_BODY.c.event_position == CALLBACK.c.event_position)
    .order_by(CALLBACK.c.due_at, CALLBACK.c.event_position)
)


def listener_of(hub: Row[Any], moment: datetime) -> Listener:
    """A hub's row as what is posted to."""
    return Listener(
        key=hub.key,
        id=hub.id,
        tenant=hub.tenant,
        url=hub.callback,
        query=hub.query,
        secrets=signing_secrets(hub, moment),
    )


def due_jobs(connection: Connection, hub_key: int, *, most: int, now: datetime) -> list[Job]:
    """At most that many, and no more than fit into memory: first due first, then by position."""
    heads = connection.execute(
        _HEADS.where(*open_of(hub_key), CALLBACK.c.due_at <= now).limit(most)
    ).all()
    fitting = _fitting(heads)
    position = CALLBACK_BODY.c.event_position
    wanted = among(connection, position, [row.event_position for row in fitting])
    bodies = connection.execute(select(position, CALLBACK_BODY.c.body).where(wanted))
    texts = {row.event_position: row.body for row in bodies}
    return [
        Job(
            key=row.key,
            position=row.event_position,
            event_id=row.event_id,
            event_type=row.type,
            attempts=row.attempts,
            body=texts[row.event_position],
        )
        for row in fitting
    ]


def _fitting(heads: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """The first of them, and as many more as fit."""
    total = 0
    for count, row in enumerate(heads):
        total += row.size
        if count and total > MOST_BYTES:
            return heads[:count]
    return heads
