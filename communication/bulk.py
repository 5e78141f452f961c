"""Many rows in one statement.

On PostgreSQL the rows travel as one JSON parameter: a driver's executemany costs several
times as much for each row (docs/decisions/0002). SQLite is in-process: there it is as fast.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Insert,
    Table,
    TableValuedAlias,
    Text,
    Update,
    any_,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from communication.encoding import to_json

T = TypeVar("T")


def among(connection: Connection, column: Column[T], values: Iterable[T]) -> ColumnElement[bool]:
    """`column IN values`; on PostgreSQL as one array: any number of them is one statement."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    return column.in_(list(values))


def among_named(dialect: str, key: Column[int]) -> ColumnElement[bool]:
    """`key IN :keys`, for statements that are put together once.

    To put one together anew for each batch costs a tenth of the worker's processor time.
    """
    if dialect == "postgresql":
        return key == any_(bindparam("keys", type_=ARRAY(key.type)))
    return key.in_(bindparam("keys", expanding=True))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_insert_recordset(table, tuple(rows[0])), _as_parameter(rows))
    else:
        connection.execute(insert(table), rows)


def update_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update by `key` rows that all have the same columns, `key` among them."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        connection.execute(_update_recordset(table, names), _as_parameter(rows))
    else:
        renamed = [{f"new_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(_update_one(table, names), renamed)


def _as_parameter(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {"rows": to_json(rows).decode()}


def _recordset(table: Table, names: tuple[str, ...]) -> TableValuedAlias:
    rows = func.json_to_recordset(sql_cast(bindparam("rows", type_=Text), JSON))
    columns = [column(name, table.c[name].type) for name in names]
    return rows.table_valued(*columns, name="given").render_derived(with_types=True)


@lru_cache
def _insert_recordset(table: Table, names: tuple[str, ...]) -> Insert:
    return insert(table).from_select(names, select(*_recordset(table, names).c))


@lru_cache
def _update_recordset(table: Table, names: tuple[str, ...]) -> Update:
    given = _recordset(table, names).c
    changed = {name: given[name] for name in names if name != "key"}
    return update(table).where(table.c.key == given.key).values(changed)


@lru_cache
def _update_one(table: Table, names: tuple[str, ...]) -> Update:
    changed: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names if name != "key"}
    return update(table).where(table.c.key == bindparam("new_key")).values(changed)
