"""What others are told of a hub in trouble, through the Event Collector (seed 003).

Neither its URL, which may hold a secret, nor what its listener said.
"""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from communication.clock import to_wire
from communication.events.faults import FAULT, Fault
from worker.hubs.post import Tried

WARNING = "WARNING"
_ENTITY = "hub"


def given_up(hub: Row[Any], one: Tried) -> Fault | None:
    """A callback that is not tried again; None if what it told of was the fault of a hub.

    Two hubs that refuse each other's faults would never come to an end.
    """
    if one.job.event_type == FAULT and orjson.loads(one.job.body).get("entity_name") == _ENTITY:
        return None
    status = one.result.status
    return Fault(
        tenant=hub.tenant,
        entity_id=hub.id,
        entity_name=_ENTITY,
        operation="CREATE",
        payload={"hub": hub.id, "eventId": one.job.event_id, "eventType": one.job.event_type},
        fault={
            "reason": f"HTTP {status}" if status else "no answer",
            "attempts": one.job.attempts + 1,
        },
        key_attributes={
            "correlationId": one.job.event_id,
            "referenceId": hub.id,
            "timestamp": to_wire(one.at),
        },
    )


def disabled(hub: Row[Any], since: datetime, now: datetime) -> Fault:
    """A hub that is told nothing any more."""
    return Fault(
        type=WARNING,
        tenant=hub.tenant,
        entity_id=hub.id,
        entity_name=_ENTITY,
        operation="UPDATE",
        payload={"hub": hub.id, "state": "disabled"},
        fault={"reason": "no callback succeeded for too long", "failingSince": to_wire(since)},
        key_attributes={"referenceId": hub.id, "timestamp": to_wire(now)},
    )
