"""Query strings of TMF630 part 1: filters, `fields`, `sort`, `offset` and `limit`.

docs/filtering.md tells clients what is understood; it is one language for lists and hubs.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote_to_bytes

from communication import clock
from communication.errors import InvalidQueryParameter
from communication.query import pattern
from communication.query.conditions import (
    Clause,
    Clauses,
    Condition,
    Kind,
    Operator,
    Path,
    is_number,
)

DEFAULT_LIMIT = 100
HIGHEST_LIMIT = 1000
MOST_CONDITIONS = 50
MOST_VALUES = 200
DEEPEST_PATH = 10
_MOST_DIGITS = 9

_RESERVED = ("fields", "sort", "offset", "limit")
_SIGNS = {
    "=": Operator.EQ,
    "==": Operator.EQ,
    "!=": Operator.NE,
    ">": Operator.GT,
    ">=": Operator.GTE,
    "<": Operator.LT,
    "<=": Operator.LTE,
    "*=": Operator.REGEX,
    "=~": Operator.REGEX,
}
_CONDITION = re.compile(r"([^=<>*!,;]*)(>=|<=|\*=|=~|==|!=|=|>|<)(.*)", re.DOTALL)
_ALTERNATIVE = re.compile(r"\s*[\w@$][\w@$.:\- ]*(>|<|\*=|!=|=)")
_UNENCODED_OFFSET = re.compile(r" (\d\d:?\d\d)$")
_SEPARATORS = re.compile("[,;]")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What is known about the attributes that can be asked for."""

    kinds: Mapping[Path, Kind]
    """Of attributes that never hold an object or an array. All others are Kind.ANY."""
    names: Mapping[Path, Callable[[str], str]] = field(default_factory=dict)
    """How names that a client writes below a path become the stored ones."""
    spellings: Mapping[Path, Callable[[str], str]] = field(default_factory=dict)
    """How a value that a client writes becomes the stored one."""
    sortable: frozenset[Path] = frozenset()

    def path(self, name: str) -> Path:
        """The path of an attribute as stored, from its dotted name."""
        path: Path = ()
        for part in name.strip().split("."):
            path = (*path, self.names.get(path, str)(part))
        return path


