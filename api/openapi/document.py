"""The whole description, with what is alike everywhere: errors, access tokens, idempotency."""

from collections.abc import Mapping
from importlib.metadata import version

from api.contracts import LISTENER, Contract, contract_of
from api.openapi import examples, paths, paths_devices, paths_events, patterns
from api.openapi.headers import HEADERS, OF_STATUS, WHEN_LIMITED
from api.openapi.hub_events import HUB_EVENTS
from api.openapi.linking import operation_id
from api.openapi.pieces import Json, answer, header, parameter, ref, text
from api.openapi.schemas import message_schemas
from api.openapi.schemas_events import event_schemas
from communication import errors
from communication.errors import RequestError
from communication.settings import Settings

_ALWAYS = (400, 405, 408, 414, 417, 431, 500, 503)
_GUARDED = (401, 403, 429)
_OF_BODY = (413, 415)
_OF_POST = (409, 422)
_OF_CHANGE = (409,)
_IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key", "header", text(255, least=1, pattern=patterns.VISIBLE_ASCII),
    "The same key and body again get the first answer again; the key with another body is 422.",
)  # fmt: skip
_MEANINGS = {
    400: "Something in the request is missing or invalid.",
    401: "The access token is missing, invalid or expired.",
    403: "The access token is not for this; on the listener, also: too many requests.",
    404: "There is no such resource.",
    405: "The path has no such method.",
    408: "The request did not come to its end in time.",
    409: "The state of the resource forbids it now.",
    413: "The body is too large.",
    414: "The request line is too long.",
    415: "The body's media type or encoding is not understood.",
    417: "Expect can only be 100-continue.",
    422: "The key, or the event's id, came with another body before.",
    429: "Too many requests; Retry-After says when to come again.",
    431: "The request's head is too large.",
    500: "Our own fault; it is logged.",
    503: "The database is away, or too much waits to be sent.",
}
_TAGS = (
    ("/communicationMessage", "Messages", "TMF681: store, send, find, change, cancel."),
    ("/hub", "Hubs", "Hear of events by callback."),
    ("/appUser", "Devices", "What mobile push reaches an app's users on."),
    ("/externalapi", "Listener", "Tell of others' service orders."),
    ("/notification", "Notifications", "Hear of events by polling, each once."),
    ("/api/2.3.1", "Order events", "How every delivery ended, for ever."),
    ("/api/v1/events", "Event Collector", "Report faults and other events."),
    ("/receipt", "Receipts", "For HTTP gateways, by their own secret."),
    ("/", "Operations", "For operators, and this description."),
)

Scopes = Mapping[str, Mapping[str, str]]
"""By path and method, in capitals: the scope that a token needs."""


def describe(scopes: Scopes, settings: Settings) -> Json:
    """OpenAPI 3.1, as plain JSON."""
    authenticated = bool(settings.jwks)
    described = {**paths.PATHS, **paths_devices.PATHS, **paths_events.PATHS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": version("tidings"),
            "summary": "SMS, email and mobile push behind TMF681.",
            "description": "Where GET is, HEAD is too. A method that a path does not have is "
            "405, with `Allow`; a path that is not here is 404.",
        },
        "servers": [{"url": "/"}, {"url": settings.public_url}],
        "tags": [{"name": name, "description": said} for _, name, said in _TAGS],
        "paths": {
            path: _path(path, methods, scopes.get(path, {}), authenticated=authenticated)
            for path, methods in described.items()
        },
        "components": {
            "schemas": {**message_schemas(settings), **event_schemas(settings), **HUB_EVENTS},
            "headers": HEADERS,
            "securitySchemes": _security_schemes(scopes),
        },
    }


def _security_schemes(scopes: Scopes) -> Json:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "RFC 9068; see docs/security.md. " + _needed(scopes),
        },
        "gateway": {
            "type": "apiKey",
            "in": "query",
            "name": "key",
            "description": "The secret of the gateway's URL.",
        },
    }


def error_codes() -> list[tuple[int, int, str]]:
    """Code, status and reason of every error, in order."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    known = {
        (kind.code, kind.status, kind.reason) for kind in kinds if issubclass(kind, RequestError)
    }
    return sorted(known)


def _path(
    path: str, methods: Mapping[str, Json], scopes: Mapping[str, str], *, authenticated: bool
) -> Json:
    item: Json = {
        method: _operation(
            path, method, operation, scopes.get(method.upper()), authenticated=authenticated
        )
        for method, operation in methods.items()
    }
    if path.startswith("/communicationMessage"):
        item["servers"] = [{"url": one} for one in paths.TMF_SERVERS]
    if path.startswith("/hub"):
        item["servers"] = [{"url": one} for one in paths.HUB_SERVERS]
    return item


def _operation(
    path: str, method: str, operation: Json, scope: str | None, *, authenticated: bool
) -> Json:
    tag = next(name for prefix, name, _ in _TAGS if path.startswith(prefix))
    keyed = method == "post" and not path.startswith("/receipt")
    whole = {
        "operationId": operation_id(method, path),
        "tags": [tag],
        "security": [],
        **operation,
        "parameters": [*operation.get("parameters", ()), *([_IDEMPOTENCY_KEY] if keyed else ())],
        "responses": {
            **{
                status: _with_headers(one, "Idempotent-Replayed" if keyed else None)
                for status, one in operation["responses"].items()
            },
            **_errors(path, method, operation, scope),
        },
    }
    if scope is not None:
        whole["description"] = f"{operation.get('description', '')} Scope: `{scope}`.".strip()
        needed = [{"token": [one]} for one in scope.split()]
        is_optional = not authenticated or path in _BY_ADDRESS
        whole["security"] = [{}, *needed] if is_optional else needed
    return whole


_BY_ADDRESS = ("/ready", "/metrics")
"""They ask no token of an operator's address."""


def _with_headers(response: Json, *names: str | None) -> Json:
    more = {name: header(name) for name in ("X-Request-ID", *names) if name}
    return {**response, "headers": {**response.get("headers", {}), **more}}


def _errors(path: str, method: str, operation: Json, scope: str | None) -> dict[str, Json]:
    statuses = set(_ALWAYS)
    if scope is not None or path.startswith("/receipt"):
        statuses |= set(_GUARDED)
    if "{" in path:
        statuses.add(404)
    if method in ("post", "put", "patch"):
        statuses |= set(_OF_BODY)
    statuses |= set(_OF_POST if method == "post" else _OF_CHANGE)
    contract = contract_of(path)
    if contract is LISTENER:
        statuses.discard(429)
    return {
        str(status): _error(contract, status)
        for status in sorted(statuses)
        if str(status) not in operation["responses"]
    }


def _error(contract: Contract, status: int) -> Json:
    name, example = _BODIES.get(contract.prefix, ("Error", examples.ERROR_EXAMPLE))
    limited = WHEN_LIMITED if contract is LISTENER and status == _FORBIDDEN else ()
    said = answer(_MEANINGS[status], ref(name), ("error", example), media_type=contract.media_type)
    return _with_headers(said, *OF_STATUS.get(status, ()), *limited)


_FORBIDDEN = 403
_BODIES = {
    "/notification/v1": ("NotificationCode", examples.NOTIFICATION_ERROR_EXAMPLE),
    "/api/2.3.1": ("Cause", examples.CAUSE_EXAMPLE),
}


def _needed(scopes: Scopes) -> str:
    names = sorted({one for methods in scopes.values() for one in methods.values()})
    return f"Scopes: {', '.join(names)}."


def openapi_path(template: str) -> str:
    """A route of Falcon as OpenAPI writes it: without converters."""
    return template.replace(":path}", "}")
