"""Every error becomes a response here, and nowhere else; api/contracts.py has the bodies."""

from typing import Any

import falcon
import structlog
from falcon import App, Request, Response

from api.contracts import contract_of
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
    """Answer every error in the body of its contract; no traceback ever leaves."""
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(falcon.HTTPError, _answer_falcon)
    app.add_error_handler(RequestError, _answer_request_error)
    app.add_error_handler(ServiceUnavailable, _answer_unavailable)


def _answer(req: Request, resp: Response, error: RequestError) -> None:
    contract = contract_of(req.path)
    resp.status = contract.status_of(error)
    resp.content_type = contract.media_type
    resp.data = to_json(contract.error_body(error))
    resp.set_headers(dict(error.headers))


def _answer_request_error(
    req: Request, resp: Response, error: RequestError, _params: dict[str, Any]
) -> None:
    _answer(req, resp, error)


def _answer_unavailable(
    req: Request, resp: Response, error: ServiceUnavailable, _params: dict[str, Any]
) -> None:
    # Why is for operators: it may name hosts and users.
    log.warning("request failed", request=req.context.request_id, why=error.message)
    _answer(req, resp, ServiceUnavailable("the database can't be used now; try again later"))


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
    route = req.uri_template or req.path  # a path may name an app's user
    log.error("unexpected error", request=request_id, route=route, exc_info=error)
    _answer(req, resp, RequestError(f"internal error; the log has it as request {request_id}"))
