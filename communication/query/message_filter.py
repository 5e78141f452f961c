"""Conditions on a communication message as SQL over the tables that it is kept in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, TypeAlias
from urllib.parse import unquote

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    and_,
    case,
    false,
    literal,
    not_,
    or_,
    select,
)

from communication.model import DOCUMENT, MESSAGE, RECEIVER
from communication.query.conditions import (
    ORDERINGS,
    Clauses,
    Condition,
    Kind,
    Operator,
    Path,
    level,
)
from communication.query.document_sql import Engine
from communication.wire.message import TYPE_NAMES

Sql: TypeAlias = ColumnElement[bool]

_MILLISECOND = timedelta(milliseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _MILLISECOND
_BIGGEST = 2**63
_TEXTS = {"id": MESSAGE.c.id, "status": MESSAGE.c.status}
_TIMES = {"sendTime": MESSAGE.c.send_time, "sendTimeComplete": MESSAGE.c.send_time_complete}
_COUNTS = {
    "pending": MESSAGE.c.open_count,
    "delivered": MESSAGE.c.delivered_count,
    "failed": MESSAGE.c.failed_count,
    "cancelled": MESSAGE.c.cancelled_count,
}
_RECEIVER_TEXTS = {
    "id": RECEIVER.c.id,
    "name": RECEIVER.c.name,
    "email": RECEIVER.c.email,
    "phoneNumber": RECEIVER.c.phone,
    "appUserId": RECEIVER.c.app_user_id,
    "ip": RECEIVER.c.ip,
}


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row that stands for a JSON object: some attributes are columns, the rest is elsewhere."""

    attributes: Mapping[str, Callable[[Clauses], Sql]]
    rest: Callable[[Clauses], Sql]


def message_conditions(clauses: Clauses, engine: Engine, href_base: str) -> list[Sql]:
    """What must hold of MESSAGE joined with DOCUMENT for a message to meet the clauses."""
    tests: dict[str, Callable[[Condition], Sql]] = {
        "type": _type_test,
        "priority": partial(_number_test, MESSAGE.c.priority),
        "href": partial(_href_test, engine, href_base),
    }
    tests |= {name: partial(_text_test, engine, column) for name, column in _TEXTS.items()}
    tests |= {name: partial(_time_test, column) for name, column in _TIMES.items()}
    attributes: dict[str, Callable[[Clauses], Sql]] = {
        "receiver": partial(_receiver, engine),
        "deliverySummary": _delivery_summary,
    }
    attributes |= {name: partial(_column, test) for name, test in tests.items()}
    row = _Row(attributes=attributes, rest=partial(engine.meets, DOCUMENT.c.document))
    return _row_conditions(clauses, row)


def _row_conditions(clauses: Clauses, row: _Row) -> list[Sql]:
    parts = level(clauses)
    # The row stands for an object, which equals nothing.
    sql: list[Sql] = [false() for _ in parts.here]
    known = parts.below.keys() & row.attributes.keys()
    sql += [row.attributes[name](parts.below[name]) for name in sorted(known)]
    unknown = [_under(name, those) for name, those in parts.below.items() if name not in known]
    if unknown:
        sql.append(row.rest(tuple(chain(*unknown))))
    sql += [
        or_(*(and_(*_row_conditions(((one,),), row)) for one in clause)) for clause in parts.mixed
    ]
    return sql


def _under(name: str, clauses: Clauses) -> Clauses:
    return tuple(
        tuple(replace(one, path=(name, *one.path)) for one in clause) for clause in clauses
    )


def _column(test: Callable[[Condition], Sql], clauses: Clauses) -> Sql:
    return and_(*(or_(*map(test, clause)) for clause in clauses))


def _receiver(engine: Engine, clauses: Clauses) -> Sql:
    attributes = {
        name: partial(_column, partial(_text_test, engine, column))
        for name, column in _RECEIVER_TEXTS.items()
    }
    row = _Row(attributes=attributes, rest=partial(engine.meets, RECEIVER.c.attributes))
    conditions = _row_conditions(clauses, row)
    return MESSAGE.c.key.in_(
        select(RECEIVER.c.message_key).where(RECEIVER.c.removed_at.is_(None), *conditions)
    )


