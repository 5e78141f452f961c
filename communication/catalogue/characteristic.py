"""A characteristic of a template: what its value may be, and how it is read."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_FLAGS = {"true": True, "false": False}
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One that a template uses. `type` is one of TYPES."""

    name: str
    type: str = "any"
    required: bool = True
    default: Any = None
    example: Any = None
    description: str = ""
    allowed: tuple[Any, ...] = ()

    def read(self, given: object) -> Any:
        """The value as templates see it: numbers and dates may come as text (seed 004).

        ValueError, ending "… must be", if it is of another type or not allowed.
        """
        value = TYPES[self.type](given)
        if self.allowed and value not in [TYPES[self.type](one) for one in self.allowed]:
            raise ValueError(f"must be one of {', '.join(str(one) for one in self.allowed)}")
        return value


def _any(given: object) -> object:
    return given


def _string(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("must be text")  # noqa: TRY004 - one error for every wrong value
    return given


def _number(given: object) -> int | float | Decimal:
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return given
    if isinstance(given, str) and len(given) <= _MOST_DIGITS:
        try:
            number = Decimal(given.strip())
        except InvalidOperation:
            pass
        else:
            if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS:
                return number
    raise ValueError("must be a number such as 12.5")


def _integer(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, str) and _WHOLE.fullmatch(given.strip()):
        return int(given)
    raise ValueError("must be a whole number")


def _boolean(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.strip().lower() in _FLAGS:
        return _FLAGS[given.strip().lower()]
    raise ValueError("must be true or false")


def _date(given: object) -> date:
    try:
        return date.fromisoformat(_string(given).strip()[:10])
    except ValueError:
        raise ValueError("must be a date such as 2026-11-21") from None


def _datetime(given: object) -> datetime:
    try:
        return datetime.fromisoformat(_string(given).strip())
    except ValueError:
        raise ValueError("must be a time such as 2026-11-21T08:00:00Z") from None


def _url(given: object) -> str:
    try:
        parts = urlsplit(_string(given).strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        raise ValueError("must be a web address such as https://example.com/")
    return str(given).strip()


def _money(given: object) -> dict[str, Any]:
    """TMF's Money: `{"unit": "SEK", "value": 99.5}`."""
    if isinstance(given, dict) and isinstance(given.get("unit"), str) and "value" in given:
        return given | {"value": _number(given["value"])}
    raise ValueError('must be an amount such as {"unit": "EUR", "value": 99.5}')


def _list(given: object) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError("must be a list")  # noqa: TRY004 - one error for every wrong value
    return given


def _object(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError("must be an object")  # noqa: TRY004 - one error for every wrong value
    return given


TYPES: dict[str, Callable[[object], Any]] = {
    "any": _any,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "url": _url,
    "money": _money,
    "list": _list,
    "object": _object,
}
"""How a value of each type is read. `any`: where nothing is declared."""
