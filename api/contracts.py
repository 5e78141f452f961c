"""Contracts whose errors differ from those of TMF681, by the paths that they are served at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.answers import JSON
from communication.errors import RequestError

_LONGEST_FIELD = 200


def tmf_error(error: RequestError) -> dict[str, Any]:
    """Seed 000's ErrorRepresentation: code and status are whole numbers."""
    return {
        "code": error.code,
        "reason": error.reason,
        "message": said(error),
        "status": error.status,
        "referenceError": f"/docs#error-{error.code}",
        "@type": "Error",
        "@schemaLocation": "/openapi.json#/components/schemas/Error",
    }


def said(error: RequestError) -> str:
    """The error's text, with the name of the field in front."""
    where = _shortened(error.field)
    return f"{where}: {error.message}" if where else error.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """How errors are answered below a path."""

    prefix: str
    error_body: Callable[[RequestError], dict[str, Any]] = tmf_error
    media_type: str = JSON
    status_of: Callable[[RequestError], int] = lambda error: error.status


def contract_of(path: str) -> Contract:
    """The contract that a path belongs to."""
    for contract in CONTRACTS:
        if path == contract.prefix or path.startswith(f"{contract.prefix}/"):
            return contract
    return TMF681


def _shortened(field: str | None) -> str | None:
    if field is None or len(field) <= _LONGEST_FIELD:
        return field
    return f"{field[:_LONGEST_FIELD]}…"


def _notification_error(error: RequestError) -> dict[str, Any]:
    """Seed 001: the last two digits are the code of seed 000; NOT000001 tells of a success."""
    digits = error.code if error.code != RequestError.code else _INTERNAL
    return {"code": f"NOT0000{digits:02}", "description": said(error)}


def _listener_status(error: RequestError) -> int:
    """Seed 000 answers code 53 with 403."""
    return 403 if error.code == _TOO_MANY_REQUESTS else error.status


def _listener_error(error: RequestError) -> dict[str, Any]:
    return tmf_error(error) | {"status": _listener_status(error)}


def _order_error(error: RequestError) -> dict[str, Any]:
    """Seed 002's family: a cause, for people."""
    return {"cause": said(error)}


_INTERNAL = 99
_TOO_MANY_REQUESTS = 53
TMF681 = Contract(prefix="")
LISTENER = Contract(
    prefix="/externalapi/listener/v1",
    error_body=_listener_error,
    media_type="application/json;charset=utf-8",
    status_of=_listener_status,
)
NOTIFICATIONS = Contract(prefix="/notification/v1", error_body=_notification_error)
ORDERS = Contract(prefix="/api/2.3.1", error_body=_order_error)
CONTRACTS = (LISTENER, NOTIFICATIONS, ORDERS)
