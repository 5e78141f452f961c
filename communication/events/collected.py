"""The Event Collector (seed 003): events from the wire, stored and told."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from communication.bulk import insert_rows
from communication.clock import to_wire
from communication.errors import NotFound
from communication.events.event_model import COLLECTED_EVENT
from communication.events.event_types import collected_types
from communication.events.happening import Happening, Kind, record
from communication.ids import new_id
from communication.settings import Settings, listed
from communication.wire.fields import Fields, Spellings, present

OPERATIONS = ("BULK_CREATE", "BULK_UPDATE", "CREATE", "DELETE", "READ", "UPDATE")
SOURCES = (
    "CUSTOMER",
    "INVENTORY_LEVEL",
    "INVENTORY_LOCATION",
    "ORDER",
    "PRICE",
    "PRODUCT",
    "VARIANT_PRODUCT",
    "WISHLIST",
    "APPLICATION",
    "SYSTEM",
    "CONNECTOR",
    "SERVERLESS",
)
_FIELDS = Spellings("entity_id", "entity_name", "event_payload", "event_source", "event_type", "id")
_PAYLOAD_FIELDS = Spellings(
    "base64_encoded_fault_json",
    "base64_encoded_payload_json",
    "entity_id",
    "key_attributes",
    "operation",
)
_NAME_LONGEST = 512
_FIND = select(COLLECTED_EVENT.c.body).where(
    COLLECTED_EVENT.c.tenant == bindparam("of_tenant"), COLLECTED_EVENT.c.id == bindparam("of_id")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The values that a deployment understands."""

    operations: tuple[str, ...]
    types: tuple[str, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Vocabulary":
        """Seed 003's, and those that the settings add."""
        return cls(
            operations=(*OPERATIONS, *listed(settings.event_operations)),
            types=collected_types(settings),
            sources=(*SOURCES, *listed(settings.event_sources)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """An event to store. `body`: as it is answered, with its id."""

    id: str
    tenant: str
    at: datetime
    body: dict[str, Any]


def read_collected(body: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """A request's event, without an id. MissingField or InvalidField for its first fault."""
    fields = Fields.of(body, _FIELDS)
    entity_id = _required(fields, "entity_id", "the id of what the event is about")
    name = fields.text("entity_name", most=_NAME_LONGEST)
    if fields.values.get("event_payload") is None:
        raise fields.missing("event_payload", "is required")
    payload = fields.nested(
        "event_payload", lambda value: _read_payload(value, entity_id, vocabulary)
    )
    known = {
        "event_payload": payload,
        "event_source": _one_of(fields, "event_source", vocabulary.sources),
        "event_type": _one_of(fields, "event_type", vocabulary.types),
    }
    return {"entity_id": entity_id} | present(entity_name=name) | known | fields.unknown(_FIELDS)


def _read_payload(value: Any, entity_id: str, vocabulary: Vocabulary) -> dict[str, Any]:
    fields = Fields.of(value, _PAYLOAD_FIELDS)
    attributes = fields.values.get("key_attributes")
    if attributes is not None and not isinstance(attributes, dict):
        raise fields.invalid("key_attributes", "must be an object")
    known = present(
        base64_encoded_fault_json=_base64(fields, "base64_encoded_fault_json"),
        base64_encoded_payload_json=_base64(fields, "base64_encoded_payload_json"),
        entity_id=fields.text("entity_id", most=_NAME_LONGEST) or entity_id,
        key_attributes=attributes or {},
        operation=_one_of(fields, "operation", vocabulary.operations),
    )
    return known | fields.unknown(_PAYLOAD_FIELDS)


def _required(fields: Fields, name: str, what: str) -> str:
    text = fields.text(name, most=_NAME_LONGEST)
    if text is None:
        raise fields.missing(name, f"is required: {what}")
    if not text.strip():
        raise fields.invalid(name, "must not be blank")
    return text


def _one_of(fields: Fields, name: str, allowed: tuple[str, ...]) -> str:
    text = _required(fields, name, f"one of {', '.join(allowed)}")
    if text not in allowed:
        raise fields.invalid(name, f"must be one of {', '.join(allowed)}")
    return text


def _base64(fields: Fields, name: str) -> str | None:
    """What it decodes to is the sender's affair: seed 003's own example is no JSON."""
    text = fields.text(name, most=2**30)
    if text is None:
        return None
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise fields.invalid(name, "must be base64") from None
    return text


def collect(connection: Connection, events: Sequence[Collected], *, own: bool = False) -> None:
    """Store events, and tell of them. `own`: Tidings reports them itself."""
    rows = [
        {
            "id": one.id,
            "tenant": one.tenant,
            "body": one.body,
            "to_forward": own,
            "created_at": one.at,
        }
        for one in events
    ]
    insert_rows(connection, COLLECTED_EVENT, rows)
    record(connection, [_happening(one) for one in events])


def new_collected(tenant: str, event: dict[str, Any], now: datetime) -> Collected:
    """An event with an id that is unique for ever."""
    public_id = new_id()
    return Collected(id=public_id, tenant=tenant, at=now, body=event | {"id": public_id})


def find_collected(connection: Connection, tenant: str, event_id: str) -> dict[str, Any]:
    """A stored event, as it was answered. NotFound."""
    values = {"of_tenant": tenant, "of_id": event_id}
    body: dict[str, Any] | None = connection.execute(_FIND, values).scalar()
    if body is None:
        raise NotFound(f"there is no event {event_id!r}")
    return body


def _happening(event: Collected) -> Happening:
    """Told as it is, below the three names by which hubs and pollers know every event."""
    header = {
        "eventType": event.body["event_type"],
        "eventTime": to_wire(event.at),
        "eventId": event.id,
    }
    return Happening(
        id=event.id,
        kind=Kind.COLLECTED,
        tenant=event.tenant,
        at=event.at,
        type=event.body["event_type"],
        payload={**event.body, **header},
    )
