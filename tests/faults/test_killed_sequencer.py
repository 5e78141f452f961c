"""SIGKILL of the relay while it gives positions: each event gets one, and none gets two."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from communication.store import upgrade
from tests.processes import Process, new_folder
from tests.running import START_WITHIN, tidings
from tests.services import PostgreSQL, RabbitMQ
from tests.waiting import wait_until

EVENTS = 60_000
KILLS = 2
_STAGE = """
INSERT INTO staged_event (id, tenant, kind, type, changed, at)
SELECT gen_random_uuid(), 'default', 'heard', 'ServiceOrderStateChangeNotification',
    jsonb_build_object('order_id', number::text, 'access_id', '', 'service', '', 'operation', '',
        'state', 'DONE_SUCCESS', 'message', ''), now()
FROM generate_series(1, %(events)s) number
"""


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[str]:
    url = postgresql.new_database()
    upgrade(url)
    yield url
    postgresql.drop_database(url)


def test_each_event_gets_one_position(database: str, rabbitmq: RabbitMQ) -> None:
    address, folder = database.replace("+psycopg", ""), new_folder()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_STAGE, {"events": EVENTS})
        with last_one_held(address):
            for kill in range(1, KILLS + 1):
                relay = start(folder, database, rabbitmq)
                least = EVENTS // (KILLS + 2) * kill
                await_position(connection, least)
                relay.kill()
        assert last(connection) < EVENTS
        relay = start(folder, database, rabbitmq)
        await_position(connection, EVENTS)
        relay.stop()

        assert count(connection, "staged_event", "key") == (0, 0)
        assert count(connection, "event", "position") == (EVENTS, EVENTS)
        assert count(connection, "event", "id") == (EVENTS, EVENTS)
        assert count(connection, "order_event", "event_id") == (EVENTS, EVENTS)
        assert cursors(connection) == {"sequenced": EVENTS, "told": EVENTS}
        # In the order in which they were written.
        assert ordered(connection)


@contextmanager
def last_one_held(address: str) -> Iterator[None]:
    """However long the relay lives, it does not come to the end."""
    with psycopg.connect(address) as connection:
        newest = "SELECT max(key) FROM staged_event"
        connection.execute(f"SELECT FROM staged_event WHERE key = ({newest}) FOR UPDATE")
        yield


def start(folder: Path, database: str, rabbitmq: RabbitMQ) -> Process:
    return tidings(folder, "relay", database_url=database, broker_url=rabbitmq.url)


def await_position(connection: psycopg.Connection, least: int) -> None:
    wait_until(lambda: last(connection) >= least, within=START_WITHIN, every=0)


def last(connection: psycopg.Connection) -> int:
    return cursors(connection)["sequenced"]


def cursors(connection: psycopg.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, position FROM event_cursor").fetchall())


def count(connection: psycopg.Connection, table: str, column: str) -> tuple[int, int]:
    """How many rows there are, and how many different ones."""
    row = connection.execute(f"SELECT count(*), count(DISTINCT {column}) FROM {table}").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def ordered(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT bool_and(position = (changed ->> 'order_id')::int) FROM event"
    ).fetchone()
    return row == (True,)
