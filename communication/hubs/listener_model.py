"""The tables of those who are told: hubs with their callbacks, and pollers."""

from datetime import datetime

from sqlalchemy import Index, Integer, SmallInteger, Text
from sqlmodel import Field, SQLModel

from communication.columns import Json, Key, Moment, partial_index
from communication.model import DueWork, due_index, table_of
from communication.privacy.sealing import SealedText


class Hub(SQLModel, table=True):
    """A registered listener. `query` is "" where the client gave none.

    `fingerprint`: of callback and query, which are too long for an index themselves.
    `old_secret` signs beside `secret` until `old_secret_until`. `failing_since`: no callback
    has succeeded from then on. `resting_until`: no callback is tried before. `lease`: who
    serves it until `leased_until`. It hears what comes after `created_position`.
    """

    __tablename__ = "hub"
    __table_args__ = (Index("hub_unique", "tenant", "fingerprint", unique=True),)

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    id: str = Field(sa_type=Text, unique=True)
    tenant: str = Field(sa_type=Text)
    callback: str = Field(sa_type=Text)
    query: str = Field(default="", sa_type=Text)
    fingerprint: str = Field(sa_type=Text)
    secret: str = Field(sa_type=SealedText)
    old_secret: str | None = Field(default=None, sa_type=SealedText)
    old_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    api_version: str = Field(sa_type=Text)
    state: str = Field(default="active", sa_type=Text)
    failing_since: datetime | None = Field(default=None, sa_type=Moment)
    resting_until: datetime | None = Field(default=None, sa_type=Moment)
    lease: str | None = Field(default=None, sa_type=Text)
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    created_position: int = Field(default=0, sa_type=Key)
    created_at: datetime = Field(sa_type=Moment)


class Callback(DueWork, table=True):
    """One event for one hub. `channel` is the hub's key as text; the hub is leased, not the row.

    `status`: of the listener's last answer, None where there was none. An `event_position`
    below zero is that of an example, an event that did not happen.
    """

    __tablename__ = "callback"
    __table_args__ = (
        due_index("callback"),
        Index("callback_unique", "hub_key", "event_position", unique=True),
        partial_index("callback_failed", "hub_key", "event_position", where="state = 'failed'"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    # No foreign key: to delete a hub, the database would have to delete its history.
    hub_key: int = Field(sa_type=Key)
    event_position: int = Field(sa_type=Key)
    event_id: str = Field(sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class CallbackBody(SQLModel, table=True):
    """What hubs are told of one event: the whole JSON, which a hub's `fields` make smaller."""

    __tablename__ = "callback_body"

    event_position: int = Field(
        primary_key=True, sa_type=Key, sa_column_kwargs={"autoincrement": False}
    )
    type: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    size: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Moment)


class CallbackAttempt(SQLModel, table=True):
    """One try at a callback that failed; of one that succeeded the callback tells itself."""

    __tablename__ = "callback_attempt"
    __table_args__ = (Index("callback_attempt_callback", "callback_key"),)

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    callback_key: int = Field(sa_type=Key)
    number: int = Field(sa_type=SmallInteger)
    outcome: str = Field(sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    reason: str | None = Field(default=None, sa_type=Text)
    took_ms: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Moment)


class Subscription(SQLModel, table=True):
    """A poller (seed 001).

    It is told what comes after `created_position`, and was handed all up to `handed_out`.
    """

    __tablename__ = "subscription"
    __table_args__ = (Index("subscription_tenant", "tenant"),)

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    id: str = Field(sa_type=Text, unique=True)
    tenant: str = Field(sa_type=Text)
    client_id: str = Field(sa_type=Text)
    subscribed_by: str = Field(sa_type=Text)
    event_type_ids: list[str] = Field(sa_type=Json)
    notification_page_size: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Moment)
    created_position: int = Field(sa_type=Key)
    handed_out: int = Field(sa_type=Key)
    last_request_date: datetime | None = Field(default=None, sa_type=Moment)


class SubscriptionQueue(SQLModel, table=True):
    """Up to which event a subscription's notifications were put into its queue.

    Apart from `subscription`, whose rows are locked while they are read from. Each generation
    of a queue has a name of its own, see communication.polling.subscriptions.
    """

    __tablename__ = "subscription_queue"

    subscription_key: int = Field(
        primary_key=True, sa_type=Key, sa_column_kwargs={"autoincrement": False}
    )
    queued: int = Field(sa_type=Key)
    generation: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})


HUB = table_of(Hub)
CALLBACK = table_of(Callback)
CALLBACK_BODY = table_of(CallbackBody)
CALLBACK_ATTEMPT = table_of(CallbackAttempt)
SUBSCRIPTION = table_of(Subscription)
SUBSCRIPTION_QUEUE = table_of(SubscriptionQueue)
