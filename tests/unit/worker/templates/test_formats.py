"""Numbers, amounts, dates and times as a locale writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

from worker.templates.formats import filters_of

NBSP, NNBSP = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
MOMENT = "2026-11-21T08:05:00+02:00"


@pytest.mark.parametrize(
    ("locale", "name", "arguments", "text"),
    [
        ("en", "number", (12345.678,), "12,345.678"),
        ("sv", "number", ("12345.6", 2), f"12{NBSP}345,60"),
        ("pt-BR", "number", (Decimal(1000), 0), "1.000"),
        ("en", "percent", (0.25,), "25%"),
        ("sv", "percent", ("0.256", 1), f"25,6{NBSP}%"),
        ("en", "currency", (99.5, "eur"), "€99.50"),
        ("sv", "currency", ("1499", "SEK"), f"1{NBSP}499,00{NBSP}kr"),
        ("en", "currency", ({"unit": "USD", "value": 5},), "$5.00"),
        ("en", "date", ("2026-11-21",), "Nov 21, 2026"),
        ("sv", "date", (date(2026, 11, 21), "long"), "21 november 2026"),
        ("en-GB", "date", (MOMENT, "short"), "21/11/2026"),
        ("en", "time", ("08:30",), f"8:30{NNBSP}AM"),
        ("sv", "time", (MOMENT,), "08:05"),
        ("sv", "time", (MOMENT, "short", "Europe/Stockholm"), "07:05"),
        ("sv", "datetime", (datetime(2026, 11, 21, 8, tzinfo=UTC), "short"), "2026-11-21 08:00"),
        ("xx", "number", (1.5,), "1.5"),
    ],
)
def test_a_value_is_written_as_the_locale_does(
    locale: str, name: str, arguments: tuple[Any, ...], text: str
) -> None:
    assert filters_of(locale)[name](*arguments) == text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("number", ("twelve",)),
        ("number", (True,)),
        ("number", ("1e999999",)),
        ("number", (5, 10**9)),
        ("currency", (5,)),
        ("currency", (5, "kronor")),
        ("currency", ({"value": 5},)),
        ("date", ("soon",)),
        ("date", (5,)),
        ("time", ("late",)),
        ("time", (MOMENT, "short", "Mars/Crater")),
    ],
)
def test_what_can_not_be_written_is_told(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(FilterArgumentError):
        filters_of("en")[name](*arguments)


@pytest.mark.parametrize("name", filters_of("en"))
def test_what_is_absent_stays_absent(name: str) -> None:
    absent = Undefined(name="x")

    assert filters_of("en")[name](absent) is absent
    assert filters_of("en")[name](None) is None
