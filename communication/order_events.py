"""Entries of the order-event feed (seed 002), written once as their events get positions."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

from communication.event_model import EVENT, ORDER_EVENT
from communication.events import Kind
from communication.model import DELIVERY, MESSAGE, RECEIVER, State
from communication.sequencing import Span

SUCCESS = "DONE_SUCCESS"
FAILED = "DONE_FAILED"
SEND = "SEND"
HEARD_TYPE = "ServiceOrderStateChangeNotification"
"""Of the listener's events (seed 000), the one that tells what became of an order."""

LONGEST = 255
"""Characters of an id, a name or an action that a heard order may have."""

_FINAL = {
    "completed": SUCCESS,
    "failed": FAILED,
    "partial": FAILED,
    "rejected": FAILED,
    "cancelled": FAILED,
}
_IN_SPAN = (EVENT.c.position > bindparam("after"), EVENT.c.position <= bindparam("last"))
_COLUMNS = [column.name for column in ORDER_EVENT.c]


def write_order_events(connection: Connection, span: Span) -> None:
    """Write what of a span of events tells how an order ended, in the span's own transaction.

    The first that is said of an order stays: entries never change.
    """
    bounds = {"after": span.after, "last": span.last}
    dialect = connection.dialect.name
    kinds = set(connection.execute(_KINDS, bounds).scalars())
    if Kind.ENDED in kinds:
        connection.execute(_of_deliveries(dialect), bounds)
    heard = list(_heard(connection, bounds)) if Kind.HEARD in kinds else []
    if heard:
        connection.execute(_insert(dialect).on_conflict_do_nothing(), heard)


def _insert(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(ORDER_EVENT) if dialect == "postgresql" else sqlite.insert(ORDER_EVENT)


def heard_order_id(payload: Mapping[str, Any]) -> str | None:
    """The order that a heard ServiceOrderStateChangeNotification is about."""
    return _identity(_order(payload).get("id"))


_KINDS = select(EVENT.c.kind).where(*_IN_SPAN).distinct()


@lru_cache
def _of_deliveries(dialect: str) -> Any:
    """One statement: deliveries never leave the database for it."""
    send, ordinal = sql_cast(DELIVERY.c.send, Text), sql_cast(DELIVERY.c.ordinal, Text)
    order_id = MESSAGE.c.uid + "-" + send + "-" + ordinal
    state = case((DELIVERY.c.state == State.DELIVERED, SUCCESS), else_=FAILED)
    ended = (
        select(
            EVENT.c.tenant,
            EVENT.c.position,
            EVENT.c.id,
            order_id,
            func.coalesce(RECEIVER.c.id, order_id),
            DELIVERY.c.channel,
            literal(SEND),
            state,
            func.coalesce(EVENT.c.changed["message"].as_string(), ""),
            literal(value=False),
        )
        .join_from(EVENT, DELIVERY, DELIVERY.c.key == EVENT.c.delivery_key)
        .join(MESSAGE, MESSAGE.c.key == DELIVERY.c.message_key)
        .outerjoin(RECEIVER, RECEIVER.c.key == DELIVERY.c.receiver_key)
        .where(*_IN_SPAN, EVENT.c.kind == Kind.ENDED)
    )
    return _insert(dialect).from_select(_COLUMNS, ended).on_conflict_do_nothing()


_HEARD = (
    select(EVENT.c.tenant, EVENT.c.position, EVENT.c.id, EVENT.c.payload)
    .where(*_IN_SPAN, EVENT.c.kind == Kind.HEARD, EVENT.c.type == HEARD_TYPE)
    .order_by(EVENT.c.position)
)


def _heard(connection: Connection, bounds: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for tenant, position, event_id, payload in connection.execute(_HEARD, bounds):
        entry = _of_heard(payload or {})
        if entry is not None:
            yield {"tenant": tenant, "position": position, "event_id": event_id, **entry}


def _of_heard(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the feed says of a heard order; None unless it has an id and is over (§5.3)."""
    order = _order(payload)
    order_id = _identity(order.get("id"))
    said = str(order.get("state")).lower()
    if order_id is None or said not in _FINAL:
        return None
    item = _first(order.get("orderItem") or order.get("serviceOrderItem"))
    return {
        "order_id": order_id,
        "access_id": _identity(order.get("externalId")) or order_id,
        "service": _service(item),
        "operation": _identity(item.get("action")) or "",
        "state": _FINAL[said],
        "message": "" if _FINAL[said] == SUCCESS else said,
        "heard": True,
    }


def _order(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(payload.get("event"))


def _service(item: Mapping[str, Any]) -> str:
    name = _identity(_object(item.get("service")).get("name"))
    return name or _identity(_object(item.get("productOffering")).get("id")) or ""


def _first(items: object) -> Mapping[str, Any]:
    return _object(items[0]) if isinstance(items, list) and items else {}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _identity(value: object) -> str | None:
    """A text or a number as text; None for nothing, and for what is too long to name anything."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    named = str(value)
    return named if 0 < len(named) <= LONGEST else None
