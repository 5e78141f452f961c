"""Every error of the TMF contracts becomes a response here, and nowhere else."""

from typing import Any

import falcon
import structlog
from falcon import App, Request, Response

from api.answers import JSON
from communication.encoding import to_json
from communication.errors import (
    AccessDenied,
    BodyTooLarge,
    InvalidHeader,
    MethodNotAllowed,
    NotFound,
    RequestError,
    ServiceUnavailable,
    UnsupportedBody,
)

_LONGEST_FIELD = 200
_KINDS: dict[int, type[RequestError]] = {
    400: InvalidHeader,
    403: AccessDenied,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
    415: UnsupportedBody,
}

log = structlog.get_logger(part="api")


def add_error_handlers(app: App[Any, Any]) -> None:
    """Answer every error with the TMF error body; no traceback ever leaves."""
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(falcon.HTTPError, _answer_falcon)
    app.add_error_handler(RequestError, _answer_request_error)
    app.add_error_handler(ServiceUnavailable, _answer_unavailable)


def error_body(error: RequestError) -> dict[str, Any]:
    """Seed 000's ErrorRepresentation: code and status are whole numbers."""
    where = _shortened(error.field)
    return {
        "code": error.code,
        "reason": error.reason,
        "message": f"{where}: {error.message}" if where else error.message,
        "status": error.status,
        "referenceError": f"/docs#error-{error.code}",
        "@type": "Error",
        "@schemaLocation": "/openapi.json#/components/schemas/Error",
    }


def _shortened(field: str | None) -> str | None:
    if field is None or len(field) <= _LONGEST_FIELD:
        return field
    return f"{field[:_LONGEST_FIELD]}…"


def _answer(resp: Response, error: RequestError) -> None:
    resp.status = error.status
    resp.content_type = JSON
    resp.data = to_json(error_body(error))


def _answer_request_error(
    _req: Request, resp: Response, error: RequestError, _params: dict[str, Any]
) -> None:
    _answer(resp, error)


def _answer_unavailable(
    req: Request, resp: Response, error: ServiceUnavailable, _params: dict[str, Any]
) -> None:
    # Why is for operators: it may name hosts and users.
    log.warning("request failed", request=req.context.request_id, why=error.message)
    _answer(resp, ServiceUnavailable("the database can't be used now; try again later"))


def _answer_falcon(
    req: Request, resp: Response, error: falcon.HTTPError, params: dict[str, Any]
) -> None:
    kind = _KINDS.get(error.status_code, RequestError)
    message = _MESSAGES.get(error.status_code) or error.description or error.title or ""
    resp.set_headers(dict(error.headers or {}))
    _answer_request_error(req, resp, kind(message), params)


_MESSAGES = {
    404: "there is nothing at this path",
    405: "the Allow header lists the methods that this resource has",
}


def _answer_unexpected(
    req: Request, resp: Response, error: Exception, _params: dict[str, Any]
) -> None:
    request_id = req.context.request_id
    log.error("unexpected error", request=request_id, path=req.path, exc_info=error)
    _answer(resp, RequestError(f"internal error; the log has it as request {request_id}"))
