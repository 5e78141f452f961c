"""A person's data, erased on request; what was sent stays counted.

The order-event feed (seed 002) stays as it is: it never holds an address. So does the list of
addresses that are not written to: without it, the person would be written to again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    cast,
    delete,
    func,
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

ERASED = "[erased]"
_PERSONAL = (
    "subject",
    "content",
    "description",
    "attachment",
    "CommunicationRequestCharacteristic",
    "template",
    "locale",
)
_JSON_BODIES: tuple[tuple[Table, str], ...] = (
    (EVENT, "payload"),
    (EVENT, "changed"),
    (STAGED_EVENT, "payload"),
    (STAGED_EVENT, "changed"),
    (HEARD_EVENT, "body"),
    (COLLECTED_EVENT, "body"),
)


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
    Meanwhile nobody is told of events.
    """
    hold_still(connection)
    found = connection.execute(
        select(RECEIVER.c.key, RECEIVER.c.message_key)
        .join(MESSAGE, MESSAGE.c.key == RECEIVER.c.message_key)
        .where(_is(person), *_of_tenant(MESSAGE, tenant))
        .order_by(RECEIVER.c.key)
    ).all()
    keys = [row.key for row in found]
    messages = {row.message_key for row in found}
    _lock(connection, messages)
    _blank_receivers(connection, keys)
    alone = _left_alone(connection, messages)
    for key in sorted(alone):
        _blank_document(connection, key)
    return Erased(
        receivers=len(keys),
        messages=len(alone),
        devices=_forget_devices(connection, person, tenant),
        bodies=_scrub_bodies(connection, person, tenant, messages),
        queues=renew_queues(connection, tenant),
    )


def _is(person: str) -> ColumnElement[bool]:
    return or_(
        func.lower(RECEIVER.c.email) == person.lower(),
        RECEIVER.c.phone == person,
        RECEIVER.c.app_user_id == person,
    )


def _lock(connection: Connection, messages: Collection[int]) -> None:
    """Messages before their deliveries, in the order of keys, as everybody does."""
    theirs = among(connection, MESSAGE.c.key, messages)
    connection.execute(
        select(MESSAGE.c.key).where(theirs).order_by(MESSAGE.c.key).with_for_update()
    ).all()


def _of_tenant(table: Table, tenant: str | None) -> list[ColumnElement[bool]]:
    return [] if tenant is None else [table.c.tenant == tenant]


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


def _blank_document(connection: Connection, message: int) -> None:
    of_message = DOCUMENT.c.message_key == message
    document = connection.execute(select(DOCUMENT.c.document).where(of_message)).scalar_one()
    kept = {name: value for name, value in document.items() if name not in _PERSONAL}
    blank = kept | {"content": ERASED, "subject": ERASED}
    connection.execute(update(DOCUMENT).where(of_message).values(document=blank))
    for table in (EVENT, STAGED_EVENT):
        theirs = and_(table.c.message_key == message, table.c.changed.is_not(None))
        for row in connection.execute(select(table).where(theirs)).all():
            changed = {one: value for one, value in row.changed.items() if one not in _PERSONAL}
            same = table.c.id == row.id
            connection.execute(update(table).where(same).values(changed=changed))


def _forget_devices(connection: Connection, person: str, tenant: str | None) -> int:
    theirs = delete(DEVICE).where(DEVICE.c.app_user_id == person, *_of_tenant(DEVICE, tenant))
    return connection.execute(theirs).rowcount


def _scrub_bodies(
    connection: Connection, person: str, tenant: str | None, messages: Collection[int]
) -> int:
    count = _scrub_kept_answers(connection, person, tenant)
    count += _scrub_told(connection, person, tenant, messages)
    for table, name in _JSON_BODIES:
        column = table.c[name]
        theirs = (_names(column, person), *_of_tenant(table, tenant))
        for row in connection.execute(select(table).where(*theirs)).all():
            key = next(iter(table.primary_key.columns))
            value = {name: scrub(getattr(row, name), person)}
            same = key == getattr(row, key.name)
            connection.execute(update(table).where(same).values(value))
            count += 1
    return count


def _names(column: ColumnElement[Any], person: str) -> ColumnElement[bool]:
    return func.lower(cast(column, Text)).contains(_as_stored(person), autoescape=True)


def _scrub_told(
    connection: Connection, person: str, tenant: str | None, messages: Collection[int]
) -> int:
    """What hubs are told: it may still be on its way. Before what they are told of is scrubbed."""
    positions = select(EVENT.c.position).where(
        or_(
            among(connection, EVENT.c.message_key, messages),
            and_(_names(EVENT.c.payload, person), *_of_tenant(EVENT, tenant)),
        )
    )
    theirs = CALLBACK_BODY.c.event_position.in_(positions)
    rows = connection.execute(select(CALLBACK_BODY).where(theirs)).all()
    for row in rows:
        body = orjson.dumps(scrub(orjson.loads(row.body), person)).decode()
        same = CALLBACK_BODY.c.event_position == row.event_position
        connection.execute(update(CALLBACK_BODY).where(same).values(body=body, size=len(body)))
    return len(rows)


def _scrub_kept_answers(connection: Connection, person: str, tenant: str | None) -> int:
    """They may be sealed, so that the database can't look for the person in them."""
    rows: Iterable[Any] = connection.execute(
        select(IDEMPOTENCY.c.key, IDEMPOTENCY.c.body).where(*_of_tenant(IDEMPOTENCY, tenant))
    ).all()
    theirs = [row for row in rows if person.lower() in row.body.lower()]
    for row in theirs:
        body = orjson.dumps(scrub(orjson.loads(row.body), person)).decode()
        connection.execute(
            update(IDEMPOTENCY).where(IDEMPOTENCY.c.key == row.key).values(body=body)
        )
    return len(theirs)


def scrub(value: Any, person: str) -> Any:
    """A JSON value in which nothing is said of the person.

    In a list, an object with an attribute that is the person's is theirs altogether; any other
    text that names the person becomes ERASED.
    """
    needle = person.lower()
    if isinstance(value, dict):
        return {name: scrub(one, person) for name, one in value.items()}
    if isinstance(value, list):
        return [{} if _is_of(one, needle) else scrub(one, person) for one in value]
    return ERASED if isinstance(value, str) and needle in value.lower() else value


def _is_of(value: Any, needle: str) -> bool:
    return isinstance(value, dict) and any(
        isinstance(one, str) and one.lower() == needle for one in value.values()
    )


def _as_stored(person: str) -> str:
    """As it stands inside JSON."""
    return orjson.dumps(person.lower()).decode()[1:-1]
