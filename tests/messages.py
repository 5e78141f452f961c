"""Stored messages for tests that need no HTTP, and what became of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Table, select

from communication import due
from communication.clock import now
from communication.messages.acceptance import accept
from communication.model import DELIVERY
from communication.store import Store
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, Rules, read_message
from communication.wire.representation import Head

RULES = Rules(max_receivers=100_000, try_times=3, templates=None)


def email(receivers: int = 1, **attributes: object) -> dict[str, Any]:
    """The body of a valid email."""
    return {
        "type": "Email",
        "subject": "Hello",
        "content": "Dear customer",
        "receiver": [{"email": f"receiver-{n}@example.com"} for n in range(receivers)],
        **attributes,
    }


def store_message(
    store: Store, body: dict[str, Any], *, sending: bool = True, tenant: str = "default"
) -> Head:
    """Store a message as the api does, due at once unless it has a sendTime."""
    draft = read_message(Fields.of(body, MESSAGE_FIELDS), RULES, tenant=tenant)
    with store.write() as connection:
        return accept(connection, draft, tenant=tenant, now=now(), sending=sending)


def claimed(
    store: Store, lease: timedelta = timedelta(seconds=0.9), *, channel: str = "email"
) -> list[int]:
    """The keys of all deliveries that are due, claimed as the relay does."""
    with store.write() as connection:
        claims = due.claim(
            connection,
            DELIVERY,
            channel=channel,
            priorities=range(10),
            limit=100,
            lease="relay",
            now=now(),
            until=now() + lease,
        )
    return [one.key for one in claims]


def rows(store: Store, table: Table) -> list[Row[Any]]:
    """All of a table, oldest first."""
    with store.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)).all())


def states(store: Store) -> list[str]:
    """Of every delivery, oldest first."""
    return [row.state for row in rows(store, DELIVERY)]
