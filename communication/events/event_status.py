"""How far events have come on their way to those who are told: two short looks."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from communication.events.event_model import STAGED_EVENT
from communication.events.sequencing import SEQUENCED, TOLD, position_of

_OLDEST = select(STAGED_EVENT.c.at).order_by(STAGED_EVENT.c.key).limit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatus:
    """What waits for the relay and for the fan-out."""

    age: float
    """Seconds since the oldest event that has no position happened; 0 when none waits."""
    untold: int
    """Events with a position that hubs and pollers were not given yet."""


def event_status(connection: Connection, *, now: datetime) -> EventStatus:
    """The state of things now."""
    oldest = connection.execute(_OLDEST).scalar_one_or_none()
    told = position_of(connection, TOLD)
    return EventStatus(
        age=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        untold=max(position_of(connection, SEQUENCED) - told, 0),
    )
