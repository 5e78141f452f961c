"""Composition of the relay and of the workers, from settings."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import structlog
from dramatiq import Worker
from redis import Redis

from channels.base import Channel, Device, Environment, drop_receipt, keep_device
from channels.mail_policy import open_mail_policy
from channels.registry import open_channels
from channels.simulated import Simulating
from communication.devices import unregister_gone
from communication.errors import ServiceUnavailable
from communication.lanes import FAN_OUT_QUEUE, all_queues, deliver_queues
from communication.receipt import Receipt
from communication.receipt_recorder import Recorder
from communication.settings import Settings
from communication.store import Store
from communication.told import Sink
from worker.actors import register_actors
from worker.batch import BatchRunner
from worker.broker import MemoryQueues, RabbitQueues, open_broker
from worker.deliver import Deliverer
from worker.fan_out import FanOut
from worker.isolation import Isolation
from worker.polled import PolledNotifications
from worker.relay import Relay
from worker.render import default_sender
from worker.sequencer import Sequencer
from worker.templating import open_templating

AnyBroker = RabbitQueues | MemoryQueues

log = structlog.get_logger(part="worker")


def open_medium(
    settings: Settings,
    medium: str,
    *,
    on_receipt: Callable[[Receipt], "Future[None]"] = drop_receipt,
    on_gone: Callable[[Device], None] = keep_device,
    redis: Redis | None = None,
) -> Channel:
    """The channel that the settings name for `sms`, `email` or `push`.

    `on_receipt` is called with what providers tell of it later, `on_gone` with devices that
    their push service knows no more. What is known of providers is shared through `redis`.
    """
    environment = Environment(
        medium=medium,
        outbox=Path(settings.data) / "outbox",
        default_sender=default_sender(settings.email_sender),
        send_timeout=settings.lease * 2 / 3,
        public_url=settings.public_url,
        mail=open_mail_policy(settings),
        redis=redis,
        on_receipt=on_receipt,
        on_gone=on_gone,
    )
    return Simulating(open_channels(settings.channel_url(medium), environment), medium)


def unregistering(store: Store) -> Callable[[Device], None]:
    """What takes a gone device out of the registry, unless it was registered again meanwhile."""

    def unregister(device: Device) -> None:
        try:
            with store.write() as connection:
                forgotten = unregister_gone(connection, device.key, device.registered_at)
        except ServiceUnavailable as error:
            # It will be gone at the next message still.
            log.warning("a gone device can't be unregistered now", why=error.message)
            return
        log.info("device gone", device=device.key, platform=device.platform, forgotten=forgotten)

    return unregister


def open_sinks(settings: Settings, redis: Redis) -> tuple[Sink, ...]:
    """Who is told of what happens, beside those who read the order-event feed."""
    return (PolledNotifications(redis, ttl=settings.notification_ttl),)


class Workers:
    """Dramatiq workers in this process, one for each channel and lane.

    So neither a full lane nor a channel whose provider is slow or dead keeps another waiting.
    One more tells of events, a batch at a time.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        broker: AnyBroker,
        queues: Sequence[str],
        redis: Redis,
    ) -> None:
        media = {queue.split(".")[1] for queue in queues if queue != FAN_OUT_QUEUE}
        isolation = Isolation()
        shared = None if settings.redis_url.startswith("memory:") else redis
        self._receipts = Recorder(store)
        self._templating = open_templating(settings) if media else None
        self._runners = {
            medium: BatchRunner(
                store,
                settings,
                Deliverer(
                    open_medium(
                        settings,
                        medium,
                        on_receipt=self._receipts,
                        on_gone=unregistering(store),
                        redis=shared,
                    ),
                    settings,
                ),
                isolation,
                self._templating,
            )
            for medium in sorted(media)
        }
        register_actors(broker, self._runners, FanOut(store, settings, open_sinks(settings, redis)))
        self._workers = [
            _worker(broker, {queue}, settings.worker_threads)
            for _, _, queue in deliver_queues()
            if queue in queues
        ]
        if FAN_OUT_QUEUE in queues:
            self._workers.append(_worker(broker, {FAN_OUT_QUEUE}, 1))

    def start(self) -> None:
        """Begin to consume."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Let what is in flight end and be recorded; give the rest back."""
        for runner in self._runners.values():
            runner.stop()
        for worker in self._workers:
            worker.stop()
        for runner in self._runners.values():
            runner.close()
        self._receipts.close()
        if self._templating:
            self._templating.close()


def _worker(broker: AnyBroker, queues: set[str], threads: int) -> Worker:
    worker = Worker(broker, queues=queues, worker_threads=threads, worker_timeout=200)
    worker.queue_prefetch = threads
    return worker


class Relaying:
    """A relay, and beside it a sequencer. `run` returns after `stop`."""

    def __init__(self, relay: Relay, sequencer: Sequencer) -> None:
        self._relay = relay
        self._sequencer = sequencer

    def run(self) -> None:
        """Relay and sequence until stopped."""
        beside = Thread(target=self._sequencer.run, name="sequencer")
        beside.start()
        try:
            self._relay.run()
        finally:
            self._sequencer.stop()
            beside.join()

    def stop(self) -> None:
        """Ends `run` after the steps that they are in."""
        self._relay.stop()
        self._sequencer.stop()


def open_relay(store: Store, settings: Settings, broker: AnyBroker, redis: Redis) -> Relaying:
    """A relay on this store and broker."""
    sequencer = Sequencer(store, settings, broker, open_sinks(settings, redis))
    return Relaying(Relay(store, settings, broker), sequencer)


def open_queues(settings: Settings) -> AnyBroker:
    """The broker of the settings, knowing every queue."""
    return open_broker(settings, all_queues())
