"""The order-event feed as it is read (seed 002; docs/order-events.md)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, bindparam, select, text

from communication.encoding import to_json
from communication.errors import InvalidQueryParameter, NotFound
from communication.events.event_model import HEARD_EVENT, ORDER_EVENT
from communication.events.heard_order import LONGEST
from communication.events.order_events import SEND
from communication.model import DELIVERY, MESSAGE, RECEIVER
from communication.store import Store

ORDERS_PATH = "/api/2.3.1/orders"
RECEIVED = "RECEIVED"
"""Of an order that is not over; the feed never says it."""
CHUNK = 2_000
"""Entries that are in memory at once."""

_EMPTY = "empty"
_ENTRY = [
    ORDER_EVENT.c[name]
    for name in (
        "position",
        "event_id",
        "order_id",
        "access_id",
        "service",
        "operation",
        "state",
        "message",
    )
]
_OF_TENANT = ORDER_EVENT.c.tenant == bindparam("tenant")
_LAST = (
    select(ORDER_EVENT.c.position, ORDER_EVENT.c.event_id)
    .where(_OF_TENANT)
    .order_by(ORDER_EVENT.c.position.desc())
    .limit(1)
)
_OF_EVENT = select(ORDER_EVENT.c.position).where(
    _OF_TENANT, ORDER_EVENT.c.event_id == bindparam("event")
)
_CHUNK = (
    select(*_ENTRY)
    .where(
        _OF_TENANT,
        ORDER_EVENT.c.position > bindparam("after"),
        ORDER_EVENT.c.position <= bindparam("last"),
    )
    .order_by(ORDER_EVENT.c.position)
    .limit(bindparam("most"))
)
_OF_ORDER = (
    select(*_ENTRY)
    .where(_OF_TENANT, ORDER_EVENT.c.order_id == bindparam("order"))
    .order_by(ORDER_EVENT.c.heard)
    .limit(1)
)
_DELIVERY_ID = re.compile(r"([0-9a-f-]{36})-([0-9]{1,9})-([0-9]{1,9})")
_OF_DELIVERY = (
    select(DELIVERY.c.channel, RECEIVER.c.id)
    .join_from(MESSAGE, DELIVERY, DELIVERY.c.message_key == MESSAGE.c.key)
    .outerjoin(RECEIVER, RECEIVER.c.key == DELIVERY.c.receiver_key)
    .where(
        MESSAGE.c.uid == bindparam("uid"),
        MESSAGE.c.tenant == bindparam("tenant"),
        DELIVERY.c.send == bindparam("send"),
        DELIVERY.c.ordinal == bindparam("ordinal"),
    )
)
_HEARD = (
    select(HEARD_EVENT.c.key)
    .where(
        HEARD_EVENT.c.tenant == bindparam("tenant"), HEARD_EVENT.c.order_id == bindparam("order")
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a tenant's feed holds at one moment, from one event on."""

    tenant: str
    after: int
    last: int
    mark: str
    """Another whenever the feed has grown: an entity tag (RFC 9110 §8.8.3)."""


def open_feed(connection: Connection, tenant: str, since: str | None) -> Feed:
    """The feed strictly after the event `since`, or all of it, as it is now.

    InvalidQueryParameter for a `since` that is no event of this tenant's feed.
    """
    _plan_anew(connection)
    newest = connection.execute(_LAST, {"tenant": tenant}).one_or_none()
    last, mark = newest or (0, _EMPTY)
    after = 0
    if since is not None:
        # Who polls has read all, most of the time: one look is enough for that.
        after = last if newest and since == mark else _position(connection, tenant, since)
    return Feed(tenant=tenant, after=after, last=last, mark=mark)


def read_feed(store: Store, feed: Feed) -> Iterator[bytes]:
    """A JSON array, in pieces; no transaction is open between them.

    ServiceUnavailable half-way if the database goes away: the array then has no end.
    """
    begin = b"["
    after = feed.after
    while after < feed.last:
        with store.read() as connection:
            _plan_anew(connection)
            rows = connection.execute(_CHUNK, _bounds(feed, after)).all()
        if not rows:
            break
        yield begin + b",\n".join([to_json(_represent(row)) for row in rows])
        begin = b",\n"
        after = rows[-1].position
    yield b"[]" if begin == b"[" else b"]"


def _bounds(feed: Feed, after: int) -> dict[str, Any]:
    return {"tenant": feed.tenant, "after": after, "last": feed.last, "most": CHUNK}


def find_order(connection: Connection, tenant: str, order_id: str) -> dict[str, str]:
    """What became of an order: a delivery's, or one that was heard of. NotFound."""
    if not _can_be(order_id):
        raise NotFound(f"there is no order {order_id[:LONGEST]!r}")
    _plan_anew(connection)
    row = connection.execute(_OF_ORDER, {"tenant": tenant, "order": order_id}).one_or_none()
    if row is not None:
        return _order(row)
    return _open_delivery(connection, tenant, order_id) or _open_heard(connection, tenant, order_id)


def _position(connection: Connection, tenant: str, event: str) -> int:
    position = None
    if _can_be(event):
        values = {"tenant": tenant, "event": event}
        position = connection.execute(_OF_EVENT, values).scalar_one_or_none()
    if position is None:
        raise InvalidQueryParameter(
            "is no event of this feed; give the last event that was read, or read all without it",
            field="since",
        )
    return int(position)


def _open_delivery(connection: Connection, tenant: str, order_id: str) -> dict[str, str] | None:
    parts = _DELIVERY_ID.fullmatch(order_id)
    if parts is None:
        return None
    uid, send, ordinal = parts.groups()
    values = {"tenant": tenant, "uid": uid, "send": int(send), "ordinal": int(ordinal)}
    row = connection.execute(_OF_DELIVERY, values).one_or_none()
    if row is None:
        return None
    return _unfinished(order_id, row.id or order_id, row.channel, SEND)


def _open_heard(connection: Connection, tenant: str, order_id: str) -> dict[str, str]:
    if connection.execute(_HEARD, {"tenant": tenant, "order": order_id}).first() is None:
        raise NotFound(f"there is no order {order_id!r}")
    return _unfinished(order_id, order_id, "", "")


def _unfinished(order_id: str, access_id: str, service: str, operation: str) -> dict[str, str]:
    return {
        "path": _path(order_id),
        "accessId": access_id,
        "service": service,
        "operation": operation,
        "state": RECEIVED,
        "message": "",
    }


def _represent(row: Row[Any]) -> dict[str, Any]:
    return {"event": row.event_id, "order": _order(row)}


def _order(row: Row[Any]) -> dict[str, str]:
    return {
        "path": _path(row.order_id),
        "accessId": row.access_id,
        "service": row.service,
        "operation": row.operation,
        "state": row.state,
        "message": row.message,
    }


def _path(order_id: str) -> str:
    return f"{ORDERS_PATH}/{quote(order_id, safe='')}"


def _can_be(name: str) -> bool:
    return 0 < len(name) <= LONGEST and "\x00" not in name


def _plan_anew(connection: Connection) -> None:
    """A plan made while the feed was empty would read all of it when it is long."""
    if connection.dialect.name == "postgresql":
        connection.execute(_CUSTOM_PLAN)


_CUSTOM_PLAN = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