@dataclass(frozen=True, kw_only=True)
class Sort:
    """One sort key."""

    path: Path
    descending: bool


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query string that was understood. `fields` is None where all are wanted."""

    clauses: Clauses = ()
    fields: tuple[Path, ...] | None = None
    sort: tuple[Sort, ...] = ()
    offset: int = 0
    limit: int = DEFAULT_LIMIT


def parse_query_string(raw: str, vocabulary: Vocabulary) -> Query:
    """Read a query string as it stands in the URL, still percent-encoded.

    InvalidQueryParameter, naming the parameter, for whatever is not understood. A filter on
    an attribute that is not in the vocabulary is understood: what it finds, or nothing.
    """
    clauses: list[Clause] = []
    reserved: dict[str, list[str]] = {name: [] for name in _RESERVED}
    for part in filter(None, raw.split("&")):
        name, equals, value = part.partition("=")
        if equals and _decoded(name) in reserved:
            reserved[_decoded(name)].append(_decoded(value))
        else:
            clauses.append(_clause(part, vocabulary))
    if sum(map(len, clauses)) > MOST_CONDITIONS:
        raise InvalidQueryParameter(f"There may be at most {MOST_CONDITIONS} conditions.")
    return Query(
        clauses=_merged(clauses),
        fields=_fields(reserved["fields"], vocabulary),
        sort=_sort(reserved["sort"], vocabulary),
        offset=_whole_number("offset", reserved["offset"], 0),
        limit=min(_whole_number("limit", reserved["limit"], DEFAULT_LIMIT), HIGHEST_LIMIT),
    )


def _decoded(text: str) -> str:
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise InvalidQueryParameter("must be percent-encoded UTF-8", field=text) from None
    if "\0" in decoded:
        raise InvalidQueryParameter("may not hold the character U+0000", field=text)
    return decoded


def _clause(part: str, vocabulary: Vocabulary) -> Clause:
    """One part of the query string: alternatives between semicolons, mostly just one."""
    alternatives: list[str] = []
    for piece in part.split(";"):
        text = _decoded(piece)
        if alternatives and not _ALTERNATIVE.match(text):
            alternatives[-1] += f";{text}"
        else:
            alternatives.append(text)
    return tuple(_condition(text, vocabulary) for text in alternatives)


def _condition(text: str, vocabulary: Vocabulary) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None or not match[1].strip():
        raise InvalidQueryParameter("is no filter; write name=value", field=text.strip() or "?")
    name, operator, value = match[1].strip(), _SIGNS[match[2]], match[3]
    stem, _, suffix = name.rpartition(".")
    if stem and suffix in set(Operator):
        if not match[2].startswith("="):
            raise InvalidQueryParameter(f"has two operators: .{suffix} and {match[2]}", field=name)
        value, operator = text[text.index("=") + 1 :], Operator(suffix)
    else:
        stem = name
    path = _filter_path(stem, name, vocabulary)
    kind = vocabulary.kinds.get(path, Kind.ANY)
    spelling = vocabulary.spellings.get(path, str)
    values = _values(name, value, operator, kind, spelling)
    return Condition(path=path, operator=operator, kind=kind, values=values)


def _filter_path(stem: str, name: str, vocabulary: Vocabulary) -> Path:
    path = vocabulary.path(stem)
    if "" in path or len(path) > DEEPEST_PATH:
        raise InvalidQueryParameter("is no name of an attribute", field=name)
    for length in range(1, len(path)):
        if path[:length] in vocabulary.kinds:
            raise InvalidQueryParameter(
                f"{'.'.join(path[:length])} has neither an attribute nor an operator "
                f"{path[length]}; operators are {', '.join(Operator)}",
                field=name,
            )
    return path


def _values(
    name: str, text: str, operator: Operator, kind: Kind, spelling: Callable[[str], str]
) -> tuple[str, ...]:
    if operator is Operator.REGEX:
        return (_pattern(name, text, kind),)
    texts = [text]
    if operator in (Operator.EQ, Operator.NE):
        texts = [part.strip() for part in _SEPARATORS.split(text)]
        if kind in (Kind.TEXT, Kind.ANY):  # a text that holds a comma may be meant as it stands
            texts = [text, text.strip(), *filter(None, texts)]
    read = partial(_typed, name, kind)
    values = tuple(dict.fromkeys(read(spelling(text)) for text in texts))
    if len(values) > MOST_VALUES:
        raise InvalidQueryParameter(f"may have at most {MOST_VALUES} values", field=name)
    return values


def _pattern(name: str, text: str, kind: Kind) -> str:
    if kind not in (Kind.TEXT, Kind.ANY):
        raise InvalidQueryParameter("has no text that a pattern could match", field=name)
    try:
        return pattern.rewritten(text)
    except pattern.PatternError as error:
        raise InvalidQueryParameter(f"The pattern {error}", field=name) from error


def _typed(name: str, kind: Kind, text: str) -> str:
    """The text in the form in which it can be read as `kind`."""
    if kind is Kind.NUMBER and not is_number(text.strip()):
        raise InvalidQueryParameter("must be compared with a number", field=name)
    if kind is Kind.FLAG and text.strip().lower() not in ("true", "false"):
        raise InvalidQueryParameter("must be compared with true or false", field=name)
    if kind is Kind.TIME:
        return _time(name, text)
    return text.strip().lower() if kind in (Kind.NUMBER, Kind.FLAG) else text


def _time(name: str, text: str) -> str:
    # A plus that the client did not encode arrives as a space.
    text = _UNENCODED_OFFSET.sub(r"+\1", text.strip())
    try:
        return clock.parse(text).isoformat()
    except (ValueError, OverflowError):
        raise InvalidQueryParameter(
            "must be compared with a time that has a zone, such as 2026-11-21T08:00:00Z", field=name
        ) from None


def _merged(clauses: Iterable[Clause]) -> Clauses:
    """Conditions on the same attribute with the same operator are alternatives (TMF630)."""
    alone: dict[tuple[Path, Operator], Condition] = {}
    merged: list[Clause] = []
    for clause in clauses:
        if len(clause) > 1:
            merged.append(clause)
            continue
        one = clause[0]
        earlier = alone.get((one.path, one.operator))
        values = (*earlier.values, *one.values) if earlier else one.values
        alone[one.path, one.operator] = Condition(
            path=one.path, operator=one.operator, kind=one.kind, values=values
        )
    return (*((one,) for one in alone.values()), *merged)


def _fields(texts: list[str], vocabulary: Vocabulary) -> tuple[Path, ...] | None:
    names = _names(texts)
    return tuple(map(vocabulary.path, names)) if names else None


def _sort(texts: list[str], vocabulary: Vocabulary) -> tuple[Sort, ...]:
    keys = []
    for name in _names(texts):
        path = vocabulary.path(name.lstrip("+-"))
        if path not in vocabulary.sortable:
            known = ", ".join(sorted(".".join(one) for one in vocabulary.sortable))
            raise InvalidQueryParameter(f"{name} can't be sorted by; {known} can", field="sort")
        keys.append(Sort(path=path, descending=name.startswith("-")))
    return tuple(keys)


def _names(texts: list[str]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _whole_number(name: str, texts: list[str], default: int) -> int:
    if not texts:
        return default
    text = texts[-1].strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidQueryParameter("must be a whole number, 0 or more", field=name)
    return int(text)
