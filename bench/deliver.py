"""Deliveries per second by Tidings: from stored to recorded."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from psycopg import Connection

from bench.feed import INLINE, check_recorded, feed_deliveries, feed_messages, is_all_recorded
from bench.figure import Figure, Meter, processor_each
from bench.stack import Stack, connect
from communication.lanes import queue_name
from tests.processes import Process
from tests.waiting import wait_until

WITHIN = 300.0
LOOK_EVERY = 0.02


def measure_delivering(
    stack: Stack,
    *,
    deliveries: int,
    workers: int,
    each: int,
    document: Mapping[str, object] = INLINE,
    channel: str = "email",
    relay_first: str = "",
    **settings: str,
) -> Figure:
    """The rate at which a relay and the workers clear `deliveries`, of messages to `each`.

    All become due in one transaction, while the relay and the workers wait for work; the time
    ends when the last outcome is committed. `settings` are those of the workers.
    """
    with stack.database() as database, connect(database) as connection, ExitStack() as parts:
        feed_messages(
            connection,
            messages=deliveries // each,
            each=each,
            document=document,
            channel=channel,
        )
        work = ("work", "--queues", "deliver.*.normal")
        started = [
            parts.enter_context(stack.tidings(database, *work, **settings)) for _ in range(workers)
        ]
        relay = parts.enter_context(stack.tidings(database, "relay", first=relay_first))
        stack.await_consumers(queue_name("deliver", channel, "normal"), *started)
        wait_until(lambda: is_relaying(connection, relay), within=60)
        feed_deliveries(connection)
        began = time.monotonic()
        meter = meter_of(stack, [relay, *started])
        wait_until(lambda: is_all_recorded(connection), within=WITHIN, every=LOOK_EVERY)
        took, used = time.monotonic() - began, meter.used()
        check_recorded(connection, deliveries // each * each)
    return Figure(rate=deliveries / took, notes=processor_each(used, deliveries))


def meter_of(stack: Stack, processes: Sequence[Process]) -> Meter:
    """Counts what delivering costs these processes and the engines."""
    return Meter(Python=processes, PostgreSQL=[stack.postgresql], RabbitMQ=[stack.rabbitmq])


def is_relaying(connection: Connection, relay: Process) -> bool:
    """Whether the relay has begun to look for work: the workers connect when they have some."""
    assert relay.exit_code is None, relay.log_tail()
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'tidings' AND datname = current_database()"
    ).fetchone()
    return row is not None and row[0] > 0
