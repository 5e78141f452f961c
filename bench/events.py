"""What events cost: reading the order-event feed, and giving positions while nobody listens."""

import http.client
import re
import time
from pathlib import Path

from psycopg import Connection

from bench.deliver import measure_delivering
from bench.figure import Figure, Meter, processor_each
from bench.stack import Stack, connect
from tests.processes import Process

FEED = "/api/2.3.1/orderevents/"
WITHIN = 600.0
_PIECE = 1 << 20
_WITHOUT_POSITIONS = (
    "from worker.sequencer import Sequencer; Sequencer.run = lambda self: self._stopping.wait()"
)
_ORDERS = """
INSERT INTO order_event (
    tenant, position, event_id, order_id, access_id, service, operation, state, message, heard)
SELECT 'default', number, gen_random_uuid(), gen_random_uuid() || '-1-0', 'customer-' || number,
    'email', 'SEND', 'DONE_SUCCESS', '', false
FROM generate_series(1, %(events)s) number
"""


def measure_feed(stack: Stack, *, events: int) -> Figure:
    """Entries of the whole feed per second, to one client; the most memory of an API process."""
    with stack.database() as database, connect(database) as connection:
        _fill(connection, events)
        with stack.api(database) as (api, port):
            _read(port, f"{FEED}?since={_last(connection)}")
            before, began, meter = _peak(api), time.monotonic(), _meter(stack, api)
            size, ends = _read(port, FEED)
            took, used = time.monotonic() - began, meter.used()
            memory = f"memory at most {_peak(api) / 2**20:.0f} MiB, before {before / 2**20:.0f}"
    assert ends == b"[]"
    notes = f"{size / 2**20:,.0f} MiB; {memory}"
    return Figure(rate=events / took, notes=f"{notes}; {processor_each(used, events)}")


def measure_idle_polls(stack: Stack, *, events: int, polls: int) -> Figure:
    """Polls per second, one after the other, of a follower who has read all."""
    with stack.database() as database, connect(database) as connection:
        _fill(connection, events)
        with stack.api(database) as (api, port):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
            path = f"{FEED}?since={_last(connection)}"
            tag = _head(client, path)
            began, meter = time.monotonic(), _meter(stack, api)
            for _ in range(polls):
                client.request("GET", path, headers={"If-None-Match": tag})
                answer = client.getresponse()
                assert (answer.status, answer.read()) == (304, b"")
            took, used = time.monotonic() - began, meter.used()
            client.close()
    return Figure(rate=polls / took, notes=processor_each(used, polls))


def measure_untold(stack: Stack, *, deliveries: int, sequencing: bool) -> Figure:
    """Deliveries per second while nobody listens, with or without positions for their events."""
    return measure_delivering(
        stack,
        deliveries=deliveries,
        workers=1,
        each=1,
        relay_first="" if sequencing else _WITHOUT_POSITIONS,
    )


def _fill(connection: Connection, events: int) -> None:
    connection.execute(_ORDERS, {"events": events})
    connection.execute("VACUUM ANALYZE order_event")


def _last(connection: Connection) -> str:
    row = connection.execute(
        "SELECT event_id FROM order_event ORDER BY position DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _head(client: http.client.HTTPConnection, path: str) -> str:
    client.request("GET", path)
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, b"[]")
    return str(answer.headers["ETag"])


def _read(port: int, path: str) -> tuple[int, bytes]:
    """How many bytes came, and the first and the last of them."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    client.request("GET", path)
    answer = client.getresponse()
    assert answer.status == 200
    size, ends = 0, b""
    while piece := answer.read(_PIECE):
        size += len(piece)
        ends = (ends or piece)[:1] + piece[-1:]
    client.close()
    return size, ends


def _meter(stack: Stack, api: Process) -> Meter:
    return Meter(Python=[api], PostgreSQL=[stack.postgresql])


def _peak(process: Process) -> int:
    """Bytes: the most memory that any process of a tree has used so far."""
    return max(_high_water(pid) for pid in process.pids())


def _high_water(pid: int) -> int:
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0
