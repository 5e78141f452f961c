"""Notifications handed out to pollers (seed 001): each once, however many ask at a time.

A read locks its subscription's row, looks at the queue in Redis, and commits how far it has
handed out before it answers: what a crash interrupts is either still to be handed out or was.
What Redis lacks is brought back from `event` under the same lock.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Row, bindparam, select, text

from communication import metrics
from communication.clock import now
from communication.encoding import to_json
from communication.errors import QueuesUnavailable
from communication.events.event_model import EVENT
from communication.events.telling import Teller, positions_between
from communication.events.told import Told
from communication.polling.queue import Entry, Look, PollQueues
from communication.polling.subscriptions import find_subscription, note_request, queue_of
from communication.store import Store

PATIENCE = timedelta(seconds=5)
"""How long a read waits for other reads of the same subscription."""
CHUNK = 1_000
"""Notifications that are looked up at a time to be brought back."""
MOST_BYTES = 16 * 1024 * 1024
"""Of notifications in one answer; at least one is in it."""
_SLACK = timedelta(minutes=10)
"""By how much the order of events may differ from that of their times."""
_TIME_FROM = (
    select(EVENT.c.at)
    .where(EVENT.c.position >= bindparam("position"))
    .order_by(EVENT.c.position)
    .limit(1)
)

log = structlog.get_logger(part="communication.polling.handing_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads which subscription. `client` is empty where there is no authentication."""

    tenant: str
    client: str
    subscription_id: str


class Polling:
    """Reads of all subscriptions; shared by threads."""

    def __init__(self, store: Store, redis: Redis, teller: Teller, *, ttl: float) -> None:
        self._store = store
        self._teller = teller
        self._ttl = timedelta(seconds=ttl)
        self._queues = PollQueues(redis, ttl=ttl)

    def read(self, reader: Reader, size: int | None = None) -> tuple[int, list[bytes]]:
        """The page size in force and the oldest notifications, which are never given again.

        NotFound; QueuesUnavailable when Redis is away: then nothing was handed out.
        """
        with self._queues_used():
            self._queues.check()  # before anybody waits for the lock of who waits for Redis
            with self._locked(reader) as (connection, row):
                limit = size or row.notification_page_size
                given = _fitting(self._look(connection, row, size=limit).oldest)
                last = given[-1][0] if given else row.handed_out
                note_request(connection, row.key, handed_out=last, now=now())
        metrics.POLLED.labels(reader.tenant).inc(len(given))
        return limit, [body for _, body in given]

    def status(self, reader: Reader) -> tuple[Row[Any], int]:
        """A subscription, and how many notifications wait. NotFound, QueuesUnavailable."""
        with self._queues_used():
            with self._store.read() as connection:
                row = self._find(connection, reader)
            look = self._queue(row, size=0)
            if look.mark < _least(row):
                with self._locked(reader) as (connection, row):
                    look = self._look(connection, row, size=0)
        return row, look.left

    def begin(self, row: Row[Any]) -> None:
        """Make ready for a new subscription; without Redis its queue is made when it is read."""
        try:
            self._queues.reset(queue_of(row), row.queued)
        except RedisError as error:
            log.warning("no queue yet for a subscription", subscription=row.id, why=repr(error))

    def drop(self, row: Row[Any]) -> None:
        """Forget a deleted subscription's queue; without Redis it goes when it has expired."""
        try:
            self._queues.drop(queue_of(row))
        except RedisError as error:
            log.warning("a queue stays for now", subscription=row.id, why=repr(error))

    @contextmanager
    def _queues_used(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            log.warning("notifications can't be read", why=repr(error))
            raise QueuesUnavailable(
                "notifications can't be read just now, none was handed out; try again later"
            ) from error

    @contextmanager
    def _locked(self, reader: Reader) -> Iterator[tuple[Connection, Row[Any]]]:
        with self._store.write() as connection:
            if self._store.is_postgresql:
                patience = int(PATIENCE.total_seconds() * 1000)
                connection.execute(text(f"SET LOCAL lock_timeout = {patience}"))
            yield connection, self._find(connection, reader, lock=True)

    def _find(self, connection: Connection, reader: Reader, *, lock: bool = False) -> Row[Any]:
        return find_subscription(
            connection, reader.tenant, reader.subscription_id, client=reader.client, lock=lock
        )

    def _queue(self, row: Row[Any], *, size: int) -> Look:
        return self._queues.look(
            queue_of(row), handed_out=row.handed_out, least=_least(row), size=size, now=now()
        )

    def _look(self, connection: Connection, row: Row[Any], *, size: int) -> Look:
        look = self._queue(row, size=size)
        if look.mark >= _least(row):
            return look
        self._bring_back(connection, row, look.mark)
        look = self._queue(row, size=size)
        if look.mark < _least(row):
            raise QueuesUnavailable(
                "the notifications were lost while they were brought back; try again"
            )
        return look

    def _bring_back(self, connection: Connection, row: Row[Any], mark: int) -> None:
        """Put what the queue lacks into it. Stops when it is emptied meanwhile."""
        if mark < row.handed_out:
            mark = row.handed_out
            self._queues.reset(queue_of(row), mark)
        log.info("notifications are brought back", subscription=row.id, after=mark)
        after = self._unexpired(connection, mark, row.queued)
        for last, told in self._lacking(connection, row, after):
            given = entries_of(told)
            if not self._queues.extend(queue_of(row), given, after=mark, last=last, now=now()):
                return
            mark = last

    def _lacking(
        self, connection: Connection, row: Row[Any], after: int
    ) -> Iterator[tuple[int, list[Told]]]:
        """What was told after a position, in portions, each with that up to which it goes."""
        more = True
        while more:
            positions = self._positions(connection, row, after)
            for portion in self._teller.portions(connection, positions):
                after = portion[-1]
                yield after, self._teller.at(connection, portion)
            more = len(positions) == CHUNK
        yield row.queued, []

    def _positions(self, connection: Connection, row: Row[Any], after: int) -> Sequence[int]:
        return positions_between(
            connection,
            tenant=row.tenant,
            types=row.event_type_ids,
            after=after,
            last=row.queued,
            limit=CHUNK,
        )

    def _unexpired(self, connection: Connection, after: int, last: int) -> int:
        """A position from which on nothing that still counts is left out."""
        oldest = now() - self._ttl - _SLACK
        low, high = after, last
        while high - low > CHUNK:
            middle = (low + high) // 2
            at: datetime | None = connection.execute(_TIME_FROM, {"position": middle}).scalar()
            low, high = (middle, high) if at is None or at < oldest else (low, middle)
        return low


def entries_of(told: Sequence[Told]) -> list[Entry]:
    """As they wait in a queue."""
    return [Entry(position=one.position, at=one.at, body=to_json(one.body)) for one in told]


def _least(row: Row[Any]) -> int:
    """How far a queue must reach to be whole."""
    return max(int(row.handed_out), int(row.queued))


def _fitting(oldest: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """As many as an answer may hold."""
    size = 0
    for count, (_, body) in enumerate(oldest):
        size += len(body)
        if size > MOST_BYTES and count:
            return list(oldest[:count])
    return list(oldest)
