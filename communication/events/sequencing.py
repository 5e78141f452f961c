"""Positions for what happened: committed events leave the staging table in order.

A serial column is no cursor: its numbers are taken at the insert and become visible at the
commit, in another order, so a reader that follows it skips what was committed late. Here one
transaction at a time gives positions to what is committed already (docs/decisions/0006).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Executable,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.sql.selectable import CTE, FromClause

from communication.events.event_model import EVENT, EVENT_CURSOR, STAGED_EVENT

SEQUENCED = "sequenced"
"""The cursor at the last position given."""
TOLD = "told"
"""The cursor at the last event that every sink has been given."""

SEQUENCER_LOCK = 7_468_102
FAN_OUT_LOCK = 7_468_103
"""Of PostgreSQL's advisory locks, as communication/migrations/env.py has one."""

_COPIED = [column.name for column in STAGED_EVENT.c if column.name != "key"]
_POSITION = select(EVENT_CURSOR.c.position).where(EVENT_CURSOR.c.name == bindparam("of_name"))
_ADVANCE = (
    update(EVENT_CURSOR)
    .where(EVENT_CURSOR.c.name == bindparam("of_name"), EVENT_CURSOR.c.position < bindparam("to"))
    .values(position=bindparam("to"))
)
_STAGED = select(STAGED_EVENT.c.key).limit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Positions after `after` up to and with `last`."""

    after: int
    last: int

    @property
    def count(self) -> int:
        """How many positions: there are no gaps."""
        return self.last - self.after


def is_staged(connection: Connection) -> bool:
    """Whether any event waits for its position."""
    return connection.execute(_STAGED).first() is not None


def count_untold(connection: Connection, most: int) -> int:
    """How many events wait for their position or to be told, counted up to `most` and a bit."""
    staged = select(STAGED_EVENT.c.key).limit(most).subquery()
    waiting = connection.execute(select(func.count()).select_from(staged)).scalar_one()
    told, sequenced = position_of(connection, TOLD), position_of(connection, SEQUENCED)
    return int(waiting) + sequenced - told


def sequence(connection: Connection, *, limit: int) -> Span | None:
    """Move at most `limit` committed events into `event`, positions after all given before.

    In the order in which they were written: what one transaction saw another had committed
    comes after that. None when another process is at it. The connection must be a
    transaction's that writes; it has to be committed before another can go on.
    """
    if not lock_alone(connection, SEQUENCER_LOCK):
        return None
    # From here on statements see all that whoever had the lock before has committed.
    after = position_of(connection, SEQUENCED)
    moved = _move(connection, after, limit)
    if moved:
        advance(connection, SEQUENCED, after + moved)
    return Span(after=after, last=after + moved)


def lock_alone(connection: Connection, number: int) -> bool:
    """Whether this transaction is now the only one with the lock. Does not wait.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(_TRY_LOCK, {"number": number}).scalar_one())


def hold_still(connection: Connection) -> None:
    """Wait until nothing is on its way to a position or to those who listen; nor is it then.

    What was read before this transaction's changes can't come after them any more. To be called
    before any row is locked.
    """
    if connection.dialect.name == "postgresql":
        for number in (SEQUENCER_LOCK, FAN_OUT_LOCK):
            connection.execute(_WAIT_LOCK, {"number": number})


def position_of(connection: Connection, cursor: str) -> int:
    """Where a cursor stands."""
    return int(connection.execute(_POSITION, {"of_name": cursor}).scalar_one())


def advance(connection: Connection, cursor: str, position: int) -> None:
    """Move a cursor on, never back."""
    connection.execute(_ADVANCE, {"of_name": cursor, "to": position})


_WAIT_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:number)")


def _move(connection: Connection, after: int, limit: int) -> int:
    values = {"after": after, "most": limit}
    statements = _at_once() if connection.dialect.name == "postgresql" else _one_by_one()
    # SQLAlchemy counts the rows of an insert only if it is asked to.
    counting = {"preserve_rowcount": True}
    moved = [
        connection.execute(statement, values, execution_options=counting).rowcount
        for statement in statements
    ]
    return moved[0]


@lru_cache
def _at_once() -> tuple[Executable, ...]:
    """One statement, as each sees what was committed when it began."""
    moved = _leave().returning(*STAGED_EVENT.c).cte("moved")
    return (insert(EVENT).from_select(["position", *_COPIED], _numbered(moved)).add_cte(moved),)


@lru_cache
def _one_by_one() -> tuple[Executable, ...]:
    staged = select(STAGED_EVENT).where(STAGED_EVENT.c.key <= _bound()).subquery()
    return (insert(EVENT).from_select(["position", *_COPIED], _numbered(staged)), _leave())


def _numbered(rows: CTE | FromClause) -> Select[Any]:
    number = func.row_number().over(order_by=rows.c.key)
    return select(bindparam("after", type_=EVENT.c.position.type) + number, *_columns(rows))


def _columns(rows: CTE | FromClause) -> list[Any]:
    return [rows.c[name] for name in _COPIED]


def _leave() -> Delete:
    return delete(STAGED_EVENT).where(STAGED_EVENT.c.key <= _bound())


def _bound() -> Any:
    """The key of the last that goes."""
    oldest = (
        select(STAGED_EVENT.c.key)
        .order_by(STAGED_EVENT.c.key)
        .limit(bindparam("most"))
        .subquery("oldest")
    )
    return select(func.max(oldest.c.key)).scalar_subquery()
