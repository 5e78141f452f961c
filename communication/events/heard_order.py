"""What a heard event says of an order (seed 000's listener, told on in seed 002's feed)."""

from collections.abc import Mapping
from typing import Any

HEARD_TYPE = "ServiceOrderStateChangeNotification"
"""Of the listener's events, the one that tells what became of an order."""
SUCCESS = "DONE_SUCCESS"
FAILED = "DONE_FAILED"
LONGEST = 255
"""Characters of an id, a name or an action that a heard order may have."""

_FINAL = {
    "completed": SUCCESS,
    "failed": FAILED,
    "partial": FAILED,
    "rejected": FAILED,
    "cancelled": FAILED,
}


def heard_order_id(payload: Mapping[str, Any]) -> str | None:
    """The order that a heard ServiceOrderStateChangeNotification is about."""
    return _identity(_order(payload).get("id"))


def heard_ending(payload: Mapping[str, Any]) -> dict[str, str] | None:
    """What the feed will say of the order; None unless it has an id and is over."""
    order = _order(payload)
    order_id = heard_order_id(payload)
    said = str(order.get("state")).lower()
    if order_id is None or said not in _FINAL:
        return None
    item = _first(order.get("orderItem") or order.get("serviceOrderItem"))
    return {
        "order_id": order_id,
        "access_id": _identity(order.get("externalId")) or order_id,
        "service": _service(item),
        "operation": _identity(item.get("action")) or "",
        "state": _FINAL[said],
        "message": "" if _FINAL[said] == SUCCESS else said,
    }


def _order(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(payload.get("event"))


def _service(item: Mapping[str, Any]) -> str:
    name = _identity(_object(item.get("service")).get("name"))
    return name or _identity(_object(item.get("productOffering")).get("id")) or ""


def _first(items: object) -> Mapping[str, Any]:
    return _object(items[0]) if isinstance(items, list) and items else {}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _identity(value: object) -> str | None:
    """A text or a number as text; None for nothing, and for what is too long to name anything."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    named = str(value)
    return named if 0 < len(named) <= LONGEST else None
