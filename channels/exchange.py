"""HTTP with providers: what goes wrong on the way, and what statuses mean where no table says."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson

from channels.errors import ConfigurationFault, OutcomeUnknown, Throttled
from communication.clock import now
from communication.errors import (
    ConnectionFailed,
    DeliveryError,
    HttpError,
    PermanentDeliveryError,
    TimedOut,
    TransientDeliveryError,
)
from communication.http.client import Answer
from communication.http.retry_after import retry_after

FAULT_WAIT = 60.0
"""Seconds until the next try where a setting is wrong: a person has to mend it."""
_LONGEST = 300
"""Characters of what a provider says that are kept."""
_REFUSES_US = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
)


def answer_of(request: Callable[[], Answer]) -> Answer:
    """The provider's answer, whatever its status.

    OutcomeUnknown where the provider may have got the request and did not answer,
    ConfigurationFault where its certificate is not to be trusted, PermanentDeliveryError for a
    URL that is not to be called.
    """
    try:
        return request()
    except (ConnectionFailed, TimedOut) as error:
        if error.sent:
            shared = getattr(error, "shared", False)
            raise OutcomeUnknown(
                f"it may have been taken: {error.reason}", shared=shared
            ) from error
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise ConfigurationFault(error.reason, retry_after=FAULT_WAIT) from error
        raise TransientDeliveryError(error.reason) from error
    except HttpError as error:
        raise PermanentDeliveryError(error.reason) from error


def is_taken(answer: Answer) -> bool:
    """Whether the status is a 2xx."""
    return answer.status // 100 == 2  # noqa: PLR2004


def error_of(
    answer: Answer, said: str = "", kind: type[DeliveryError] | None = None
) -> DeliveryError:
    """The error that an answer means: of the kind that a table has for it, else by its status.

    `said` is the provider's own word for it.
    """
    reason = f"{answer.status} {said}".strip()[:_LONGEST]
    kind = kind or _kind_of(answer.status)
    if kind is ConfigurationFault:
        return ConfigurationFault(reason, retry_after=FAULT_WAIT)
    asked = retry_after(answer.headers, now=now())
    if kind is Throttled:
        return Throttled(reason, retry_after=asked, keep_away=asked or 0.0)
    if issubclass(kind, TransientDeliveryError):
        return kind(reason, retry_after=asked)
    return kind(reason)


def _kind_of(status: int) -> type[DeliveryError]:
    if status in _REFUSES_US:
        return ConfigurationFault
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled
    passing = status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return TransientDeliveryError if passing else PermanentDeliveryError


def object_of(answer: Answer) -> dict[str, Any]:
    """The JSON object that the provider answered; empty if it is none."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def moment_of(milliseconds: object) -> datetime | None:
    """A time in milliseconds since 1970; None if it is none."""
    if not isinstance(milliseconds, int):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
