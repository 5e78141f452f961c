"""Deliveries of one message as its clients see them (docs/tmf681.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from communication.bulk import among
from communication.clock import to_wire
from communication.ids import delivery_id
from communication.model import DELIVERY, RECEIVER
from communication.wire.fields import present
from communication.wire.representation import Head

_COLUMNS = select(
    DELIVERY.c.key,
    DELIVERY.c.send,
    DELIVERY.c.ordinal,
    DELIVERY.c.state,
    DELIVERY.c.attempts,
    DELIVERY.c.reason,
    DELIVERY.c.reference,
    DELIVERY.c.template_version,
    DELIVERY.c.segments,
    DELIVERY.c.created_at,
    DELIVERY.c.ended_at,
    DELIVERY.c.due_at,
    RECEIVER.c.id.label("receiver_id"),
    RECEIVER.c.name,
    RECEIVER.c.email,
    RECEIVER.c.phone,
    RECEIVER.c.app_user_id,
).join_from(DELIVERY, RECEIVER, RECEIVER.c.key == DELIVERY.c.receiver_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries of a message: of one state, of one send; None: of all."""

    state: str | None
    send: int | None
    offset: int
    limit: int


def list_deliveries(
    connection: Connection, head: Head, wanted: Wanted
) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and the page of them in order of send and receiver."""
    conditions = [DELIVERY.c.message_key == head.key]
    if wanted.state is not None:
        conditions.append(DELIVERY.c.state == wanted.state)
    if wanted.send is not None:
        conditions.append(DELIVERY.c.send == wanted.send)
    total = connection.execute(select(func.count()).select_from(DELIVERY).where(*conditions))
    rows = connection.execute(
        _COLUMNS.where(*conditions)
        .order_by(DELIVERY.c.send, DELIVERY.c.ordinal)
        .offset(wanted.offset)
        .limit(wanted.limit)
    )
    return total.scalar_one(), [represent_delivery(head, row) for row in rows]


def load_deliveries(connection: Connection, keys: Sequence[int]) -> dict[int, Any]:
    """What `represent_delivery` shows, by key."""
    rows = connection.execute(_COLUMNS.where(among(connection, DELIVERY.c.key, keys)))
    return {row.key: row for row in rows}


def represent_delivery(head: Head, row: Any) -> dict[str, Any]:
    """One delivery of a message."""
    public_id = delivery_id(head.uid, row.send, row.ordinal)
    return present(
        id=public_id,
        receiver=present(
            id=row.receiver_id,
            name=row.name,
            email=row.email,
            phoneNumber=row.phone,
            appUserId=row.app_user_id,
        ),
        send=row.send,
        state=row.state,
        attempts=row.attempts,
        reason=row.reason,
        reference=row.reference,
        templateVersion=row.template_version,
        segments=row.segments,
        createdAt=to_wire(row.created_at),
        dueAt=row.due_at and to_wire(row.due_at),
        endedAt=row.ended_at and to_wire(row.ended_at),
        orderPath=f"/api/2.3.1/orders/{public_id}",
    )
