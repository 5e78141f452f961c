"""A feed that can't be read to its end must not look as if it had been."""

from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead

import psycopg
import pytest

from communication.store import upgrade
from tests.processes import free_port, is_listening, new_folder
from tests.running import START_WITHIN, Api, tidings
from tests.services import PostgreSQL
from tests.waiting import wait_until

FEED = "/api/2.3.1/orderevents/"
EVENTS = 75_000
"""Well over what fits between the API and a client that does not read."""
_ORDERS = """
INSERT INTO order_event (
    tenant, position, event_id, order_id, access_id, service, operation, state, message, heard)
SELECT 'default', number, 'event-' || number, 'order-' || number, 'customer', 'email', 'SEND',
    'DONE_SUCCESS', '', false
FROM generate_series(1, %(events)s) number
"""


@pytest.fixture
def api(postgresql: PostgreSQL) -> Iterator[Api]:
    database, port = postgresql.new_database(), free_port()
    upgrade(database)
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        connection.execute(_ORDERS, {"events": EVENTS})
    process = tidings(new_folder(), "api", database_url=database, bind=f"127.0.0.1:{port}")
    wait_until(lambda: is_listening(port), within=START_WITHIN)
    yield Api(port)
    process.stop()
    postgresql.drop_database(database)


def test_an_answer_that_the_database_leaves_half_way_has_no_end(
    api: Api, postgresql: PostgreSQL
) -> None:
    connection = HTTPConnection("127.0.0.1", api.port, timeout=600)
    connection.request("GET", FEED)
    answer = connection.getresponse()
    beginning = answer.read(1_000)

    postgresql.kill()
    with pytest.raises(IncompleteRead) as broken:
        answer.read()
    connection.close()
    postgresql.start()

    assert beginning.startswith(b'[{"event":"event-1"')
    assert not broken.value.partial.endswith(b"]")
    wait_until(lambda: api.call("GET", FEED).status == 200)
    assert len(api.call("GET", FEED).json) == EVENTS
