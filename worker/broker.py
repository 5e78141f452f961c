"""The message broker: RabbitMQ, or Dramatiq's in-memory stub in the embedded mode.

It only wakes workers up. None of Dramatiq's middleware is used: retries, schedules and
time limits are the database's (its Retries acks and loses a message when it can't be
enqueued again, delayed messages sit in worker memory).
"""

from collections.abc import Sequence
from typing import Any, Protocol, cast

import pika
from dramatiq import Consumer, Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import BrokerConnectionError
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from communication.errors import BrokerUnavailable
from communication.settings import Settings

_AWAY = (pika.exceptions.AMQPError, AMQPConnectorException, BrokerConnectionError, OSError)


class Queues(Protocol):
    """What the relay needs of a broker."""

    def depth(self, queue: str) -> int:
        """How many messages wait in the queue. BrokerUnavailable."""
        ...

    def publish(self, queue: str, actor: str, **arguments: Any) -> None:
        """Hand over one message, confirmed by the broker. BrokerUnavailable."""
        ...

    def keep_alive(self) -> None:
        """Answer the broker's heartbeats; called whenever there is nothing to publish."""
        ...


class RabbitQueues(RabbitmqBroker):
    """RabbitMQ with publisher confirms, and queues of the type that the settings name."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(url=settings.broker_url, confirm_delivery=True, middleware=[])
        self._queue_type = settings.queue_type
        parameters = cast("pika.URLParameters", self.parameters)
        parameters.connection_attempts = 2
        parameters.retry_delay = 0.5
        parameters.heartbeat = 30
        parameters.socket_timeout = 5
        parameters.stack_timeout = 10
        parameters.blocked_connection_timeout = 15

    def get_declared_delay_queues(self) -> set[str]:
        """None: nothing is ever delayed in the broker, so no consumer waits for it."""
        return set()

    def _declare_dq_queue(self, queue_name: str) -> None:
        """No delay queue either."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Declares the queue at every start of a consumer: the broker may have been wiped."""
        self.queues_pending.add(queue_name)
        return super().consume(queue_name, prefetch, timeout)

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        arguments = super()._build_queue_arguments(queue_name)  # type: ignore[no-untyped-call]  # Dramatiq's
        return {**arguments, "x-queue-type": self._queue_type}

    def depth(self, queue: str) -> int:
        """Messages that are ready in the queue; 0 if it does not exist yet."""
        try:
            self.declare_queue(queue, ensure=True)
            return int(self.channel.queue_declare(queue, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            # The broker was wiped: publishing declares the queue anew.
            del self.channel
            self.queues_pending.add(queue)
            return 0
        except _AWAY as error:
            raise self._unavailable(error) from error

    def publish(self, queue: str, actor: str, **arguments: Any) -> None:
        """Returns when the broker has confirmed the message."""
        try:
            self.enqueue(_message(queue, actor, arguments))
        except _AWAY as error:
            raise self._unavailable(error) from error

    def keep_alive(self) -> None:
        """Lets pika answer heartbeats."""
        try:
            self.connection.process_data_events()
        except _AWAY as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> BrokerUnavailable:
        del self.connection
        return BrokerUnavailable(f"RabbitMQ can't be used now: {error!r}")


class MemoryQueues(StubBroker):
    """The embedded mode's broker: everything is in this process."""

    def __init__(self) -> None:
        super().__init__(middleware=[])

    def get_declared_delay_queues(self) -> set[str]:
        """None: nothing is ever delayed in the broker."""
        return set()

    def depth(self, queue: str) -> int:
        """Messages that wait in the queue."""
        self.declare_queue(queue)
        return int(self.queues[queue].qsize())

    def publish(self, queue: str, actor: str, **arguments: Any) -> None:
        """Never fails."""
        self.enqueue(_message(queue, actor, arguments))

    def keep_alive(self) -> None:
        """Nothing to do."""


def open_broker(settings: Settings, queues: Sequence[str]) -> RabbitQueues | MemoryQueues:
    """The broker that the settings name, knowing these queues; connects at first use."""
    embedded = settings.broker_url.startswith("memory:")
    broker = MemoryQueues() if embedded else RabbitQueues(settings)
    for queue in queues:
        broker.declare_queue(queue)
    return broker


def _message(queue: str, actor: str, arguments: dict[str, Any]) -> Message[Any]:
    return Message(queue_name=queue, actor_name=actor, args=(), kwargs=arguments, options={})
