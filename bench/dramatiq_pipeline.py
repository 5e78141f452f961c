"""Dramatiq with one message per delivery, and Dramatiq with an actor that does nothing."""

import os
from collections.abc import Callable, Iterable

import dramatiq
from dramatiq import Actor
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.celery_pipeline import BROKER
from bench.one_by_one import deliver_one

QUEUE = "bench-dramatiq"
IDLE_QUEUE = "bench-dramatiq-idle"
PROCESSES, THREADS = 2, 8
SETTINGS = f"{PROCESSES} processes of {THREADS} threads, default middleware and prefetch"
COMMAND = (
    *("-m", "dramatiq", "bench.dramatiq_pipeline:set_up"),
    *("--processes", f"{PROCESSES}", "--threads", f"{THREADS}"),
)


def set_up() -> None:
    """What Dramatiq's command line calls in each process of a worker."""
    dramatiq.set_broker(open_broker(os.environ[BROKER]))


def open_broker(url: str) -> RabbitmqBroker:
    """The broker with its two actors."""
    broker = RabbitmqBroker(url=url)
    _actor(broker, deliver_one, "deliver", QUEUE)
    _actor(broker, do_nothing, "idle", IDLE_QUEUE)
    return broker


def do_nothing(key: int) -> None:
    """The bare cost of a message."""


def enqueue(broker_url: str, actor: str, keys: Iterable[int]) -> None:
    """A message for each key."""
    broker = open_broker(broker_url)
    for key in keys:
        broker.enqueue(broker.get_actor(actor).message(key))
    broker.close()


def _actor(
    broker: RabbitmqBroker, work: Callable[[int], None], name: str, queue: str
) -> Actor[[int], None]:
    return Actor(work, broker=broker, actor_name=name, queue_name=queue, priority=0, options={})
