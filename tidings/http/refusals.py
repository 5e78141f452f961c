"""What is refused before any resource sees it, in the body of the contract it was meant for."""

from http import HTTPStatus

from gunicorn.http import errors as gunicorn_errors

from api.contracts import contract_of
from communication.encoding import to_json
from communication.errors import (
    InvalidBody,
    InvalidHeader,
    InvalidPathParameter,
    OverCapacity,
    RequestError,
)
from tidings.http.arrival import HeadTooLarge

_COME_AGAIN = 5
"""Seconds, for a client that came when there was no room."""


class RequestTooSlow(InvalidBody):
    """The request did not come to its end in time."""

    status = 408


class _PathTooLong(InvalidPathParameter):
    status = 414


class _ExpectationFailed(InvalidHeader):
    status = 417


def full() -> OverCapacity:
    """What comes in takes all the room there is."""
    return _over_capacity("too much is being sent here at once; try again later")


def too_many_lists() -> OverCapacity:
    """Others' lists took all the time for which this one could wait."""
    return _over_capacity("too many lists are asked for at once; ask for shorter pages, or later")


def _over_capacity(message: str) -> OverCapacity:
    error = OverCapacity(message)
    error.headers = {"Retry-After": str(_COME_AGAIN)}
    return error


def why(error: RequestError) -> str:
    """Why it is refused, as the metric has it."""
    if isinstance(error, RequestTooSlow):
        return "slow"
    return "crowd" if isinstance(error, OverCapacity) else "size"


def answer_to(error: RequestError, path: str) -> bytes:
    """A whole response, in the body of the contract that the path belongs to."""
    contract = contract_of(path)
    status = contract.status_of(error)
    body = to_json(contract.error_body(error))
    named = "".join(f"{name}: {value}\r\n" for name, value in error.headers.items())
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n{named}"
        f"Content-Type: {contract.media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def translated(exc: BaseException) -> RequestError | None:
    """What gunicorn's parser says, as an error of ours; None for what it did not say."""
    for kind, error, message in _PARSER_ERRORS:
        if isinstance(exc, kind):
            return error(message)
    return None


_PARSER_ERRORS: tuple[tuple[type[Exception], type[RequestError], str], ...] = (
    (gunicorn_errors.LimitRequestLine, _PathTooLong, "the request line is too long"),
    (gunicorn_errors.LimitRequestHeaders, HeadTooLarge, "a header is too long, or there are many"),
    (gunicorn_errors.ExpectationFailed, _ExpectationFailed, "Expect can only be 100-continue"),
    (gunicorn_errors.InvalidRequestLine, InvalidPathParameter, "the request line is malformed"),
    (gunicorn_errors.InvalidRequestMethod, InvalidPathParameter, "the method is no token"),
    (gunicorn_errors.InvalidHTTPVersion, InvalidPathParameter, "HTTP/1.1 and 1.0 are spoken here"),
    (gunicorn_errors.ParseException, InvalidHeader, "a header is malformed"),
)
