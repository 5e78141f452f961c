"""The tables. Wire shapes are elsewhere: a row here is trusted, never validated."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Integer, SmallInteger, Table, Text, TextClause, text
from sqlmodel import Field, SQLModel

from communication.columns import Json, Key, Moment, partial_index
from communication.privacy.sealing import SealedText


class Status(StrEnum):
    """Of a message, as seed 004 names them."""

    INITIAL = "Initial"  # not sent yet, or waiting for its sendTime
    IN_PROGRESS = "InProgress"  # some deliveries are open
    COMPLETED = "Completed"  # over, and at least one receiver was reached
    FAILED = "Failed"  # over, and none was
    CANCELLED = "Cancelled"  # by the client


class State(StrEnum):
    """Of a delivery. A final state is never overwritten."""

    PENDING = "pending"  # due at `due_at`, or claimed and on its way to a worker
    SENDING = "sending"  # a worker has it
    SENT = "sent"  # the provider took it and will tell what became of it, until `due_at`
    DELIVERED = "delivered"  # final: the provider took it, or says that it arrived
    FAILED = "failed"  # final
    CANCELLED = "cancelled"  # final: by the client, before it was sent


def _list_index(name: str, *sorted_by: str | TextClause) -> Index:
    """What lists of present messages walk along; by `key` they are in the order of creation."""
    return partial_index(
        f"communication_message_{name}", "tenant", *sorted_by, "key", where="deleted_at IS NULL"
    )


class Message(SQLModel, table=True):
    """The part of a TMF681 resource that changes while it is sent, and what lists are sorted by."""

    __tablename__ = "communication_message"
    __table_args__ = (
        partial_index(
            "communication_message_public_id",
            "tenant",
            "id",
            where="deleted_at IS NULL",
            unique=True,
        ),
        _list_index("listed"),
        _list_index("status", "status"),
        _list_index("priority", "priority"),
        # NULLs first on PostgreSQL too: absent is the smallest, in either direction of a list.
        _list_index("send_time", text("send_time NULLS FIRST")).ddl_if(dialect="postgresql"),
        _list_index("send_time", "send_time").ddl_if(dialect="sqlite"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    uid: str = Field(sa_type=Text, unique=True)
    tenant: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    priority: int = Field(sa_type=SmallInteger)
    status: str = Field(sa_type=Text)
    send: int = Field(default=0, sa_type=Integer)
    send_time: datetime | None = Field(default=None, sa_type=Moment)
    send_time_complete: datetime | None = Field(default=None, sa_type=Moment)
    receiver_count: int = Field(sa_type=Integer)
    open_count: int = Field(default=0, sa_type=Integer)
    delivered_count: int = Field(default=0, sa_type=Integer)
    failed_count: int = Field(default=0, sa_type=Integer)
    cancelled_count: int = Field(default=0, sa_type=Integer)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
    deleted_at: datetime | None = Field(default=None, sa_type=Moment)


class MessageDocument(SQLModel, table=True):
    """The rest of the resource as canonical wire JSON, unknown attributes included.

    Apart from `communication_message`, so that the counting of deliveries never
    touches the wide row nor its search index. Holds neither id, href, status, sendTime,
    sendTimeComplete nor receiver.
    """

    __tablename__ = "message_document"
    __table_args__ = (
        Index(
            "message_document_search",
            "document",
            postgresql_using="gin",
            postgresql_ops={"document": "jsonb_path_ops"},
        ).ddl_if(dialect="postgresql"),
    )

    message_key: int = Field(primary_key=True, sa_type=Key, foreign_key="communication_message.key")
    document: dict[str, Any] = Field(sa_type=Json)


def _receiver_index(column: str) -> Index:
    return partial_index(f"receiver_{column}", column, "message_key", where=f"{column} IS NOT NULL")


class Receiver(SQLModel, table=True):
    """One receiver of a message. `removed_at`: replaced by a PATCH after it had been sent to."""

    __tablename__ = "receiver"
    __table_args__ = (
        Index("receiver_message", "message_key", "ordinal"),
        _receiver_index("id"),
        _receiver_index("name"),
        _receiver_index("email"),
        _receiver_index("phone"),
        _receiver_index("app_user_id"),
        Index(
            "receiver_search",
            "attributes",
            postgresql_using="gin",
            postgresql_ops={"attributes": "jsonb_path_ops"},
            postgresql_where=text("attributes IS NOT NULL"),
        ).ddl_if(dialect="postgresql"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    message_key: int = Field(sa_type=Key, foreign_key="communication_message.key")
    ordinal: int = Field(sa_type=Integer)
    id: str | None = Field(default=None, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=Text)
    app_user_id: str | None = Field(default=None, sa_type=Text)
    ip: str | None = Field(default=None, sa_type=Text)
    attributes: dict[str, Any] | None = Field(default=None, sa_type=Json)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class DueWork(SQLModel):
    """The columns by which the relay claims work, whatever the work is.

    `due_at` is when the row next needs attention: its time to be done, the next try,
    or, while it is leased, the end of the lease. None: it is over.
    """

    channel: str = Field(sa_type=Text)
    priority: int = Field(sa_type=SmallInteger)
    state: str = Field(sa_type=Text)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    lease: str | None = Field(default=None, sa_type=Text)
    attempts: int = Field(default=0, sa_type=SmallInteger)
    lost: int = Field(default=0, sa_type=SmallInteger)


def due_index(table: str) -> Index:
    """One index range per channel and priority, of open rows alone."""
    return partial_index(
        f"{table}_due", "channel", "priority", "due_at", where="due_at IS NOT NULL"
    )


class Delivery(DueWork, table=True):
    """One message to one receiver in one send. `ordinal` is the receiver's."""

    __tablename__ = "delivery"
    __table_args__ = (
        due_index("delivery"),
        Index("delivery_message", "message_key", "send", "ordinal", unique=True),
        partial_index("delivery_receipt", "reference", "provider", where="provider IS NOT NULL"),
        partial_index("delivery_unanswered", "due_at", where="state = 'sent'"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    message_key: int = Field(sa_type=Key, foreign_key="communication_message.key")
    # No foreign key: to delete a receiver, the database would look through all deliveries.
    receiver_key: int = Field(sa_type=Key)
    send: int = Field(sa_type=Integer)
    ordinal: int = Field(sa_type=Integer)
    reason: str | None = Field(default=None, sa_type=Text)
    reference: str | None = Field(default=None, sa_type=Text)
    # Only where a receipt was awaited: the others cost no index entry.
    provider: str | None = Field(default=None, sa_type=Text)
    template_version: str | None = Field(default=None, sa_type=Text)
    segments: int | None = Field(default=None, sa_type=Integer)
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class Attempt(SQLModel, table=True):
    """One try at a delivery: the contact log of seed 004's logFlag."""

    __tablename__ = "attempt"
    __table_args__ = (Index("attempt_delivery", "delivery_key"),)

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    delivery_key: int = Field(sa_type=Key, foreign_key="delivery.key")
    number: int = Field(sa_type=SmallInteger)
    provider: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    took_ms: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Moment)


class EarlyReceipt(SQLModel, table=True):
    """A final receipt whose delivery is not known: its submit may not be stored yet."""

    __tablename__ = "early_receipt"
    __table_args__ = (
        Index("early_receipt_reference", "reference", "provider"),
        Index("early_receipt_age", "received_at"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    provider: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=Moment)
    received_at: datetime = Field(sa_type=Moment)


class Idempotency(SQLModel, table=True):
    """A key that a client sent, the request that it stood for, and the answer it got."""

    __tablename__ = "idempotency"
    __table_args__ = (
        Index("idempotency_unique", "tenant", "client", "route", "idempotency_key", unique=True),
        Index("idempotency_age", "created_at"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    tenant: str = Field(sa_type=Text)
    client: str = Field(sa_type=Text)
    route: str = Field(sa_type=Text)
    idempotency_key: str = Field(sa_type=Text)
    request_hash: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    headers: dict[str, str] = Field(sa_type=Json)
    body: str = Field(sa_type=SealedText)
    created_at: datetime = Field(sa_type=Moment)


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: statements are written over these."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


MESSAGE = table_of(Message)
DOCUMENT = table_of(MessageDocument)
RECEIVER = table_of(Receiver)
DELIVERY = table_of(Delivery)
ATTEMPT = table_of(Attempt)
EARLY_RECEIPT = table_of(EarlyReceipt)
IDEMPOTENCY = table_of(Idempotency)
