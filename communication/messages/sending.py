"""Sends of a stored message: begun, moved, cancelled (docs/tmf681.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from communication.clock import to_wire
from communication.errors import Conflict
from communication.events.happening import Happening, Kind, record
from communication.events.order_reason import ending
from communication.messages.rows import due_from, insert_deliveries
from communication.model import DELIVERY, MESSAGE, State, Status
from communication.wire.representation import Head

_CURRENT = (
    DELIVERY.c.message_key == bindparam("of_message"),
    DELIVERY.c.send == bindparam("of_send"),
)
_OPEN = (*_CURRENT, DELIVERY.c.due_at.is_not(None))
# What somebody else has locked is being claimed, taken or settled at this moment. Waiting for
# it could end in a circle, as others lock several deliveries in no order: it is passed by.

_held = (
    select(DELIVERY.c.due_at, DELIVERY.c.lease, DELIVERY.c.attempts)
    .where(*_OPEN)
    .with_for_update(key_share=True, skip_locked=True)
    .cte("held")
)
_COUNT_WAITING = (
    select(func.count())
    .select_from(_held)
    .where(_held.c.due_at > bindparam("now"), _held.c.lease.is_(None), _held.c.attempts == 0)
)
_PENDING = (
    select(DELIVERY.c.key)
    .where(*_OPEN, DELIVERY.c.state == State.PENDING)
    .with_for_update(key_share=True, skip_locked=True)
)
_CANCEL = (
    update(DELIVERY)
    .where(DELIVERY.c.key.in_(_PENDING.cte("cancelled").select()))
    .values(state=State.CANCELLED, due_at=None, lease=None, ended_at=bindparam("now"))
    .returning(DELIVERY.c.key)
)
_RESCHEDULE = (
    update(DELIVERY)
    .where(*_OPEN)
    .values(
        due_at=bindparam("new_due_at"),
        channel=bindparam("new_channel"),
        priority=bindparam("new_priority"),
    )
)
_DROP = delete(DELIVERY).where(*_CURRENT)
_SAVE = update(MESSAGE).where(MESSAGE.c.key == bindparam("of_message"))


def is_scheduled(connection: Connection, head: Head, now: datetime) -> bool:
    """Whether its current send waits for its sendTime, every delivery untouched.

    The deliveries are then the caller's until its transaction ends: no relay claims them.
    The message must be locked.
    """
    if not head.open_count or head.delivered_count or head.failed_count or head.cancelled_count:
        return False
    waiting = connection.execute(_COUNT_WAITING, {**_current(head), "now": now}).scalar_one()
    return waiting == head.open_count


def start_send(connection: Connection, head: Head, now: datetime) -> None:
    """Send a stored message, once more if it was sent before; `head` then tells of it.

    Conflict while it is being sent or waits to be. The message must be locked.
    """
    if head.open_count:
        raise Conflict("the message is being sent; wait until that is over, or cancel it")
    before = sending_state(head)
    scheduled = head.send_time is not None and head.send_time > now
    head.send += 1
    head.status = Status.INITIAL if scheduled else Status.IN_PROGRESS
    head.open_count = head.receiver_count
    head.delivered_count = head.failed_count = head.cancelled_count = 0
    head.send_time_complete = None
    save(connection, head, now)
    insert_deliveries(connection, head, now=now)
    if sending_state(head) != before:
        tell_changed(connection, head, {}, now)


def reschedule(connection: Connection, head: Head, now: datetime) -> None:
    """Let the deliveries of a scheduled send follow its message's sendTime, type and priority."""
    connection.execute(
        _RESCHEDULE,
        {
            **_current(head),
            "new_due_at": due_from(head, now),
            "new_channel": head.channel,
            "new_priority": head.priority,
        },
    )


def drop_deliveries(connection: Connection, head: Head) -> None:
    """Forget the deliveries of a scheduled send: they will be made anew."""
    connection.execute(_DROP, _current(head))


def cancel(connection: Connection, head: Head, now: datetime) -> None:
    """End what is undelivered; `head` then tells of it, but is not saved.

    What a worker is sending at this moment ends by itself. The message must be locked.
    """
    ended = connection.execute(_CANCEL, {**_current(head), "now": now}).scalars().all()
    head.open_count -= len(ended)
    head.cancelled_count += len(ended)
    if head.status in (Status.INITIAL, Status.IN_PROGRESS):
        head.status = Status.CANCELLED
        head.send_time_complete = now if head.send and not head.open_count else None
    record(connection, _endings(head, ended, now))


def save(connection: Connection, head: Head, now: datetime) -> None:
    """Write the message's row."""
    head.updated_at = now
    values = {column.name: getattr(head, column.name) for column in _SAVED}
    connection.execute(_SAVE, {"of_message": head.key, **values})


_SAVED = [
    MESSAGE.c[name]
    for name in (
        "channel",
        "priority",
        "status",
        "send",
        "send_time",
        "send_time_complete",
        "receiver_count",
        "open_count",
        "delivered_count",
        "failed_count",
        "cancelled_count",
        "updated_at",
        "deleted_at",
    )
]


def sending_state(head: Head) -> dict[str, Any]:
    """How far a message has come, as the wire says it."""
    complete = head.send_time_complete
    return {"status": head.status, "sendTimeComplete": complete and to_wire(complete)}


def tell_changed(
    connection: Connection, head: Head, changed: Mapping[str, Any], now: datetime
) -> None:
    """Record that attributes of a message changed, and how far it had come then."""
    happening = Happening(
        kind=Kind.CHANGED,
        tenant=head.tenant,
        at=now,
        message_key=head.key,
        changed={**changed, **sending_state(head)},
    )
    record(connection, [happening])


def _endings(head: Head, delivery_keys: Sequence[int], now: datetime) -> list[Happening]:
    return [
        Happening(
            kind=Kind.ENDED,
            tenant=head.tenant,
            at=now,
            message_key=head.key,
            delivery_key=key,
            changed=ending(State.CANCELLED),
        )
        for key in delivery_keys
    ]


def _current(head: Head) -> dict[str, Any]:
    return {"of_message": head.key, "of_send": head.send}