def _delivery_summary(clauses: Clauses) -> Sql:
    """Only a message that was sent has a summary (communication.wire.representation)."""
    counts: dict[str, ColumnElement[int]] = {**_COUNTS, "total": sum(_COUNTS.values(), literal(0))}
    attributes = {
        name: partial(_column, partial(_number_test, count)) for name, count in counts.items()
    }
    row = _Row(attributes=attributes, rest=lambda _: false())
    return and_(MESSAGE.c.send > 0, *_row_conditions(clauses, row))


def _text_test(engine: Engine, column: ColumnElement[str], condition: Condition) -> Sql:
    if condition.operator is Operator.EQ:
        return column.in_(condition.values)
    if condition.operator is Operator.NE:
        return column.not_in(condition.values)
    if condition.operator is Operator.REGEX:
        return or_(*(engine.finds(column, value) for value in condition.values))
    compare = ORDERINGS[condition.operator]
    return or_(*(compare(engine.ordered(column), value) for value in condition.values))


def _href_test(engine: Engine, base: str, condition: Condition) -> Sql:
    if condition.operator in (Operator.EQ, Operator.NE):  # through the index on the id
        ids = [unquote(one.removeprefix(base)) for one in condition.values if one.startswith(base)]
        is_named = MESSAGE.c.id.in_(ids)
        return is_named if condition.operator is Operator.EQ else not_(is_named)
    return _text_test(engine, literal(base) + MESSAGE.c.id, condition)


def _type_test(condition: Condition) -> Sql:
    return MESSAGE.c.channel.in_(
        [channel for channel, name in TYPE_NAMES.items() if condition.met_by(name)]
    )


def _number_test(column: ColumnElement[int], condition: Condition) -> Sql:
    numbers = [_number(one) for one in condition.operands if isinstance(one, Decimal)]
    if condition.operator is Operator.EQ:
        return or_(*(column == number for number in numbers))
    if condition.operator is Operator.NE:
        return and_(*(column != number for number in numbers))
    return or_(*(ORDERINGS[condition.operator](column, number) for number in numbers))


def _number(number: Decimal) -> ColumnElement[Any]:
    if number == number.to_integral_value() and abs(number) < _BIGGEST:
        return literal(int(number), BigInteger)
    return literal(float(number), Float)


def _time_test(column: ColumnElement[datetime], condition: Condition) -> Sql:
    tests = [
        _moment_test(column, condition.operator, operand)
        for operand in condition.operands
        if isinstance(operand, datetime)
    ]
    return and_(*tests) if condition.operator is Operator.NE else or_(*tests)


def _moment_test(column: ColumnElement[datetime], operator: Operator, moment: datetime) -> Sql:
    """A comparison with the stored time cut to milliseconds, which is what clients see of it."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    after = cut + _MILLISECOND if cut < _LAST else datetime.max.replace(tzinfo=UTC)
    up = cut if cut == moment else after
    if operator in (Operator.EQ, Operator.NE):
        inside = and_(column >= up, column < after)
        return inside if operator is Operator.EQ else or_(column < up, column >= after)
    return {
        Operator.GT: column >= after,
        Operator.GTE: column >= up,
        Operator.LT: column < up,
        Operator.LTE: column < after,
    }[operator]


def sort_expression(path: Path, kind: Kind, engine: Engine) -> ColumnElement[Any]:
    """What messages are sorted by for one sort key, NULL where a message lacks the attribute."""
    (name,) = path
    if name == "type":
        return case(TYPE_NAMES, value=MESSAGE.c.channel)
    if name in _TEXTS:
        return engine.ordered(_TEXTS[name])
    columns: dict[str, ColumnElement[Any]] = {"priority": MESSAGE.c.priority, **_TIMES}
    return columns[name] if name in columns else _document_value(name, kind, engine)


def _document_value(name: str, kind: Kind, engine: Engine) -> ColumnElement[Any]:
    value: Any = DOCUMENT.c.document[name]
    readers = {Kind.FLAG: value.as_boolean, Kind.NUMBER: value.as_float}
    return readers[kind]() if kind in readers else engine.ordered(value.as_string())
