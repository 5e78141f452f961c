"""The names of all events that somebody may ask for."""

from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE
from communication.settings import Settings, listed

HEARD_TYPES = (
    "ServiceOrderCreationNotification",
    "ServiceOrderStateChangeNotification",
    "ServiceOrderItemStateChangeNotification",
)
"""Of the listener (seed 000)."""
COLLECTED_TYPES = ("FAULT", "ENTITY_EVENT", "SYSTEM", "WARNING")
"""Of the Event Collector (seed 003), unless TIDINGS_EVENT_TYPES names more."""


def collected_types(settings: Settings) -> tuple[str, ...]:
    """Every `event_type` that the Event Collector takes."""
    return (*COLLECTED_TYPES, *listed(settings.event_types))


def event_types(settings: Settings) -> tuple[str, ...]:
    """Every type of event that hubs and subscriptions can be told of."""
    return (CREATION, UPDATE, DELETION, DELIVERY, *HEARD_TYPES, *collected_types(settings))
