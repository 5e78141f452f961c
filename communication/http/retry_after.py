"""What a Retry-After header asks for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 31_536_000.0
"""Seconds, a year: who reads it clamps it to what makes sense there."""


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds to wait, of a number of them or until a date; None if it asks for nothing sensible.

    RFC 9110 §10.2.3. Names of headers are lower-case; of repeated ones, or ones with a comma
    that is no date's, nothing is made. A date in the past is 0.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), LONGEST)
