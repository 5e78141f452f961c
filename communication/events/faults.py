"""What Tidings itself reports into the Event Collector (seed 003), being its own client.

Nothing here may name a person or give a secret away: faults may be forwarded.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from communication.bulk import among
from communication.clock import now, to_wire
from communication.encoding import to_json
from communication.events.collected import Collected, collect, new_collected
from communication.events.order_reason import order_reason
from communication.ids import delivery_id
from communication.model import DELIVERY, MESSAGE

FAULT = "FAULT"
SOURCE = "APPLICATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that was given up after its tries.

    `entity_id`: of what failed, and `entity_name` what that is. `operation`: one of seed 003's.
    `payload`: what was to be done; `fault`: what went wrong; both any JSON.
    """

    tenant: str
    entity_id: str
    entity_name: str
    operation: str
    payload: Mapping[str, Any]
    fault: Mapping[str, Any]
    key_attributes: Mapping[str, str]
    type: str = FAULT
    """Or WARNING."""


def report(connection: Connection, faults: Iterable[Fault]) -> None:
    """Store faults, in the transaction of what they tell of, and tell of them."""
    moment = now()
    collect(connection, [_collected(one, moment) for one in faults], own=True)


def report_deliveries(connection: Connection, keys: Sequence[int]) -> None:
    """Report deliveries that have failed for good, as they are stored now."""
    failed = _FAILED.where(among(connection, DELIVERY.c.key, keys)).order_by(DELIVERY.c.key)
    report(connection, [_of_delivery(row) for row in connection.execute(failed)])


_FAILED = select(
    DELIVERY.c.key,
    DELIVERY.c.send,
    DELIVERY.c.ordinal,
    DELIVERY.c.channel,
    DELIVERY.c.priority,
    DELIVERY.c.attempts,
    DELIVERY.c.reason,
    DELIVERY.c.ended_at,
    MESSAGE.c.tenant,
    MESSAGE.c.uid,
    MESSAGE.c.id,
).join_from(DELIVERY, MESSAGE, MESSAGE.c.key == DELIVERY.c.message_key)


def _of_delivery(row: Any) -> Fault:
    public_id = delivery_id(row.uid, row.send, row.ordinal)
    return Fault(
        tenant=row.tenant,
        entity_id=public_id,
        entity_name="delivery",
        operation="CREATE",
        payload={
            "id": public_id,
            "communicationMessage": row.id,
            "channel": row.channel,
            "priority": row.priority,
            "send": row.send,
        },
        # What a provider says may hold addresses: it is told in words of ours.
        fault={"reason": order_reason(row.reason), "attempts": row.attempts},
        key_attributes={
            "correlationId": row.id,
            "referenceId": public_id,
            "timestamp": to_wire(row.ended_at or now()),
        },
    )


def _collected(fault: Fault, moment: datetime) -> Collected:
    event = {
        "entity_id": fault.entity_id,
        "entity_name": fault.entity_name,
        "event_payload": {
            "base64_encoded_fault_json": _encoded(fault.fault),
            "base64_encoded_payload_json": _encoded(fault.payload),
            "entity_id": fault.entity_id,
            "key_attributes": dict(fault.key_attributes),
            "operation": fault.operation,
        },
        "event_source": SOURCE,
        "event_type": fault.type,
    }
    return new_collected(fault.tenant, event, moment)


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.b64encode(to_json(value)).decode()
