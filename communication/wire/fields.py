"""JSON objects of requests, read by canonical names; errors speak in the client's spelling.

Null is as good as absent everywhere.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Self, TypeVar

from communication import clock
from communication.errors import InvalidField, MissingField, RequestError

T = TypeVar("T")

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_FLAGS = {"true": True, "false": False}
_YEARS = range(1900, 9999)
"""Beyond them a time zone's offset can leave the years that databases and Python know."""
_SAME: Mapping[str, str] = {}


class Spellings:
    """The attributes of one kind of object, and how clients may write them.

    Seed 004's field table writes capitals (Subject, SendTime) where its samples do not, and
    a sample has a space in a name; `aliases` are other names for the same.
    """

    __slots__ = ("_canonical", "names")

    def __init__(self, *names: str, **aliases: str) -> None:
        self.names = frozenset(names)
        capitalised = {name[0].upper() + name[1:]: name for name in names}
        self._canonical = capitalised | {name: name for name in names} | aliases

    def canonical(self, key: str) -> str:
        """The attribute's own name, or the key itself if it is none of these."""
        return self._canonical.get(key) or self._canonical.get(key.strip(), key)


class Fields:
    """One JSON object. Names that are not known stay as they are."""

    __slots__ = ("_spelled", "values")

    def __init__(self, values: dict[str, Any], spelled: Mapping[str, str] = _SAME) -> None:
        self.values = values
        self._spelled = spelled

    @classmethod
    def of(cls, body: object, known: Spellings) -> Self:
        """Of a JSON value. InvalidField if it is no object, or says one thing in two ways."""
        if not isinstance(body, dict):
            raise InvalidField("must be an object")
        if body.keys() <= known.names:
            return cls(body)
        values: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for key, value in body.items():
            name = known.canonical(key)
            if name in values and values[name] != value:
                other = spelled.get(name, name)
                raise InvalidField(f"differs from {other!r}, which means the same", field=key)
            values[name] = value
            if name != key:
                spelled[name] = key
        return cls(values, spelled)

    def with_values(self, values: dict[str, Any]) -> Self:
        """Other values under canonical names, with this object's spellings."""
        return type(self)(values, self._spelled)

    def spelled(self, name: str) -> str:
        """A name as the client wrote it."""
        return self._spelled.get(name, name)

    def invalid(self, name: str, message: str) -> InvalidField:
        """The error to raise about a field."""
        return InvalidField(message, field=self.spelled(name))

    def missing(self, name: str, message: str) -> MissingField:
        """The error to raise about a field that is not there."""
        return MissingField(message, field=self.spelled(name))

    def text(self, name: str, *, most: int) -> str | None:
        """A string of at most `most` characters."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.invalid(name, "must be a string")
        if len(value) > most:
            raise self.invalid(name, f"must have at most {most} characters, has {len(value)}")
        return value

    def flag(self, name: str) -> bool | None:
        """A boolean, or its string."""
        value = self.values.get(name)
        if isinstance(value, str):
            value = _FLAGS.get(value.strip().lower(), value)
        if value is None or isinstance(value, bool):
            return value
        raise self.invalid(name, "must be true or false")

    def whole(self, name: str, allowed: range) -> int | None:
        """A whole number of the range, or its string."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
            bounds = f"from {allowed.start} to {allowed.stop - 1}"
            raise self.invalid(name, f"must be a whole number {bounds}")
        return value

    def amount(self, name: str) -> float | None:
        """A number of zero or more, or its string."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise self.invalid(name, "must be a number of zero or more")
        return value if isinstance(value, int) else number

    def moment(self, name: str) -> datetime | None:
        """A time with a zone, to the millisecond, in UTC."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.invalid(name, "must be a time such as 2026-11-21T08:00:00Z")
        try:
            moment = clock.parse(value)
        except (ValueError, OverflowError) as error:
            why = str(error) if str(error).startswith("the time") else "not an ISO 8601 time"
            raise self.invalid(name, f"{why}; write 2026-11-21T08:00:00Z") from error
        if moment.year not in _YEARS:
            raise self.invalid(name, f"must lie in the years {_YEARS.start} to {_YEARS.stop - 1}")
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def items(self, name: str, read: Callable[[Any], T]) -> list[T] | None:
        """A list, each item read by `read`; errors get the item's place in front."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self.invalid(name, "must be a list")
        result: list[T] = []
        try:
            for item in value:
                result.append(read(item))  # noqa: PERF401 - its length says where an error is
        except RequestError as error:
            raise error.inside(f"{self.spelled(name)}[{len(result)}]") from None
        return result

    def nested(self, name: str, read: Callable[[Any], T]) -> T | None:
        """Whatever `read` makes of the value; errors get this field's name in front."""
        value = self.values.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except RequestError as error:
            raise error.inside(self.spelled(name)) from None

    def unknown(self, known: Spellings) -> dict[str, Any]:
        """What is none of the known attributes, as it came."""
        return {name: value for name, value in self.values.items() if name not in known.names}


def present(**values: Any) -> dict[str, Any]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
