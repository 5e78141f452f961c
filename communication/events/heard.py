"""What is posted to the listener (seed 000): from the wire, and stored once."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from communication.clock import to_wire
from communication.encoding import canonical_json
from communication.errors import NotFound, Unprocessable
from communication.events.event_model import HEARD_EVENT
from communication.events.event_types import HEARD_TYPES
from communication.events.happening import Happening, Kind, record
from communication.events.heard_order import HEARD_TYPE, heard_ending, heard_order_id
from communication.wire.fields import Fields, Spellings

HEARD_FIELDS = Spellings("eventId", "eventDate", "eventType", "event")
EVENT_ID_LONGEST = 256
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""RFC 3339 §5.6, as the contract's date-time."""
_FIND = select(HEARD_EVENT.c.body, HEARD_EVENT.c.hash).where(
    HEARD_EVENT.c.tenant == bindparam("of_tenant"), HEARD_EVENT.c.event_id == bindparam("of_id")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A valid event. `body`: as it came, and as it is told on."""

    event_id: str
    type: str
    order_id: str | None
    body: dict[str, Any]


def is_event_id(text: str) -> bool:
    """Whether an event can have this id."""
    return 0 < len(text) <= EVENT_ID_LONGEST and text.isprintable() and not text.isspace()


def read_heard(body: dict[str, Any]) -> Heard:
    """The event of a request. MissingField or InvalidField for its first fault."""
    fields = Fields.of(body, HEARD_FIELDS)
    event_id = _required(fields, "eventId", "the id of the event")
    if not is_event_id(event_id):
        raise fields.invalid("eventId", f"must be 1 to {EVENT_ID_LONGEST} printable characters")
    date = _date(fields)
    event_type = _required(fields, "eventType", f"one of {', '.join(HEARD_TYPES)}")
    if event_type not in HEARD_TYPES:
        raise fields.invalid("eventType", f"must be one of {', '.join(HEARD_TYPES)}")
    event = fields.values.get("event")
    if event is None:
        raise fields.missing("event", "is required: what the event is about")
    if not isinstance(event, dict):
        raise fields.invalid("event", "must be an object")
    body = fields.values | {"eventDate": date}
    return Heard(
        event_id=event_id,
        type=event_type,
        order_id=heard_order_id(body) if event_type == HEARD_TYPE else None,
        body=body,
    )


def hear(connection: Connection, tenant: str, heard: Heard, now: datetime) -> dict[str, Any]:
    """Store and tell an event the first time that it comes; the event as it was stored.

    Unprocessable when another event came with this id.
    """
    body_hash = hashlib.sha256(canonical_json(heard.body)).hexdigest()
    if _insert(connection, tenant, heard, body_hash, now):
        happening = Happening(
            kind=Kind.HEARD,
            tenant=tenant,
            at=now,
            type=heard.type,
            payload=heard.body,
            changed=heard_ending(heard.body) if heard.type == HEARD_TYPE else None,
        )
        record(connection, [happening])
        return heard.body
    stored = connection.execute(_FIND, {"of_tenant": tenant, "of_id": heard.event_id}).one()
    if stored.hash != body_hash:
        raise Unprocessable(
            "another event came with this id before; give every event its own", field="eventId"
        )
    body: dict[str, Any] = stored.body
    return body


def find_heard(connection: Connection, tenant: str, event_id: str) -> dict[str, Any]:
    """An event that was heard. NotFound."""
    body: dict[str, Any] | None = connection.execute(
        _FIND, {"of_tenant": tenant, "of_id": event_id}
    ).scalar()
    if body is None:
        raise NotFound(f"no event {event_id!r} was heard")
    return body


def _required(fields: Fields, name: str, what: str) -> str:
    text = fields.text(name, most=EVENT_ID_LONGEST)
    if text is None:
        raise fields.missing(name, f"is required: {what}")
    return text


def _date(fields: Fields) -> str:
    moment = fields.moment("eventDate")
    if moment is None:
        raise fields.missing("eventDate", "is required: when the event happened")
    given: str = fields.values["eventDate"]
    # More is understood than may be told on.
    return given if _DATE_TIME.fullmatch(given) else to_wire(moment)


def _insert(
    connection: Connection, tenant: str, heard: Heard, body_hash: str, now: datetime
) -> bool:
    """Whether it was new. One that is being stored by somebody else at this moment is awaited."""
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    values = {
        "tenant": tenant,
        "event_id": heard.event_id,
        "order_id": heard.order_id,
        "body": heard.body,
        "hash": body_hash,
        "created_at": now,
    }
    new = insert(HEARD_EVENT).values(values).on_conflict_do_nothing().returning(HEARD_EVENT.c.key)
    return connection.execute(new).first() is not None
