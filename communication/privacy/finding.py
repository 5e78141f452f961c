"""Where the database holds something of a person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Table, Text, and_, cast, func, or_, select

from communication.bulk import among
from communication.events.event_model import COLLECTED_EVENT, EVENT, HEARD_EVENT
from communication.model import IDEMPOTENCY, MESSAGE, RECEIVER

_AT_ONCE = 1000


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
        self.keys: defaultdict[Table, list[int]] = defaultdict(list)
        """Of rows that name the person; those of `event` also if they are about such a message."""

    def look(self) -> None:
        """Add what has come."""
        self.receivers.update(self._receivers())
        messages = among(self._connection, EVENT.c.message_key, set(self.receivers.values()))
        changed, payload = (names(EVENT.c[name], self._person) for name in ("changed", "payload"))
        told = and_(or_(changed, payload), *of_tenant(EVENT, self._tenant))
        for table, condition in (
            (EVENT, or_(messages, told)),
            *(
                (table, and_(names(table.c.body, self._person), *of_tenant(table, self._tenant)))
                for table in (HEARD_EVENT, COLLECTED_EVENT)
            ),
        ):
            wanted = select(key_of(table)).where(condition, self._new(table))
            self.keys[table] += self._connection.execute(wanted).scalars()
        self.keys[IDEMPOTENCY] += self._kept_answers()

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
        streamed = {"yield_per": _AT_ONCE}
        for row in self._connection.execute(wanted, execution_options=streamed):
            if needle in row.body.lower():
                yield row.key

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
