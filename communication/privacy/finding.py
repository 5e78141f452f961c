"""Where the database holds something of a person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Table, Text, and_, cast, func, or_, select

from communication.bulk import among
from communication.events.event_model import COLLECTED_EVENT, EVENT, HEARD_EVENT
from communication.model import IDEMPOTENCY, MESSAGE, RECEIVER
from communication.privacy.scrubbing import ENCODED, scrub

_AT_ONCE = 20
"""Bodies that are read at once: each may hold megabytes."""

_STREAMED = {"yield_per": _AT_ONCE}


class Search:
    """Looks for a person, of a tenant or of all, in what has come since it looked last.

    Tables are read once for all, in the order of their keys; nothing is locked.
    """

    def __init__(self, connection: Connection, person: str, tenant: str | None) -> None:
        self._connection = connection
        self._person = person
        self._tenant = tenant
        self._seen: defaultdict[Table, int] = defaultdict(int)
        self.receivers: dict[int, int] = {}
        """The keys of the person's rows of `receiver`, and the messages that these are of."""
        self.keys: defaultdict[Table, set[int]] = defaultdict(set)
        """Of rows that name the person; those of `event` also if they are about such a message."""

    def look(self) -> None:
        """Add what has come."""
        self.receivers.update(self._receivers())
        messages = among(self._connection, EVENT.c.message_key, set(self.receivers.values()))
        changed, payload = (names(EVENT.c[name], self._person) for name in ("changed", "payload"))
        told = and_(or_(changed, payload), *of_tenant(EVENT, self._tenant))
        self._find(EVENT.c.payload, or_(messages, told))
        for column in (HEARD_EVENT.c.body, COLLECTED_EVENT.c.body):
            named = names(column, self._person)
            self._find(column, and_(named, *of_tenant(column.table, self._tenant)))
        self.keys[IDEMPOTENCY].update(self._kept_answers())

    def _find(self, column: Column[Any], condition: ColumnElement[bool]) -> None:
        """The rows that meet the condition, and those whose column hides the person in base64."""
        table = column.table
        key, new = key_of(table), self._new(table)
        wanted = select(key).where(condition, new)
        self.keys[table].update(self._connection.execute(wanted).scalars())
        encoded = select(key, column).where(hides(column), new, *of_tenant(table, self._tenant))
        for row in self._connection.execute(encoded, execution_options=_STREAMED):
            if scrub(row[1], self._person) != row[1]:
                self.keys[table].add(row[0])

    def _receivers(self) -> Iterable[tuple[int, int]]:
        rows = self._connection.execute(
            select(RECEIVER.c.key, RECEIVER.c.message_key)
            .join(MESSAGE, MESSAGE.c.key == RECEIVER.c.message_key)
            .where(_is(self._person), self._new(RECEIVER), *of_tenant(MESSAGE, self._tenant))
        )
        return [(row.key, row.message_key) for row in rows]

    def _kept_answers(self) -> Iterator[int]:
        """They may be sealed, so that the database can't look for the person in them."""
        needle = self._person.lower()
        wanted = select(IDEMPOTENCY.c.key, IDEMPOTENCY.c.body).where(
            self._new(IDEMPOTENCY), *of_tenant(IDEMPOTENCY, self._tenant)
        )
        for row in self._connection.execute(wanted, execution_options=_STREAMED):
            if needle in row.body.lower() or self._is_hidden_in(row.body):
                yield row.key

    def _is_hidden_in(self, body: str) -> bool:
        if ENCODED not in body:
            return False
        content = orjson.loads(body)
        return bool(scrub(content, self._person) != content)

    def _new(self, table: Table) -> ColumnElement[bool]:
        key, seen = key_of(table), self._seen[table]
        newest = self._connection.execute(select(func.max(key))).scalar_one() or 0
        self._seen[table] = max(seen, newest)
        return and_(key > seen, key <= self._seen[table])


def key_of(table: Table) -> Column[int]:
    """The one column that tells rows of the table apart."""
    return next(iter(table.primary_key.columns))


def of_tenant(table: Table, tenant: str | None) -> list[ColumnElement[bool]]:
    """That rows are the tenant's, if it is only about one."""
    return [] if tenant is None else [table.c.tenant == tenant]


def names_or_hides(column: ColumnElement[Any], person: str) -> ColumnElement[bool]:
    """That JSON names the person, or may do so in base64, which the database can't look into."""
    return or_(names(column, person), hides(column))


def hides(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """That something in JSON is in base64."""
    return cast(column, Text).contains(ENCODED, autoescape=True)


def names(column: ColumnElement[Any], person: str) -> ColumnElement[bool]:
    """That the person is named in JSON."""
    as_stored = orjson.dumps(person.lower()).decode()[1:-1]
    return func.lower(cast(column, Text)).contains(as_stored, autoescape=True)


def _is(person: str) -> ColumnElement[bool]:
    return or_(
        func.lower(RECEIVER.c.email) == person.lower(),
        RECEIVER.c.phone == person,
        RECEIVER.c.app_user_id == person,
    )
