"""Mails per second beside SMS that are due at a provider that takes connections and says nothing.

The mails alone are measured beside as many SMS that are due tomorrow, so that only what a dead
provider does to its neighbours makes the difference.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection

from bench.deliver import WITHIN, is_relaying, meter_of
from bench.feed import INLINE, TEXT, feed_deliveries, feed_messages
from bench.figure import Figure, processor_each
from bench.mails import smtp_sink
from bench.stack import Stack, connect
from communication.lanes import queue_name
from tests.waiting import wait_until

_LOOK_EVERY = 0.1
_TOMORROW = "UPDATE delivery SET due_at = now() + interval '1 day' WHERE channel = 'sms'"
_OVER = "SELECT count(*) FROM communication_message WHERE channel = 'email' AND open_count = 0"


def measure_beside_dead(stack: Stack, *, mails: int, sms: int, due: bool) -> Figure:
    """Mails per second by one worker, which is also to send `sms` that nobody takes, if `due`."""
    with (
        stack.database() as database,
        connect(database) as connection,
        smtp_sink(stack) as port,
        silent_provider() as silent,
    ):
        for channel, document, messages in (("email", INLINE, mails), ("sms", TEXT, sms)):
            feed_messages(connection, messages=messages, each=1, document=document, channel=channel)
        urls = {
            "TIDINGS_EMAIL_URL": f"smtp://127.0.0.1:{port}?concurrency=4",
            "TIDINGS_SMS_URL": f"smpp://tidings:secret@127.0.0.1:{silent}",
        }
        with (
            stack.tidings(database, "work", "--queues", "deliver.*.normal", **urls) as worker,
            stack.tidings(database, "relay") as relay,
        ):
            stack.await_consumers(queue_name("deliver", "email", "normal"), worker)
            wait_until(lambda: is_relaying(connection, relay), within=60)
            with connection.transaction():
                feed_deliveries(connection)
                if not due:
                    connection.execute(_TOMORROW)
            began, meter = time.monotonic(), meter_of(stack, [relay, worker])
            wait_until(lambda: _sent(connection) == mails, within=WITHIN, every=_LOOK_EVERY)
            took, used = time.monotonic() - began, meter.used()
    return Figure(rate=mails / took, notes=processor_each(used, mails))


@contextmanager
def silent_provider() -> Iterator[int]:
    """The port of a server that lets everybody connect, and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as server:
        yield server.getsockname()[1]


def _sent(connection: Connection) -> int:
    row = connection.execute(_OVER).fetchone()
    assert row is not None
    return int(row[0])
