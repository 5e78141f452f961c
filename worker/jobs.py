"""What a worker needs to know to send what it has taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update

from channels.base import Device
from channels.base import Receiver as ChannelReceiver
from communication.bulk import among, among_named
from communication.devices.registry import devices_of
from communication.due import take
from communication.events.happening import Happening, Kind, record
from communication.ids import new_id
from communication.mail.suppression import suppressed
from communication.model import DELIVERY, DOCUMENT, MESSAGE, RECEIVER, Status
from worker.render import Job, characteristics_of


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A batch that is the worker's until its lease ends."""

    lease: str
    until: datetime
    jobs: Sequence[Job]
    not_begun: frozenset[int]
    """Keys of scheduled messages, of which these are the first deliveries."""


def take_jobs(
    connection: Connection, keys: Iterable[int], *, relayed: str, suppressing: bool = False
) -> Taken | None:
    """Take what is still leased under `relayed`; None if nothing is.

    `suppressing`: mark emails to addresses that are not written to.
    """
    lease = new_id()
    rows = take(connection, DELIVERY, keys, relayed=relayed, lease=lease)
    if not rows:
        return None
    messages = _load_messages(connection, {row.message_key for row in rows})
    receivers = _load_receivers(connection, [row.receiver_key for row in rows])
    pushed = [row.receiver_key for row in rows if row.channel == "push"]
    devices = devices_of(connection, pushed) if pushed else {}
    jobs = [
        _job(
            row,
            messages[row.message_key],
            receivers[row.receiver_key],
            devices.get(row.receiver_key, ()),
        )
        for row in rows
    ]
    return Taken(
        lease=lease,
        until=min(row.due_at for row in rows),
        jobs=_suppressed(connection, jobs) if suppressing else jobs,
        not_begun=frozenset(
            key for key, message in messages.items() if message.status == Status.INITIAL
        ),
    )


def begin(connection: Connection, message_keys: Iterable[int], now: datetime) -> None:
    """Scheduled messages whose first deliveries were taken are in progress now.

    In a transaction of its own, after the taking: locks go from message to delivery.
    """
    begun = connection.execute(
        update(MESSAGE)
        .where(among(connection, MESSAGE.c.key, message_keys), MESSAGE.c.status == Status.INITIAL)
        .values(status=Status.IN_PROGRESS, updated_at=now)
        .returning(MESSAGE.c.key, MESSAGE.c.tenant)
    ).all()
    changed = {"status": Status.IN_PROGRESS, "sendTimeComplete": None}
    record(
        connection,
        [
            Happening(
                kind=Kind.CHANGED, tenant=row.tenant, at=now, message_key=row.key, changed=changed
            )
            for row in begun
        ],
    )


def gone(connection: Connection, message_keys: Iterable[int]) -> set[int]:
    """Those of the messages that were cancelled or deleted."""
    rows = connection.execute(
        select(MESSAGE.c.key).where(
            among(connection, MESSAGE.c.key, message_keys),
            or_(MESSAGE.c.status == Status.CANCELLED, MESSAGE.c.deleted_at.is_not(None)),
        )
    )
    return set(rows.scalars())


def whose(
    connection: Connection, keys: Iterable[int], *, lease: str
) -> dict[int, tuple[str, ChannelReceiver]]:
    """Of those of `keys` that are leased under `lease`: the tenant, and where the receiver is."""
    rows = connection.execute(
        select(
            *(DELIVERY.c.key, MESSAGE.c.tenant),
            *(RECEIVER.c.email, RECEIVER.c.phone, RECEIVER.c.app_user_id),
        )
        .join_from(DELIVERY, MESSAGE, MESSAGE.c.key == DELIVERY.c.message_key)
        .join(RECEIVER, RECEIVER.c.key == DELIVERY.c.receiver_key)
        .where(among(connection, DELIVERY.c.key, keys), DELIVERY.c.lease == lease)
    )
    return {
        row.key: (
            row.tenant,
            ChannelReceiver(email=row.email, phone=row.phone, app_user_id=row.app_user_id),
        )
        for row in rows
    }


def _suppressed(connection: Connection, jobs: list[Job]) -> list[Job]:
    """The jobs, those to addresses that are not written to marked."""
    wanted = {(job.tenant, job.receiver.email) for job in jobs if job.channel == "email"}
    listed = suppressed(connection, wanted) if wanted else set()
    if not listed:
        return jobs
    return [replace(job, suppressed=(job.tenant, job.receiver.email) in listed) for job in jobs]


def _load_messages(connection: Connection, keys: set[int]) -> dict[int, Any]:
    rows = connection.execute(_messages(connection.dialect.name), {"keys": list(keys)}).all()
    return {row.key: row for row in rows}


@lru_cache
def _messages(dialect: str) -> Select[Any]:
    return (
        select(
            MESSAGE.c.key,
            MESSAGE.c.tenant,
            MESSAGE.c.uid,
            MESSAGE.c.id,
            MESSAGE.c.status,
            MESSAGE.c.deleted_at,
            DOCUMENT.c.document,
        )
        .join(DOCUMENT, DOCUMENT.c.message_key == MESSAGE.c.key)
        .where(among_named(dialect, MESSAGE.c.key))
    )


def _load_receivers(connection: Connection, keys: Sequence[int]) -> Mapping[int, Row[Any]]:
    rows = connection.execute(_receivers(connection.dialect.name), {"keys": list(keys)}).all()
    return {row.key: row for row in rows}


@lru_cache
def _receivers(dialect: str) -> Select[Any]:
    return select(*RECEIVER.c).where(among_named(dialect, RECEIVER.c.key))


def _job(delivery: Row[Any], message: Any, receiver: Row[Any], devices: Iterable[Row[Any]]) -> Job:
    return Job(
        delivery_key=delivery.key,
        message_key=delivery.message_key,
        tenant=message.tenant,
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
            devices=tuple(device_of(row) for row in devices),
        ),
        unwanted=message.status == Status.CANCELLED or message.deleted_at is not None,
        receiver_id=receiver.id,
        characteristics=characteristics_of(
            message.document.get("CommunicationRequestCharacteristic"),
            (receiver.attributes or {}).get("characteristic"),
        ),
    )


def device_of(row: Row[Any]) -> Device:
    """A row of the device registry as channels know it."""
    """A row of the device registry as channels know it."""
    return Device(
        key=row.key,
        id=row.id,
        platform=row.platform,
        token=row.token,
        keys=row.keys or {},
        locale=row.locale,
        registered_at=row.registered_at,
    )
