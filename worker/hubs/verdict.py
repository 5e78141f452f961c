"""What an answer to a callback means (docs/hub.md has the same table)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from communication.http.retry_after import retry_after

_REQUEST_TIMEOUT, _GONE, _TOO_MANY_REQUESTS = 408, 410, 429
_SUCCESS = range(200, 300)
_REFUSED = range(400, 500)


class Verdict(StrEnum):
    """Of one try."""

    DELIVERED = "delivered"  # the listener has it
    RETRY = "retry"  # it may work later
    FAILED = "failed"  # it would be refused again
    GONE = "gone"  # the listener wants nothing any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one try. `status` is None where there was no answer."""

    verdict: Verdict
    status: int | None = None
    reason: str | None = None
    retry_after: float = 0.0
    """Seconds that the listener asked for."""


def result_of(status: int, headers: Mapping[str, str], *, now: datetime) -> Result:
    """The meaning of an answer: 2xx is success; redirects are never followed."""
    if status in _SUCCESS:
        return Result(verdict=Verdict.DELIVERED, status=status)
    reason = f"HTTP {status}"
    if status == _GONE:
        return Result(verdict=Verdict.GONE, status=status, reason=reason)
    if status in _REFUSED and status not in (_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS):
        return Result(verdict=Verdict.FAILED, status=status, reason=reason)
    return Result(
        verdict=Verdict.RETRY,
        status=status,
        reason=reason,
        retry_after=retry_after(headers, now=now) or 0.0,
    )
