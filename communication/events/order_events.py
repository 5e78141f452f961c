"""Entries of the order-event feed (seed 002), written once as their events get positions."""

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

from communication.events.event_model import EVENT, ORDER_EVENT
from communication.events.happening import Kind
from communication.events.heard_order import FAILED, HEARD_TYPE, SUCCESS
from communication.events.sequencing import Span
from communication.model import DELIVERY, MESSAGE, RECEIVER, State

SEND = "SEND"

_IN_SPAN = (EVENT.c.position > bindparam("after"), EVENT.c.position <= bindparam("last"))
_SAID = ("order_id", "access_id", "service", "operation", "state", "message")
_COLUMNS = ["tenant", "position", "event_id", *_SAID, "heard"]


def write_order_events(connection: Connection, span: Span) -> None:
    """Write what of a span of events tells how an order ended, in the span's own transaction.

    The first that is said of an order stays: entries never change.
    """
    bounds = {"after": span.after, "last": span.last}
    dialect = connection.dialect.name
    kinds = set(connection.execute(_KINDS, bounds).scalars())
    if Kind.ENDED in kinds:
        connection.execute(_of_deliveries(dialect), bounds)
    if Kind.HEARD in kinds:
        connection.execute(_of_heard_orders(dialect), bounds)


def _insert(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(ORDER_EVENT) if dialect == "postgresql" else sqlite.insert(ORDER_EVENT)


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


@lru_cache
def _of_heard_orders(dialect: str) -> Any:
    """What heard_ending made of them when they were heard."""
    said = [EVENT.c.changed[name].as_string() for name in _SAID]
    heard = (
        select(
            EVENT.c.tenant,
            EVENT.c.position,
            EVENT.c.id,
            *said,
            literal(value=True),
        )
        .where(*_IN_SPAN, EVENT.c.kind == Kind.HEARD, EVENT.c.type == HEARD_TYPE)
        .where(EVENT.c.changed.is_not(None))
        .order_by(EVENT.c.position)
    )
    return _insert(dialect).from_select(_COLUMNS, heard).on_conflict_do_nothing()
