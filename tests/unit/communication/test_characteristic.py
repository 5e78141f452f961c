"""Values of characteristics: types, and what may be."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from communication.catalogue.characteristic import TYPES, Characteristic


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("any", [1, None], [1, None]),
        ("string", "Ann", "Ann"),
        ("number", 12, 12),
        ("number", 12.5, 12.5),
        ("number", " 12.50 ", Decimal("12.50")),
        ("integer", "-7", -7),
        ("integer", 7.0, 7),
        ("boolean", True, True),
        ("boolean", "False", False),
        ("date", "2026-11-21", date(2026, 11, 21)),
        ("date", "2026-11-21T08:00:00Z", date(2026, 11, 21)),
        ("datetime", "2026-11-21T08:00:00Z", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("url", "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("money", {"unit": "SEK", "value": "99.5"}, {"unit": "SEK", "value": Decimal("99.5")}),
        ("list", ["a"], ["a"]),
        ("object", {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_is_read_as_its_type(kind: str, given: object, value: object) -> None:
    assert Characteristic(name="x", type=kind).read(given) == value


WRONG: dict[str, list[Any]] = {
    "string": [5, None, ["a"]],
    "number": ["", "twelve", True, "1e999999", "NaN", "Infinity", "9" * 41, None],
    "integer": [1.5, "1.5", "", True, "9" * 31],
    "boolean": ["yes", 1, None],
    "date": ["21/11/2026", 20261121, "2026-02-30"],
    "datetime": ["soon", 5],
    "url": ["example.com", "javascript:alert(1)", "ftp://example.com/", "https://", "http://[", 5],
    "money": [99.5, {"value": 99.5}, {"unit": "SEK"}, {"unit": "SEK", "value": "much"}],
    "list": ["a", {"a": 1}],
    "object": ["a", [1]],
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_value_of_another_type_is_refused(kind: str) -> None:
    for given in WRONG[kind]:
        with pytest.raises(ValueError, match="must be"):
            Characteristic(name="x", type=kind).read(given)


def test_every_type_refuses_something_but_any() -> None:
    assert WRONG.keys() | {"any"} == TYPES.keys()


def test_only_allowed_values_are_read() -> None:
    size = Characteristic(name="size", type="integer", allowed=(1, "2"))

    assert [size.read("1"), size.read(2)] == [1, 2]
    with pytest.raises(ValueError, match="must be one of 1, 2"):
        size.read(3)
