"""Conditions on JSON documents: what they are, how they combine, whether a document meets them.

The meaning is that of PostgreSQL's lax jsonpath, so that a condition can be tried here or
there: an attribute of an array is that attribute of each of its elements, and conditions
that go through the same array must be met by one element of it.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

from communication import clock
from communication.query.pattern import found

Path: TypeAlias = tuple[str, ...]
Scalar: TypeAlias = str | Decimal | bool | datetime
Test: TypeAlias = Callable[[Any], bool]

_ABSENT = object()
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")


class Kind(StrEnum):
    """What the values of an attribute are, and so what a condition's text is read as."""

    ANY = "any"  # text, and also a number or a boolean if the text is one
    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


class Operator(StrEnum):
    """How an attribute is compared; the names are TMF630's suffixes."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    REGEX = "regex"


ORDERINGS: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One attribute compared with values: it is met if it is met for one of them.

    Only NE must be met for all. `values` are texts that can be read as `kind`; those of
    REGEX are rewritten patterns.
    """

    path: Path
    operator: Operator
    kind: Kind
    values: tuple[str, ...]

    @cached_property
    def operands(self) -> tuple[Scalar, ...]:
        """The values as what they are compared as."""
        return tuple(operand for text in self.values for operand in _read(text, self.kind))

    def below(self) -> "Condition":
        """The same, as seen from the first attribute of the path."""
        return replace(self, path=self.path[1:])

    def met_by(self, leaf: object) -> bool:
        """Whether one JSON value that is neither object nor array meets this."""
        value = _scalar(leaf, self.kind)
        if value is None:
            return False
        if self.operator is Operator.REGEX:
            return isinstance(value, str) and any(found(text, value) for text in self.values)
        comparable = [one for one in self.operands if type(one) is type(value)]
        if self.operator is Operator.NE:
            return value not in comparable
        if self.operator is Operator.EQ:
            return value in comparable
        return any(ORDERINGS[self.operator](value, one) for one in comparable)


Clause: TypeAlias = tuple[Condition, ...]
"""Alternatives: one of them must be met."""

Clauses: TypeAlias = tuple[Clause, ...]
"""All of them must be met."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """Clauses sorted by where they go from one place in a document."""

    here: Clauses
    """About the value at this place."""
    below: Mapping[str, Clauses]
    """About one attribute of it, and as seen from there."""
    mixed: Clauses
    """Alternatives that go into different attributes: each of them stands by itself."""


def level(clauses: Iterable[Clause]) -> Level:
    """The clauses sorted by the first names of their paths."""
    here: list[Clause] = []
    below: dict[str, list[Clause]] = {}
    mixed: list[Clause] = []
    for clause in clauses:
        firsts = {condition.path[:1] for condition in clause}
        if firsts == {()}:
            here.append(clause)
        elif len(firsts) == 1:
            shorter = tuple(condition.below() for condition in clause)
            below.setdefault(clause[0].path[0], []).append(shorter)
        else:
            mixed.append(clause)
    return Level(
        here=tuple(here),
        below={name: tuple(those) for name, those in below.items()},
        mixed=tuple(mixed),
    )


def matcher(clauses: Clauses) -> Test:
    """A function that tells whether a JSON value meets all the clauses."""
    parts = level(clauses)
    tests = [_leaf_test(clause) for clause in parts.here]
    tests += [_attribute_test(name, matcher(those)) for name, those in parts.below.items()]
    tests += [_either([matcher(((one,),)) for one in clause]) for clause in parts.mixed]
    return lambda value: all(test(value) for test in tests)


def is_number(text: str) -> bool:
    """Whether a text is a JSON number of a sensible length."""
    return _NUMBER.fullmatch(text) is not None


def selected(document: dict[str, Any], fields: Iterable[Path]) -> dict[str, Any]:
    """The document with these attributes alone, and `id` and `href`; unknown ones are ignored."""
    wanted: dict[str, list[Path]] = {"id": [()], "href": [()]}
    for path in fields:
        wanted.setdefault(path[0], []).append(path[1:])
    return _selected(document, wanted)


def _selected(document: dict[str, Any], wanted: Mapping[str, list[Path]]) -> dict[str, Any]:
    parts = {name: _part(document[name], wanted[name]) for name in document if name in wanted}
    return {name: part for name, part in parts.items() if part is not _ABSENT}


def _part(value: Any, paths: list[Path]) -> Any:
    if () in paths:
        return value
    if isinstance(value, list):
        elements = [_part(element, paths) for element in value]
        kept = [{} if element is _ABSENT else element for element in elements]
        return kept if any(kept) else _ABSENT
    if not isinstance(value, dict):
        return _ABSENT
    wanted: dict[str, list[Path]] = {}
    for path in paths:
        wanted.setdefault(path[0], []).append(path[1:])
    return _selected(value, wanted) or _ABSENT


def _leaf_test(clause: Clause) -> Test:
    def test(value: Any) -> bool:
        return any(
            condition.met_by(leaf)
            for condition in clause
            for leaf in ([value] if condition.operator is Operator.NE else _elements(value))
        )

    return test


def _attribute_test(name: str, inner: Test) -> Test:
    def test(value: Any) -> bool:
        return any(
            inner(element)
            for holder in _elements(value)
            if isinstance(holder, dict) and name in holder
            for element in _elements(holder[name])
        )

    return test


def _either(tests: list[Test]) -> Test:
    return lambda value: any(test(value) for test in tests)


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _read(text: str, kind: Kind) -> list[Scalar]:
    if kind is Kind.TIME:
        return [clock.parse(text)]
    if kind is Kind.NUMBER:
        return [Decimal(text)]
    if kind is Kind.FLAG:
        return [text == "true"]
    also: list[Scalar] = []
    if kind is Kind.ANY and is_number(text):
        also = [Decimal(text)]
    elif kind is Kind.ANY and text in ("true", "false"):
        also = [text == "true"]
    return [text, *also]


def _scalar(leaf: object, kind: Kind) -> Scalar | None:
    if kind is Kind.TIME:
        return _moment(leaf)
    if isinstance(leaf, str | bool):
        return leaf
    return Decimal(str(leaf)) if isinstance(leaf, int | float) else None


def _moment(leaf: object) -> datetime | None:
    try:
        return clock.parse(leaf) if isinstance(leaf, str) else None
    except (ValueError, OverflowError):
        return None
