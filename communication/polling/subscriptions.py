"""Subscriptions of pollers (seed 001)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from communication.bulk import among
from communication.errors import InvalidField, NotFound
from communication.events.event_model import EVENT_CURSOR, STAGED_EVENT
from communication.events.sequencing import SEQUENCED
from communication.hubs.listener_model import SUBSCRIPTION, SUBSCRIPTION_QUEUE
from communication.ids import new_id
from communication.public_id import ID_LONGEST, is_public_id
from communication.wire.fields import Fields, Spellings

_FIELDS = Spellings("event_type_ids", "client_id")
_TYPE_SHOWN = 100
_OF_QUEUE = (SUBSCRIPTION_QUEUE.c.queued, SUBSCRIPTION_QUEUE.c.generation)
_ALL: Select[Any] = select(SUBSCRIPTION, *_OF_QUEUE).join(
    SUBSCRIPTION_QUEUE, SUBSCRIPTION_QUEUE.c.subscription_key == SUBSCRIPTION.c.key
)
_FIND = _ALL.where(
    SUBSCRIPTION.c.tenant == bindparam("of_tenant"), SUBSCRIPTION.c.id == bindparam("of_id")
)
_WANTED = select(SUBSCRIPTION.c.tenant, SUBSCRIPTION.c.event_type_ids).distinct()
_LOCK = _FIND.with_for_update(of=SUBSCRIPTION)
# What is committed and has no position yet comes next, and happened before: positions have no gaps.
_PRESENT = select(
    select(EVENT_CURSOR.c.position).where(EVENT_CURSOR.c.name == SEQUENCED).scalar_subquery()
    + select(func.count()).select_from(STAGED_EVENT).scalar_subquery()
)

_NOTE_QUEUED = (
    update(SUBSCRIPTION_QUEUE)
    .where(SUBSCRIPTION_QUEUE.c.subscription_key == bindparam("of_key"))
    .values(queued=bindparam("position"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A subscription to store."""

    client_id: str
    event_type_ids: list[str]


def read_subscription(body: dict[str, Any], known: Collection[str]) -> NewSubscription:
    """The subscription of a request. MissingField or InvalidField for its first fault."""
    fields = Fields.of(body, _FIELDS)
    types = _types(fields, known)
    client_id = fields.text("client_id", most=ID_LONGEST)
    if client_id is None:
        raise fields.missing("client_id", "is required: whose token will read the notifications")
    if not is_public_id(client_id):
        raise fields.invalid("client_id", "must be letters, digits, '.', '_' or '-'")
    return NewSubscription(client_id=client_id, event_type_ids=types)


def create_subscription(
    connection: Connection,
    new: NewSubscription,
    *,
    tenant: str,
    subscribed_by: str,
    page_size: int,
    now: datetime,
) -> Row[Any]:
    """Store a subscription to all that happens from now on."""
    present = connection.execute(_PRESENT).scalar_one()
    values = {
        "id": new_id(),
        "tenant": tenant,
        "client_id": new.client_id,
        "subscribed_by": subscribed_by,
        "event_type_ids": new.event_type_ids,
        "notification_page_size": page_size,
        "created_at": now,
        "created_position": present,
        "handed_out": present,
    }
    key = connection.execute(
        insert(SUBSCRIPTION).values(values).returning(SUBSCRIPTION.c.key)
    ).scalar_one()
    connection.execute(insert(SUBSCRIPTION_QUEUE).values(subscription_key=key, queued=present))
    return find_subscription(connection, tenant, values["id"])


def find_subscription(
    connection: Connection,
    tenant: str,
    subscription_id: str,
    *,
    client: str = "",
    lock: bool = False,
) -> Row[Any]:
    """A subscription, its queue's `generation`, and up to where it was `queued`. NotFound.

    `client`: only if it is this one's (seed 001); empty: whoever's it is.
    """
    values = {"of_tenant": tenant, "of_id": subscription_id}
    row = connection.execute(_LOCK if lock else _FIND, values).one_or_none()
    if row is None or client not in ("", row.client_id):
        raise NotFound(f"there is no subscription {subscription_id!r}")
    return row


def wanted_types(connection: Connection) -> list[tuple[str, list[str]]]:
    """Tenants, with event types that some of their subscriptions want."""
    return [(row.tenant, row.event_type_ids) for row in connection.execute(_WANTED)]


def subscriptions_of(connection: Connection, tenants: Collection[str]) -> list[Row[Any]]:
    """All subscriptions of these tenants."""
    return list(connection.execute(_ALL.where(SUBSCRIPTION.c.tenant.in_(tenants))))


def delete_subscription(connection: Connection, tenant: str, subscription_id: str) -> Row[Any]:
    """Forget a subscription; it as it was. NotFound."""
    row = find_subscription(connection, tenant, subscription_id, lock=True)
    connection.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.key == row.key))
    connection.execute(
        delete(SUBSCRIPTION_QUEUE).where(SUBSCRIPTION_QUEUE.c.subscription_key == row.key)
    )
    return row


def queue_of(row: Row[Any]) -> str:
    """The name of a subscription's queue."""
    return f"{row.id}:{row.generation}" if row.generation else str(row.id)


def renew_queues(connection: Connection, tenant: str | None = None) -> list[str]:
    """Give up the queues of a tenant's subscriptions, or of all; the names that they had.

    New ones are filled from `event`, and nobody reads the old ones again, whether or not
    Redis can be told to forget them.
    """
    wanted = _ALL if tenant is None else _ALL.where(SUBSCRIPTION.c.tenant == tenant)
    rows = connection.execute(wanted.order_by(SUBSCRIPTION.c.key)).all()
    queues = among(connection, SUBSCRIPTION_QUEUE.c.subscription_key, [row.key for row in rows])
    later = {"generation": SUBSCRIPTION_QUEUE.c.generation + 1}
    connection.execute(update(SUBSCRIPTION_QUEUE).where(queues).values(later))
    return [queue_of(row) for row in rows]


def note_request(connection: Connection, key: int, *, handed_out: int, now: datetime) -> None:
    """Notifications up to `handed_out` are never handed out again."""
    connection.execute(
        update(SUBSCRIPTION)
        .where(SUBSCRIPTION.c.key == key)
        .values(handed_out=handed_out, last_request_date=now)
    )


def note_queued(connection: Connection, positions: Mapping[int, int]) -> None:
    """Events up to these positions were told to subscriptions, by key."""
    rows = sorted(positions.items())
    connection.execute(_NOTE_QUEUED, [{"of_key": key, "position": last} for key, last in rows])


def _types(fields: Fields, known: Collection[str]) -> list[str]:
    types = fields.items("event_type_ids", lambda value: _type(value, known))
    if types is None:
        raise fields.missing("event_type_ids", "is required: the types of events to hear of")
    if not types:
        raise fields.invalid("event_type_ids", "must name at least one type of event")
    for place, name in enumerate(types):
        if name in types[:place]:
            raise fields.invalid(f"event_type_ids[{place}]", f"{name!r} is named twice")
    return types


def _type(value: Any, known: Collection[str]) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidField("must be the name of a type of event")
    if value not in known:
        shown = value if len(value) <= _TYPE_SHOWN else f"{value[:_TYPE_SHOWN]}…"
        raise InvalidField(f"{shown!r} is none of {', '.join(known)}")
    return value
