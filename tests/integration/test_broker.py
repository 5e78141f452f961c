"""The same broker contract over Dramatiq's in-memory stub and over RabbitMQ."""

from collections.abc import Callable, Iterator
from threading import Event
from uuid import uuid4

import pytest
from dramatiq import Actor, Broker, Worker

from communication.errors import BrokerUnavailable
from communication.settings import Settings
from tests.services import RabbitMQ
from tests.waiting import wait_until
from worker.broker import MemoryQueues, RabbitQueues, open_broker


@pytest.fixture(params=["memory", "rabbitmq", "quorum"])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "memory":
        return Settings(broker_url="memory://")
    server: RabbitMQ = request.getfixturevalue("rabbitmq")
    queue_type = "quorum" if request.param == "quorum" else "classic"
    return Settings(broker_url=server.url, queue_type=queue_type)


@pytest.fixture
def queue() -> str:
    return f"test.{uuid4()}"


@pytest.fixture
def broker(settings: Settings, queue: str) -> Iterator[RabbitQueues | MemoryQueues]:
    opened = open_broker(settings, [queue])
    opened.emit_after("process_boot")
    yield opened
    opened.close()


def test_a_queue_counts_what_waits_in_it(broker: RabbitQueues | MemoryQueues, queue: str) -> None:
    assert broker.depth(queue) == 0

    for number in range(3):
        broker.publish(queue, "actor", number=number)

    wait_until(lambda: broker.depth(queue) == 3)
    broker.keep_alive()


def listening(broker: Broker, queue: str, hear: Callable[..., object]) -> Worker:
    """A worker that has what is published given to a function."""
    Actor(hear, broker=broker, actor_name="actor", queue_name=queue, priority=0, options={})
    worker = Worker(broker, queues={queue}, worker_threads=1, worker_timeout=50)
    worker.start()
    return worker


def test_what_is_published_reaches_the_actor(
    broker: RabbitQueues | MemoryQueues, queue: str
) -> None:
    heard: list[int] = []
    worker = listening(broker, queue, lambda *, number: heard.append(number))

    for number in range(20):
        broker.publish(queue, "actor", number=number)

    wait_until(lambda: len(heard) == 20)
    worker.stop()
    assert heard == list(range(20))


def test_nothing_is_ever_delayed_in_the_broker(broker: RabbitQueues | MemoryQueues) -> None:
    assert broker.get_declared_delay_queues() == set()


def test_a_wiped_broker_is_declared_anew_and_its_workers_come_back() -> None:
    with RabbitMQ() as server:
        queue = f"test.{uuid4()}"
        broker = open_broker(Settings(broker_url=server.url), [queue])
        heard = Event()
        worker = listening(broker, queue, heard.set)
        broker.publish(queue, "actor")
        assert heard.wait(120)
        heard.clear()

        server.wipe()
        wait_until(lambda: _publishes(broker, queue), every=0.2)

        assert heard.wait(120)
        worker.stop()
        broker.close()


def test_a_broker_that_is_away_says_so() -> None:
    with RabbitMQ() as server:
        queue = f"test.{uuid4()}"
        broker = open_broker(Settings(broker_url=server.url), [queue])
        broker.publish(queue, "actor")
        server.kill()

        for call in (
            lambda: broker.depth(queue),
            lambda: broker.publish(queue, "actor"),
            broker.keep_alive,
        ):
            with pytest.raises(BrokerUnavailable):
                call()


def _publishes(broker: RabbitQueues | MemoryQueues, queue: str) -> bool:
    try:
        broker.publish(queue, "actor")
    except BrokerUnavailable:
        return False
    return True
