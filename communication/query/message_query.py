"""Lists of communication messages: a TMF630 query answered by PostgreSQL or SQLite."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.exc import OperationalError

from communication.bulk import among
from communication.errors import Unprocessable
from communication.model import DOCUMENT, MESSAGE
from communication.query.document_sql import Engine, PostgreSQL, SQLite
from communication.query.explain import estimated_rows
from communication.query.message_filter import message_conditions, sort_expression
from communication.query.message_vocabulary import message_vocabulary
from communication.query.tmf630 import Query, Sort

EXACT_UP_TO = 10_000
"""Totals up to here are always exact; on SQLite, and where the planner expects no more,
so are those up to COUNTED_UP_TO. Other totals are estimates."""
COUNTED_UP_TO = 100_000

_SQLITE_STEPS = 100  # of its virtual machine, some rows, between two looks at the clock


@dataclass(frozen=True, kw_only=True)
class Page:
    """`keys` of Message in the order asked for; `total` of all pages, `exact` or estimated."""

    keys: list[int]
    total: int
    exact: bool


def find(
    connection: Connection, tenant: str, query: Query, *, href_base: str = "", seconds: float = 5.0
) -> Page:
    """The page of a tenant's messages that the query asks for; deleted ones are never among them.

    A message's href is `href_base` and its id. Messages come in the order of their creation,
    or of sendTime if that is filtered by, unless `sort` says otherwise; one that lacks the
    attribute counts as the smallest, equal ones go by creation. An inexact total is above
    EXACT_UP_TO: the planner's guess on PostgreSQL, the least that it can be on SQLite.

    Unprocessable when it takes longer than `seconds`, which on PostgreSQL also bounds each
    later statement of the transaction.
    """
    engine: Engine = PostgreSQL() if connection.dialect.name == "postgresql" else SQLite()
    conditions = message_conditions(query.clauses, engine, href_base)
    present = (MESSAGE.c.tenant == tenant, MESSAGE.c.deleted_at.is_(None))
    matching = _joined(select(MESSAGE.c.key).where(*present, *conditions))
    with _bounded(connection, seconds):
        found, guess = _found(connection, matching)
        sort = _sort(query)
        if guess is not None:
            keys = _keys(connection, matching, sort, query, engine)
            return Page(keys=keys, total=guess, exact=False)
        if sort and query.offset < len(found):
            keys = _keys(connection, _among(connection, found, matching), sort, query, engine)
        else:
            keys = sorted(found)[query.offset : query.offset + query.limit]
        return Page(keys=keys, total=len(found), exact=True)


def _found(connection: Connection, matching: Select[Any]) -> tuple[list[int], int | None]:
    """All that match, unordered, and None; or nothing, and a guess at how many they are."""
    found = list(connection.scalars(matching.limit(EXACT_UP_TO + 1)))
    if len(found) <= EXACT_UP_TO:
        return found, None
    guess = estimated_rows(connection, matching)
    if guess <= COUNTED_UP_TO:
        found = list(connection.scalars(matching.limit(COUNTED_UP_TO + 1)))
        if len(found) <= COUNTED_UP_TO:
            return found, None
    return [], max(guess, len(found))


def _among(connection: Connection, found: list[int], matching: Select[Any]) -> Select[Any]:
    """The same messages; few by their keys, lest PostgreSQL walk through all in order."""
    if connection.dialect.name != "postgresql" or len(found) > EXACT_UP_TO:
        return matching
    return select(MESSAGE.c.key).where(among(connection, MESSAGE.c.key, found))


def _keys(
    connection: Connection,
    matching: Select[Any],
    sort: tuple[Sort, ...],
    query: Query,
    engine: Engine,
) -> list[int]:
    if not query.limit:
        return []
    kinds = message_vocabulary().kinds
    values = [sort_expression(key.path, kinds[key.path], engine) for key in sort]
    directed = [
        _directed(value, descending=key.descending) for key, value in zip(sort, values, strict=True)
    ]
    # Equal ones in the direction of the last key, so that one index range is the order.
    descending = bool(sort) and sort[-1].descending
    by_creation = MESSAGE.c.key.desc() if descending else MESSAGE.c.key.asc()
    page = _joined(matching.add_columns(*values)).order_by(*directed, by_creation)
    return list(connection.scalars(page.offset(query.offset).limit(query.limit)))


def _sort(query: Query) -> tuple[Sort, ...]:
    # A range of times found in the order of creation would mean to walk to where it begins.
    by_time = any(one.path == ("sendTime",) for clause in query.clauses for one in clause)
    return query.sort or ((Sort(path=("sendTime",), descending=False),) if by_time else ())


def _directed(value: ColumnElement[Any], *, descending: bool) -> ColumnElement[Any]:
    """The value in one direction; what is absent is the smallest."""
    directed = value.desc() if descending else value.asc()
    if not getattr(value, "nullable", True):
        return directed
    return directed.nulls_last() if descending else directed.nulls_first()


def _joined(statement: Select[Any]) -> Select[Any]:
    """With each message's document, if anything in the statement is about it."""
    if DOCUMENT not in statement.get_final_froms():
        return statement
    return statement.where(DOCUMENT.c.message_key == MESSAGE.c.key)


@contextmanager
def _bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """Unprocessable when the database takes longer than `seconds`."""
    is_postgresql = connection.dialect.name == "postgresql"
    bounds = _postgresql_bounds if is_postgresql else _sqlite_bounds
    try:
        with bounds(connection, seconds):
            yield
    except OperationalError as error:
        interrupted = isinstance(error.orig, psycopg.errors.QueryCanceled) or (
            str(error.orig) == "interrupted"
        )
        if not interrupted:
            raise
        raise Unprocessable(
            f"The search took longer than {seconds:g} s; narrow it by id, receiver, "
            "characteristic, status or sendTime"
        ) from error


@contextmanager
def _postgresql_bounds(connection: Connection, seconds: float) -> Iterator[None]:
    # Compiling (JIT) costs more than it saves here, and a plan must fit the very values.
    is_local = True
    settings = {
        "statement_timeout": f"{round(seconds * 1000)}",
        "jit": "off",
        "plan_cache_mode": "force_custom_plan",
    }
    connection.execute(
        select(*(func.set_config(name, value, is_local) for name, value in settings.items()))
    )
    yield


@contextmanager
def _sqlite_bounds(connection: Connection, seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _SQLITE_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
