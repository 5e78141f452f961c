"""How conditions reach into JSON and texts on the two databases."""

from functools import lru_cache
from typing import Any, Protocol

import orjson
from sqlalchemy import ColumnElement, cast, collate, func, literal
from sqlalchemy.dialects.postgresql import JSONPATH

from communication.query.conditions import Clauses, Condition, Kind, Operator, Test, matcher
from communication.query.jsonpath import jsonpath
from communication.query.pattern import found


class Engine(Protocol):
    """What differs between the databases."""

    def meets(self, document: ColumnElement[Any], clauses: Clauses) -> ColumnElement[bool]:
        """Whether a JSON column meets the clauses; not true where it is NULL."""

    def finds(self, column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
        """Whether a rewritten pattern occurs in a text column."""

    def ordered(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """The text column, compared by code point whatever the database's locale."""


class PostgreSQL:
    """By jsonpath, which the GIN indexes answer."""

    def meets(self, document: ColumnElement[Any], clauses: Clauses) -> ColumnElement[bool]:
        """One jsonpath for all clauses."""
        return document.bool_op("@?")(cast(jsonpath(clauses), JSONPATH))

    def finds(self, column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
        """By PostgreSQL's own regular expressions."""
        return column.bool_op("~")(pattern)

    def ordered(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """In the collation C."""
        return collate(column, "C")


class SQLite:
    """By Python functions, which `register_sqlite_functions` makes known."""

    def meets(self, document: ColumnElement[Any], clauses: Clauses) -> ColumnElement[bool]:
        """The evaluator for documents in memory, row by row."""
        return func.tidings_meets(document, literal(_dumped(clauses))).is_(1)

    def finds(self, column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
        """By RE2."""
        return func.tidings_finds(column, pattern).is_(1)

    def ordered(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """As it is: SQLite compares bytes."""
        return column


def register_sqlite_functions(dbapi_connection: Any) -> None:
    """Make the functions that lists use known to a new SQLite connection."""
    for name, function in (("tidings_meets", _meets), ("tidings_finds", _finds)):
        dbapi_connection.create_function(name, 2, function, deterministic=True)
    # Its own knows the letters of ASCII alone. No index is by it.
    dbapi_connection.create_function("lower", 1, _lower, deterministic=True)


def _meets(document: str | None, clauses: str) -> bool:
    return document is not None and _test(clauses)(orjson.loads(document))


def _finds(value: str | None, pattern: str) -> bool:
    return value is not None and found(pattern, value)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _dumped(clauses: Clauses) -> str:
    rows = [
        [(one.path, one.operator, one.kind, one.values) for one in clause] for clause in clauses
    ]
    return orjson.dumps(rows).decode()


@lru_cache(maxsize=64)
def _test(dumped: str) -> Test:
    return matcher(
        tuple(
            tuple(
                Condition(
                    path=tuple(path),
                    operator=Operator(operator),
                    kind=Kind(kind),
                    values=tuple(values),
                )
                for path, operator, kind, values in clause
            )
            for clause in orjson.loads(dumped)
        )
    )
