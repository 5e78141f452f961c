"""Stored messages: their rows, written and read."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, literal, select

from communication.bulk import among_named, insert_rows
from communication.errors import NotFound
from communication.model import DELIVERY, DOCUMENT, MESSAGE, RECEIVER, State
from communication.wire.receiver import Addressee
from communication.wire.representation import Head

_ADDRESSEE = [RECEIVER.c[name] for name in Addressee._fields]

_FIND = select(*MESSAGE.c).where(
    MESSAGE.c.tenant == bindparam("tenant"),
    MESSAGE.c.id == bindparam("id"),
    MESSAGE.c.deleted_at.is_(None),
)
# Weaker than FOR UPDATE: rows that refer to the message by foreign key may still come in.
_LOCK = _FIND.with_for_update(key_share=True)
_NEW_DELIVERIES = insert(DELIVERY).from_select(
    [
        "message_key",
        "receiver_key",
        "ordinal",
        "send",
        "channel",
        "priority",
        "state",
        "due_at",
        "created_at",
        "attempts",
        "lost",
    ],
    select(
        RECEIVER.c.message_key,
        RECEIVER.c.key,
        RECEIVER.c.ordinal,
        bindparam("send", type_=DELIVERY.c.send.type),
        bindparam("channel", type_=DELIVERY.c.channel.type),
        bindparam("priority", type_=DELIVERY.c.priority.type),
        literal(State.PENDING, type_=DELIVERY.c.state.type),
        bindparam("due_at", type_=DELIVERY.c.due_at.type),
        bindparam("created_at", type_=DELIVERY.c.created_at.type),
        literal(0),
        literal(0),
    ).where(RECEIVER.c.message_key == bindparam("message_key"), RECEIVER.c.removed_at.is_(None)),
)


def insert_receivers(connection: Connection, head: Head, receivers: Sequence[Addressee]) -> None:
    """Store the receivers of a message, in their order."""
    rows = [
        {"message_key": head.key, "ordinal": ordinal, **one._asdict()}
        for ordinal, one in enumerate(receivers)
    ]
    insert_rows(connection, RECEIVER, rows)


def insert_deliveries(connection: Connection, head: Head, *, now: datetime) -> None:
    """A delivery to each receiver in the message's current send, due at its sendTime or now."""
    connection.execute(
        _NEW_DELIVERIES,
        {
            "message_key": head.key,
            "send": head.send,
            "channel": head.channel,
            "priority": head.priority,
            "due_at": due_from(head, now),
            "created_at": now,
        },
    )


def due_from(head: Head, now: datetime) -> datetime:
    """When a send that begins now is due: at the sendTime, or now."""
    return max(head.send_time or now, now)


def find(connection: Connection, tenant: str, message_id: str, *, lock: bool = False) -> Head:
    """A message by its public id. NotFound if there is none.

    With `lock` it is the caller's until its transaction ends. Locks are always taken message
    before delivery, here and in the worker.
    """
    statement = _LOCK if lock else _FIND
    row = connection.execute(statement, {"tenant": tenant, "id": message_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no communication message {message_id!r}")
    return Head.of(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A message with all that belongs to it."""

    head: Head
    document: dict[str, Any]
    receivers: list[Addressee]


def load_stored(connection: Connection, head: Head, *, receivers: bool = True) -> Stored:
    """Everything that belongs to a message; its receivers only if they are wanted."""
    return Stored(
        head=head,
        document=load_documents(connection, [head.key])[head.key],
        receivers=load_receivers(connection, [head.key])[head.key] if receivers else [],
    )


def load_heads(connection: Connection, keys: Sequence[int]) -> list[Head]:
    """Messages by key, in the order of the keys; those that are gone are left out."""
    found = connection.execute(_heads(connection.dialect.name), {"keys": list(keys)})
    rows = {row.key: row for row in found}
    return [Head.of(rows[key]) for key in keys if key in rows]


def load_documents(connection: Connection, keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Documents by message key."""
    rows = connection.execute(_documents(connection.dialect.name), {"keys": list(keys)})
    return {key: document for key, document in rows}  # noqa: C416 - rows are no tuples to mypy


def load_receivers(connection: Connection, keys: Iterable[int]) -> dict[int, list[Addressee]]:
    """Receivers by message key, in their order."""
    found: dict[int, list[Addressee]] = defaultdict(list)
    rows = connection.execute(_receivers(connection.dialect.name), {"keys": list(keys)})
    for key, *columns in rows:
        found[key].append(Addressee(*columns))
    return found


@lru_cache
def _heads(dialect: str) -> Select[Any]:
    return select(*MESSAGE.c).where(among_named(dialect, MESSAGE.c.key))


@lru_cache
def _documents(dialect: str) -> Select[Any]:
    wanted = among_named(dialect, DOCUMENT.c.message_key)
    return select(DOCUMENT.c.message_key, DOCUMENT.c.document).where(wanted)


@lru_cache
def _receivers(dialect: str) -> Select[Any]:
    return (
        select(RECEIVER.c.message_key, *_ADDRESSEE)
        .where(among_named(dialect, RECEIVER.c.message_key), RECEIVER.c.removed_at.is_(None))
        .order_by(RECEIVER.c.message_key, RECEIVER.c.ordinal)
    )
