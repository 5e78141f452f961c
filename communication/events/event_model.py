"""The tables of what happened, and of what others said had happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, SmallInteger, Text
from sqlmodel import Field, SQLModel

from communication.columns import Json, Key, Moment, partial_index
from communication.model import DueWork, due_index, table_of


class Occurrence(SQLModel):
    """Something that happened, thin: contracts' names and shapes are made where it is told.

    `type` and `payload` are of what others said: the contract's own type, and the body that
    is told on as it came.
    """

    id: str = Field(sa_type=Text)
    tenant: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    type: str | None = Field(default=None, sa_type=Text)
    message_key: int | None = Field(default=None, sa_type=Key)
    delivery_key: int | None = Field(default=None, sa_type=Key)
    changed: dict[str, Any] | None = Field(default=None, sa_type=Json)
    payload: dict[str, Any] | None = Field(default=None, sa_type=Json)
    at: datetime = Field(sa_type=Moment)


class StagedEvent(Occurrence, table=True):
    """An event that has no position yet (docs/decisions/0006). `key`: in order of writing."""

    __tablename__ = "staged_event"

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)


class Event(Occurrence, table=True):
    """An event that may be told. Who reads on from a position misses none.

    That ids are unique is the id maker's work: an index for it would cost a third of the move.
    """

    __tablename__ = "event"

    position: int = Field(primary_key=True, sa_type=Key, sa_column_kwargs={"autoincrement": False})


class EventCursor(SQLModel, table=True):
    """How far events have come: `sequenced`, the last position given; `told`, to the sinks."""

    __tablename__ = "event_cursor"

    name: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Key)


class OrderEvent(SQLModel, table=True):
    """One entry of the feed of seed 002: values of its own, never changed, never derived again.

    `heard`: of an order that a listener event told of, not of a delivery.
    """

    __tablename__ = "order_event"
    __table_args__ = (
        Index("order_event_order", "tenant", "order_id", "heard", unique=True),
        Index("order_event_id", "event_id", unique=True),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(primary_key=True, sa_type=Key)
    event_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    access_id: str = Field(sa_type=Text)
    service: str = Field(sa_type=Text)
    operation: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    heard: bool = Field(sa_type=Boolean)


class HeardEvent(SQLModel, table=True):
    """What was posted to the listener (seed 000), once per `event_id`.

    `order_id`: the order that a ServiceOrderStateChangeNotification is about.
    """

    __tablename__ = "heard_event"
    __table_args__ = (
        Index("heard_event_unique", "tenant", "event_id", unique=True),
        partial_index("heard_event_order", "tenant", "order_id", where="order_id IS NOT NULL"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    tenant: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    order_id: str | None = Field(default=None, sa_type=Text)
    body: dict[str, Any] = Field(sa_type=Json)
    hash: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)


class CollectedEvent(SQLModel, table=True):
    """What was posted to, or reported into, the Event Collector (seed 003): `body`, as answered.

    `to_forward`: Tidings itself has reported it, and nobody has yet seen to its forwarding.
    """

    __tablename__ = "collected_event"
    __table_args__ = (partial_index("collected_event_to_forward", "key", where="to_forward"),)

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    id: str = Field(sa_type=Text, unique=True)
    tenant: str = Field(sa_type=Text)
    body: dict[str, Any] = Field(sa_type=Json)
    to_forward: bool = Field(default=False, sa_type=Boolean)
    created_at: datetime = Field(sa_type=Moment)


class Forwarding(DueWork, table=True):
    """One collected event on its way to another collector. `status`: of its last answer."""

    __tablename__ = "forwarding"
    __table_args__ = (
        due_index("forwarding"),
        Index("forwarding_unique", "collected_key", unique=True),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    collected_key: int = Field(sa_type=Key, foreign_key="collected_event.key")
    status: int | None = Field(default=None, sa_type=SmallInteger)
    reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


STAGED_EVENT = table_of(StagedEvent)
EVENT = table_of(Event)
EVENT_CURSOR = table_of(EventCursor)
ORDER_EVENT = table_of(OrderEvent)
HEARD_EVENT = table_of(HeardEvent)
COLLECTED_EVENT = table_of(CollectedEvent)
FORWARDING = table_of(Forwarding)
