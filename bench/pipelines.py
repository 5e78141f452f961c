"""Messages per second of the pipelines that Tidings is compared with.

Their tasks are all in RabbitMQ before the worker starts, and the time begins when the first is
recorded: neither enqueueing nor starting counts against them.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from psycopg import Connection

from bench import celery_pipeline, dramatiq_pipeline
from bench.deliver import LOOK_EVERY, WITHIN, meter_of
from bench.feed import check_recorded, feed_deliveries, feed_messages, is_all_recorded
from bench.figure import Figure, processor_each
from bench.one_by_one import DATABASE
from bench.stack import START_WITHIN, Stack, connect
from tests.processes import Process
from tests.waiting import wait_until


def measure_celery(stack: Stack, *, deliveries: int) -> Figure:
    """Deliveries per second of the Celery pipeline."""
    commands = [celery_pipeline.COMMAND] * celery_pipeline.PROCESSES
    return _measure(stack, deliveries, commands, celery_pipeline.enqueue)


def measure_dramatiq(stack: Stack, *, deliveries: int) -> Figure:
    """Deliveries per second of the Dramatiq pipeline."""

    def enqueue(broker_url: str, keys: Iterable[int]) -> None:
        dramatiq_pipeline.enqueue(broker_url, "deliver", keys)

    return _measure(stack, deliveries, [dramatiq_pipeline.COMMAND], enqueue)


def measure_idle_dramatiq(stack: Stack, *, messages: int) -> Figure:
    """Messages per second of an actor that does nothing."""
    queue = dramatiq_pipeline.IDLE_QUEUE
    dramatiq_pipeline.enqueue(stack.rabbitmq.url, "idle", range(messages))
    environment = {celery_pipeline.BROKER: stack.rabbitmq.url}
    with stack.process(*dramatiq_pipeline.COMMAND, env=environment) as worker:
        began, left = _begun(
            lambda: _alive(worker) and messages - stack.queue(queue)[0], of=messages
        )
        wait_until(lambda: stack.queue(queue)[0] == 0, within=WITHIN, every=LOOK_EVERY)
        return Figure(rate=left / (time.monotonic() - began))


def _measure(
    stack: Stack,
    deliveries: int,
    commands: Sequence[Sequence[str]],
    enqueue: Callable[[str, Iterable[int]], None],
) -> Figure:
    with stack.database() as database, connect(database) as connection, ExitStack() as running:
        feed_messages(connection, messages=deliveries, each=1)
        feed_deliveries(connection)
        connection.execute("ANALYZE")
        enqueue(stack.rabbitmq.url, _keys(connection))
        environment = {DATABASE: database, celery_pipeline.BROKER: stack.rabbitmq.url}
        workers = [
            running.enter_context(stack.process(*command, env=environment)) for command in commands
        ]
        began, left = _begun(lambda: _alive(*workers) and _recorded(connection), of=deliveries)
        meter = meter_of(stack, workers)
        wait_until(lambda: is_all_recorded(connection), within=WITHIN, every=LOOK_EVERY)
        took, used = time.monotonic() - began, meter.used()
        check_recorded(connection, deliveries)
    return Figure(rate=left / took, notes=processor_each(used, left))


def _begun(done: Callable[[], int], *, of: int) -> tuple[float, int]:
    """Wait for the first: the moment from which the rest counts, and how many that is.

    Where all were done between two looks, it is the look before, and all of them.
    """
    before = moment = time.monotonic()

    def look() -> int:
        nonlocal before, moment
        before, moment = moment, time.monotonic()
        return done()

    count = wait_until(look, within=START_WITHIN, every=LOOK_EVERY)
    return (moment, of - count) if count < of else (before, of)


def _keys(connection: Connection) -> list[int]:
    return [key for (key,) in connection.execute("SELECT key FROM delivery ORDER BY key")]


def _recorded(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM attempt").fetchone()
    return 0 if row is None else int(row[0])


def _alive(*processes: Process) -> bool:
    for process in processes:
        assert process.exit_code is None, process.log_tail()
    return True
