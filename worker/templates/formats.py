"""Filters that write numbers, amounts, dates and times as a locale does (CLDR, by Babel)."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Any

from babel import Locale, UnknownLocaleError, dates, numbers
from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

_LONGEST_NUMBER = 40
_MOST_DIGITS = 20


def filters_of(locale: str) -> dict[str, Callable[..., Any]]:
    """The filters by name, for one locale; English where Babel does not know it."""
    known = _locale(locale)
    return {
        "number": partial(_number, known),
        "percent": partial(_percent, known),
        "currency": partial(_currency, known),
        "date": partial(_date, known),
        "time": partial(_time, known),
        "datetime": partial(_datetime, known),
    }


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _number(locale: Locale, value: Any, digits: int | None = None) -> Any:
    """`1,234.5`; with `digits`, that many decimals."""
    if isinstance(value, Undefined) or value is None:
        return value
    pattern = None if digits is None else _pattern(digits)
    return _written_number(locale, _digits(value), pattern)


def _percent(locale: Locale, value: Any, digits: int = 0) -> Any:
    """`0.25` as `25%`."""
    if isinstance(value, Undefined) or value is None:
        return value
    style = locale.percent_formats[None].pattern
    pattern = style.replace("#,##0", _pattern(digits)) if digits else None
    return _written_percent(locale, _digits(value), pattern)


def _currency(locale: Locale, value: Any, code: Any = None) -> Any:
    """`€99.50`; an object with `unit` and `value` (TMF's Money) names its own currency."""
    if isinstance(value, Undefined) or value is None:
        return value
    amount = value.get("value", value.get("amount")) if isinstance(value, dict) else value
    if code is None and isinstance(value, dict):
        code = value.get("unit") or value.get("currency")
    if not isinstance(code, str) or not numbers.is_currency(code.upper()):
        raise FilterArgumentError(f'{code!r} is no currency; write for example currency("EUR")')
    return _written_currency(locale, _digits(amount), code.upper())


def _date(locale: Locale, value: Any, style: str = "medium") -> Any:
    """`21 Nov 2026`; `style`: short, medium, long, full or a CLDR pattern."""
    if isinstance(value, Undefined) or value is None:
        return value
    return _written_date(locale, _moment(value).date(), style)


def _time(locale: Locale, value: Any, style: str = "short", zone: str | None = None) -> Any:
    """`08:00`, as the value's own offset from UTC has it unless a time zone is named."""
    if isinstance(value, Undefined) or value is None:
        return value
    moment = _clock(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        moment = _in_zone(moment, zone)
    return dates.format_time(moment, format=style, locale=locale)


def _datetime(locale: Locale, value: Any, style: str = "medium", zone: str | None = None) -> Any:
    """`21 Nov 2026, 08:00:00`, in the value's own offset unless a time zone is named."""
    if isinstance(value, Undefined) or value is None:
        return value
    return dates.format_datetime(_in_zone(_moment(value), zone), format=style, locale=locale)


def _in_zone(moment: datetime, zone: str | None) -> datetime:
    if zone is None:
        return moment.replace(tzinfo=None)
    try:
        return moment.astimezone(dates.get_timezone(zone)).replace(tzinfo=None)
    except LookupError:
        raise FilterArgumentError(f"{zone!r} is no time zone such as Europe/Stockholm") from None


# Babel looks up a dozen things for each value; campaigns write the same ones to everybody.
_remembered = lru_cache(maxsize=4096)


@_remembered
def _written_number(locale: Locale, digits: str, pattern: str | None) -> str:
    return numbers.format_decimal(Decimal(digits), format=pattern, locale=locale)


@_remembered
def _written_percent(locale: Locale, digits: str, pattern: str | None) -> str:
    return numbers.format_percent(Decimal(digits), format=pattern, locale=locale)


@_remembered
def _written_currency(locale: Locale, digits: str, code: str) -> str:
    return numbers.format_currency(Decimal(digits), code, locale=locale)


@_remembered
def _written_date(locale: Locale, day: date, style: str) -> str:
    return dates.format_date(day, format=style, locale=locale)


def _digits(value: Any) -> str:
    """A number as text, so that 1 and True or 1.0 and 1.00 are never taken for one another."""
    plain = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    text = str(value) if plain else value.strip() if isinstance(value, str) else ""
    try:
        number = Decimal(text if len(text) <= _LONGEST_NUMBER else "")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST_NUMBER:
        raise FilterArgumentError(f"{str(value)[:_LONGEST_NUMBER]!r} is no number")
    return text


def _pattern(digits: int) -> str:
    if not isinstance(digits, int) or not 0 <= digits <= _MOST_DIGITS:
        raise FilterArgumentError(f"digits must be 0 to {_MOST_DIGITS}")
    return "#,##0" + ("." + "0" * digits if digits else "")


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        return datetime.fromisoformat(value.strip())
    except (ValueError, AttributeError):
        shown = str(value)[:_LONGEST_NUMBER]
        raise FilterArgumentError(f"{shown!r} is no date or time such as 2026-11-21") from None


def _clock(value: str) -> datetime | time:
    try:
        return time.fromisoformat(value.strip())
    except ValueError:
        return _moment(value)
