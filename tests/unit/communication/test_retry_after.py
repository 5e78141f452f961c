from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from communication.http.retry_after import LONGEST, retry_after

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def http_date(seconds: int) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("9" * 400, LONGEST),
        (http_date(90), 90),
        (http_date(-90), 0),
        ("Saturday, 21-Nov-26 08:00:30 GMT", 30),
        ("Sat Nov 21 08:00:30 2026", 30),
        ("Sat, 21 Nov 2026 08:00:30 -0000", 30),
        ("Sat, 21 Nov 2026 10:00:30 +0200", 30),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
    ],
)
def test_seconds_and_dates_are_understood(header: str, seconds: float) -> None:
    assert retry_after({"retry-after": header}, now=NOW) == seconds


@pytest.mark.parametrize(
    "header",
    ["", "-5", "+5", "1.5", "1e9", "soon", "120, 120", "\N{ARABIC-INDIC DIGIT THREE}", "\0"]
    + [f"Sat, 99 Nov 2026 08:00:30 {zone}" for zone in ("GMT", "+9999")]
    + ["Mon, 01 Jan 99999 00:00:00 GMT", "Sat, 21 Nov 2026 08:00:30 +9999"],
)
def test_what_makes_no_sense_asks_for_nothing(header: str) -> None:
    assert retry_after({"retry-after": header}, now=NOW) is None


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}, now=NOW) is None
