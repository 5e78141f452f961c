"""Messages per second of the pipelines that Tidings is compared with.

Their tasks are all in RabbitMQ before the worker starts, and the time begins when the first is
recorded: neither enqueueing nor starting counts against them.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from psycopg import Connection

from bench import celery_pipeline, dramatiq_pipeline
from bench.deliver import LOOK_EVERY, WITHIN
from bench.feed import check_recorded, feed_deliveries, feed_messages, is_all_recorded
from bench.one_by_one import DATABASE
from bench.stack import START_WITHIN, Stack, connect
from tests.processes import Process
from tests.waiting import wait_until


def measure_celery(stack: Stack, *, deliveries: int) -> float:
    """Deliveries per second of the Celery pipeline."""
    command = ("-m", "bench.celery_pipeline")
    return _measure(stack, deliveries, command, celery_pipeline.enqueue)


def measure_dramatiq(stack: Stack, *, deliveries: int) -> float:
    """Deliveries per second of the Dramatiq pipeline."""

    def enqueue(broker_url: str, keys: Iterable[int]) -> None:
        dramatiq_pipeline.enqueue(broker_url, "deliver", keys)

    return _measure(stack, deliveries, dramatiq_pipeline.COMMAND, enqueue)


def measure_idle_dramatiq(stack: Stack, *, messages: int) -> float:
    """Messages per second of an actor that does nothing."""
    queue = dramatiq_pipeline.IDLE_QUEUE
    dramatiq_pipeline.enqueue(stack.rabbitmq.url, "idle", range(messages))
    environment = {celery_pipeline.BROKER: stack.rabbitmq.url}
    with stack.process(*dramatiq_pipeline.COMMAND, env=environment) as worker:
        wait_until(
            lambda: _alive(worker) and stack.queue(queue)[0] < messages,
            within=START_WITHIN,
            every=LOOK_EVERY,
        )
        began, left = time.monotonic(), stack.queue(queue)[0]
        wait_until(lambda: stack.queue(queue)[0] == 0, within=WITHIN, every=LOOK_EVERY)
        return left / (time.monotonic() - began)


def _measure(
    stack: Stack,
    deliveries: int,
    command: Sequence[str],
    enqueue: Callable[[str, Iterable[int]], None],
) -> float:
    with stack.database() as database, connect(database) as connection:
        feed_messages(connection, messages=deliveries, each=1)
        feed_deliveries(connection)
        connection.execute("ANALYZE")
        enqueue(stack.rabbitmq.url, _keys(connection))
        environment = {DATABASE: database, celery_pipeline.BROKER: stack.rabbitmq.url}
        with stack.process(*command, env=environment) as worker:
            wait_until(
                lambda: _alive(worker) and _recorded(connection),
                within=START_WITHIN,
                every=LOOK_EVERY,
            )
            began, left = time.monotonic(), deliveries - _recorded(connection)
            wait_until(lambda: is_all_recorded(connection), within=WITHIN, every=LOOK_EVERY)
            took = time.monotonic() - began
            check_recorded(connection, deliveries)
    return left / took


def _keys(connection: Connection) -> list[int]:
    return [key for (key,) in connection.execute("SELECT key FROM delivery ORDER BY key")]


def _recorded(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM attempt").fetchone()
    return 0 if row is None else int(row[0])


def _alive(process: Process) -> bool:
    assert process.exit_code is None, process.log_tail()
    return True
