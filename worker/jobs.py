"""What a worker needs to know to send what it has taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.base import Receiver as ChannelReceiver
from communication.due import take
from communication.events import Happening, Kind, record
from communication.ids import new_id
from communication.model import Delivery, Message, MessageDocument, Receiver, Status
from worker.render import Job, characteristics_of

_DELIVERY = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel hides it
_MESSAGE = Message.__table__  # type: ignore[attr-defined]
_DOCUMENT = MessageDocument.__table__  # type: ignore[attr-defined]
_RECEIVER = Receiver.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A batch that is the worker's until its lease ends."""

    lease: str
    until: datetime
    jobs: Sequence[Job]
    not_begun: frozenset[int]
    """Keys of scheduled messages, of which these are the first deliveries."""


def take_jobs(connection: Connection, keys: Iterable[int], *, relayed: str) -> Taken | None:
    """Take what is still leased under `relayed`; None if nothing is."""
    lease = new_id()
    rows = take(connection, _DELIVERY, keys, relayed=relayed, lease=lease)
    if not rows:
        return None
    messages = _load_messages(connection, {row.message_key for row in rows})
    receivers = _load_receivers(connection, [row.receiver_key for row in rows])
    return Taken(
        lease=lease,
        until=min(row.due_at for row in rows),
        jobs=[_job(row, messages[row.message_key], receivers[row.receiver_key]) for row in rows],
        not_begun=frozenset(
            key for key, message in messages.items() if message.status == Status.INITIAL
        ),
    )


def begin(connection: Connection, message_keys: Iterable[int], now: datetime) -> None:
    """Scheduled messages whose first deliveries were taken are in progress now.

    In a transaction of its own, after the taking: locks go from message to delivery.
    """
    begun = connection.execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.key.in_(sorted(message_keys)), _MESSAGE.c.status == Status.INITIAL)
        .values(status=Status.IN_PROGRESS, updated_at=now)
        .returning(_MESSAGE.c.key, _MESSAGE.c.tenant)
    ).all()
    changed = {"status": Status.IN_PROGRESS}
    record(
        connection,
        [
            Happening(
                kind=Kind.CHANGED, tenant=row.tenant, at=now, message_key=row.key, changed=changed
            )
            for row in begun
        ],
    )


def _load_messages(connection: Connection, keys: set[int]) -> dict[int, Row[Any]]:
    rows = connection.execute(
        select(
            _MESSAGE.c.key,
            _MESSAGE.c.uid,
            _MESSAGE.c.id,
            _MESSAGE.c.status,
            _DOCUMENT.c.document,
        )
        .join(_DOCUMENT, _DOCUMENT.c.message_key == _MESSAGE.c.key)
        .where(_MESSAGE.c.key.in_(sorted(keys)))
    )
    return {row.key: row for row in rows}


def _load_receivers(connection: Connection, keys: Sequence[int]) -> Mapping[int, Row[Any]]:
    rows = connection.execute(select(*_RECEIVER.c).where(_RECEIVER.c.key.in_(keys)))
    return {row.key: row for row in rows}


def _job(delivery: Row[Any], message: Row[Any], receiver: Row[Any]) -> Job:
    return Job(
        delivery_key=delivery.key,
        message_key=delivery.message_key,
        message_uid=message.uid,
        message_id=message.id,
        send=delivery.send,
        ordinal=delivery.ordinal,
        attempts=delivery.attempts,
        channel=delivery.channel,
        priority=delivery.priority,
        document=message.document,
        receiver=ChannelReceiver(
            name=receiver.name,
            email=receiver.email,
            phone=receiver.phone,
            app_user_id=receiver.app_user_id,
        ),
        characteristics=characteristics_of(
            message.document.get("CommunicationRequestCharacteristic"),
            (receiver.attributes or {}).get("characteristic"),
        ),
    )
