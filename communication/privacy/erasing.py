"""A person's data, erased on request; what was sent stays counted.

The order-event feed (seed 002) stays as it is: it never holds an address. So does the list of
addresses that are not written to: without it, the person would be written to again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from communication.bulk import among
from communication.devices.device_model import DEVICE
from communication.events.event_model import COLLECTED_EVENT, EVENT, HEARD_EVENT, STAGED_EVENT
from communication.events.sequencing import hold_still
from communication.hubs.listener_model import CALLBACK_BODY
from communication.model import ATTEMPT, DELIVERY, DOCUMENT, IDEMPOTENCY, MESSAGE, RECEIVER
from communication.polling.subscriptions import renew_queues
from communication.privacy.finding import Search, key_of, names_or_hides, of_tenant
from communication.privacy.scrubbing import ERASED, scrub

_PERSONAL = (
    "subject",
    "content",
    "description",
    "attachment",
    "CommunicationRequestCharacteristic",
    "template",
    "locale",
)
_BLANK = {"content": ERASED, "subject": ERASED}
_JSON_BODIES: tuple[tuple[Table, str], ...] = (
    (EVENT, "payload"),
    (EVENT, "changed"),
    (HEARD_EVENT, "body"),
    (COLLECTED_EVENT, "body"),
)
_AT_ONCE = 50
"""Rows that are read before they are written: each may hold megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows of each kind held something of the person."""

    receivers: int
    messages: int
    devices: int
    bodies: int
    queues: list[str]
    """Those of notifications that were given up: Redis may hold the person there still."""


def erase(connection: Connection, person: str, tenant: str | None = None) -> Erased:
    """Erase what is known of an email address, a phone number or an app user; of all tenants.

    Receivers lose everything but their place; messages of which no other receiver is left
    lose their texts; whatever was heard, collected or told that names the person loses that.
    Nobody is told of events while it is erased, but they are while it is looked for.
    """
    search = Search(connection, person, tenant)
    search.look()
    hold_still(connection)
    search.look()
    messages = set(search.receivers.values())
    _lock(connection, messages)
    _blank_receivers(connection, search.receivers)
    alone = _left_alone(connection, messages)
    _blank_documents(connection, alone)
    _blank_changes(connection, alone, search.keys[EVENT])
    return Erased(
        receivers=len(search.receivers),
        messages=len(alone),
        devices=_forget_devices(connection, person, tenant),
        bodies=_scrub_bodies(connection, person, tenant, search),
        queues=renew_queues(connection, tenant),
    )


def _lock(connection: Connection, messages: Collection[int]) -> None:
    """Messages before their deliveries, in the order of keys, as everybody does."""
    theirs = among(connection, MESSAGE.c.key, messages)
    connection.execute(
        select(MESSAGE.c.key).where(theirs).order_by(MESSAGE.c.key).with_for_update()
    ).all()


def _blank_receivers(connection: Connection, keys: Collection[int]) -> None:
    columns = ("id", "name", "email", "phone", "app_user_id", "ip", "attributes")
    connection.execute(
        update(RECEIVER)
        .where(among(connection, RECEIVER.c.key, keys))
        .values(dict.fromkeys(columns))
    )
    theirs = among(connection, DELIVERY.c.receiver_key, keys)
    deliveries = select(DELIVERY.c.key).where(theirs)
    # What a provider says may name whom it is about.
    with_reason = and_(ATTEMPT.c.delivery_key.in_(deliveries), ATTEMPT.c.reason.is_not(None))
    connection.execute(update(ATTEMPT).where(with_reason).values(reason=ERASED))
    connection.execute(
        update(DELIVERY).where(theirs, DELIVERY.c.reason.is_not(None)).values(reason=ERASED)
    )


def _left_alone(connection: Connection, messages: Collection[int]) -> set[int]:
    """Those of the messages that have no other receiver."""
    named = or_(
        RECEIVER.c.email.is_not(None),
        RECEIVER.c.phone.is_not(None),
        RECEIVER.c.app_user_id.is_not(None),
    )
    others = select(RECEIVER.c.message_key).where(
        among(connection, RECEIVER.c.message_key, messages), named
    )
    return set(messages) - set(connection.execute(others).scalars())


def _blank_documents(connection: Connection, messages: Collection[int]) -> None:
    for some in _groups(messages):
        theirs = among(connection, DOCUMENT.c.message_key, some)
        rows = connection.execute(select(DOCUMENT).where(theirs)).all()
        changes = [
            {"of": row.message_key, "blank": _without_texts(row.document) | _BLANK} for row in rows
        ]
        _write(connection, DOCUMENT, "document", changes)


def _blank_changes(
    connection: Connection, messages: Collection[int], positions: Collection[int]
) -> None:
    """What events keep of the texts of these messages, those at the positions among them."""
    for some in _groups(positions):
        _blank_changes_of(connection, EVENT, among(connection, EVENT.c.position, some), messages)
    theirs = among(connection, STAGED_EVENT.c.message_key, messages)
    _blank_changes_of(connection, STAGED_EVENT, theirs, messages)


def _blank_changes_of(
    connection: Connection,
    table: Table,
    theirs: ColumnElement[bool],
    messages: Collection[int],
) -> None:
    found = (theirs, table.c.changed.is_not(None), table.c.message_key.is_not(None))
    rows = connection.execute(
        select(key_of(table).label("of"), table.c.message_key, table.c.changed).where(*found)
    )
    changes = [
        {"of": row.of, "blank": _without_texts(row.changed)}
        for row in rows
        if row.message_key in messages and not row.changed.keys().isdisjoint(_PERSONAL)
    ]
    _write(connection, table, "changed", changes)


def _without_texts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in _PERSONAL}


def _write(
    connection: Connection, table: Table, column: str, changes: Sequence[dict[str, Any]]
) -> None:
    """`blank` into the column of each row that is `of` that key."""
    if changes:
        same = key_of(table) == bindparam("of")
        blank = bindparam("blank", type_=table.c[column].type)
        connection.execute(update(table).where(same).values({column: blank}), changes)


def _groups(keys: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(keys)
    for place in range(0, len(ordered), _AT_ONCE):
        yield ordered[place : place + _AT_ONCE]


def _forget_devices(connection: Connection, person: str, tenant: str | None) -> int:
    theirs = delete(DEVICE).where(DEVICE.c.app_user_id == person, *of_tenant(DEVICE, tenant))
    return connection.execute(theirs).rowcount


def _scrub_bodies(connection: Connection, person: str, tenant: str | None, search: Search) -> int:
    """How many there were. What hubs are told may still be on its way."""
    found = ((CALLBACK_BODY, search.keys[EVENT]), (IDEMPOTENCY, search.keys[IDEMPOTENCY]))
    count = sum(_scrub_texts(connection, table, keys, person) for table, keys in found)
    for table, name in _JSON_BODIES:
        column = table.c[name]
        count += sum(
            _scrub_column(connection, column, among(connection, key_of(table), some), person)
            for some in _groups(search.keys[table])
        )
    for column in (STAGED_EVENT.c.payload, STAGED_EVENT.c.changed):
        theirs = and_(names_or_hides(column, person), *of_tenant(STAGED_EVENT, tenant))
        count += _scrub_column(connection, column, theirs, person)
    return count


def _scrub_texts(connection: Connection, table: Table, keys: Collection[int], person: str) -> int:
    """Of bodies that are kept as texts."""
    count = 0
    for some in _groups(keys):
        wanted = select(key_of(table), table.c.body).where(among(connection, key_of(table), some))
        bodies = {row[0]: orjson.loads(row[1]) for row in connection.execute(wanted)}
        clean = {key: scrub(body, person) for key, body in bodies.items()}
        texts = {
            key: orjson.dumps(body).decode() for key, body in clean.items() if body != bodies[key]
        }
        _write(connection, table, "body", [{"of": of, "blank": texts[of]} for of in texts])
        if "size" in table.c:
            sizes = [{"of": of, "blank": len(text)} for of, text in texts.items()]
            _write(connection, table, "size", sizes)
        count += len(texts)
    return count


def _scrub_column(
    connection: Connection, column: Column[Any], theirs: ColumnElement[bool], person: str
) -> int:
    """How many rows named the person in a column of JSON."""
    key = key_of(column.table)
    wanted = select(key, column).where(theirs, column.is_not(None))
    changes = [
        {"of": row[0], "blank": clean}
        for row in connection.execute(wanted)
        if (clean := scrub(row[1], person)) != row[1]
    ]
    _write(connection, column.table, column.name, changes)
    return len(changes)
