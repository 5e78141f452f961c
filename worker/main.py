"""Composition of the relay and of the workers, from settings."""

import gc
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread

import structlog
from dramatiq import Worker
from redis import Redis

from channels.base import Channel, Device, Environment, drop_receipt, keep_device
from channels.email.mail_policy import open_mail_policy
from channels.registry import open_channels
from channels.simulated import Simulating
from communication.devices.registry import unregister_gone
from communication.errors import ServiceUnavailable, all_made
from communication.events.event_types import event_types
from communication.events.told import Sink
from communication.http.guard import Guard
from communication.lanes import CALLBACK_QUEUE, FAN_OUT_QUEUE, all_queues, deliver_queues
from communication.receipts.receipt import Receipt
from communication.receipts.recorder import Recorder
from communication.settings import Settings
from communication.store import Store
from worker.actors import register_actors
from worker.batch import BatchRunner
from worker.broker import MemoryQueues, RabbitQueues, open_broker
from worker.deliver import Deliverer
from worker.fan_out import FanOut
from worker.forwarding import Forwarder
from worker.hubs.relay import HubRelay
from worker.hubs.runner import open_hub_runner
from worker.hubs.sink import HubSink
from worker.isolation import Isolation
from worker.polled import PolledNotifications
from worker.purger import Purger
from worker.relay import Relay
from worker.render import default_sender
from worker.sequencer import Sequencer
from worker.stepping import Stepping
from worker.templating import open_templating

AnyBroker = RabbitQueues | MemoryQueues

log = structlog.get_logger(part="worker")


def environment_of(settings: Settings, medium: str) -> Environment:
    """What the settings tell channels of the place they run in."""
    return Environment(
        medium=medium,
        outbox=Path(settings.data) / "outbox",
        default_sender=default_sender(settings.email_sender),
        send_timeout=settings.lease * 2 / 3,
        public_url=settings.public_url,
        mail=open_mail_policy(settings),
        guard=Guard.of(settings.callback_allow),
    )


def open_medium(
    settings: Settings,
    medium: str,
    *,
    urls: str | None = None,
    on_receipt: Callable[[Receipt], "Future[None]"] = drop_receipt,
    on_gone: Callable[[Device], None] = keep_device,
    redis: Redis | None = None,
) -> Channel:
    """The channel that the settings, or these URLs, name for `sms`, `email` or `push`.

    `on_receipt` is called with what providers tell of it later, `on_gone` with devices that
    their push service knows no more. What is known of providers is shared through `redis`.
    """
    usual = environment_of(settings, medium)
    environment = replace(usual, redis=redis, on_receipt=on_receipt, on_gone=on_gone)
    return Simulating(open_channels(urls or settings.channel_url(medium), environment), medium)


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
    return (
        HubSink(event_types(settings)),
        PolledNotifications(redis, ttl=settings.notification_ttl),
    )


class Workers:
    """Dramatiq workers in this process, one for each channel and lane.

    So neither a full lane nor a channel whose provider is slow or dead keeps another waiting.
    One more tells of events, a batch at a time, and one serves hubs.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        broker: AnyBroker,
        queues: Sequence[str],
        redis: Redis,
    ) -> None:
        media = {medium for medium, _, queue in deliver_queues() if queue in queues}
        isolation = Isolation()
        shared = None if settings.redis_url.startswith("memory:") else redis
        self._receipts = Recorder(store)
        self._templating = open_templating(settings) if media else None
        channels = all_made(
            partial(
                open_medium,
                settings,
                medium,
                on_receipt=self._receipts,
                on_gone=unregistering(store),
                redis=shared,
            )
            for medium in sorted(media)
        )
        self._runners = {
            medium: BatchRunner(
                store, settings, Deliverer(channel, settings), isolation, self._templating
            )
            for medium, channel in zip(sorted(media), channels, strict=True)
        }
        self._hubs = open_hub_runner(store, settings)
        self._teller = FanOut(store, settings, open_sinks(settings, redis))
        register_actors(broker, self._runners, self._teller, self._hubs)
        threads = {queue: settings.worker_threads for _, _, queue in deliver_queues()}
        threads |= {FAN_OUT_QUEUE: 1, CALLBACK_QUEUE: 1}
        self._workers = [
            _worker(broker, {queue}, count) for queue, count in threads.items() if queue in queues
        ]

    def start(self) -> None:
        """Begin to consume."""
        # What is here by now stays; to look through it again and again takes 0.1 s each time.
        gc.freeze()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Let what is in flight end and be recorded; give the rest back."""
        self._teller.stop()
        self._hubs.stop()
        for runner in self._runners.values():
            runner.stop()
        # Side by side: one that waits for a slow provider keeps none of the others.
        with ThreadPoolExecutor(max(1, len(self._workers))) as stopping:
            list(stopping.map(Worker.stop, self._workers))
        self._hubs.close()
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
    """A relay, and beside it what else goes on all the time. `run` returns after `stop`."""

    def __init__(self, relay: Relay, *others: Stepping) -> None:
        self._relay = relay
        self._others = others

    def run(self) -> None:
        """All of them until stopped."""
        beside = [Thread(target=one.run, name=one.name) for one in self._others]
        for thread in beside:
            thread.start()
        try:
            self._relay.run()
        finally:
            self.stop()
            for thread in beside:
                thread.join()

    def stop(self) -> None:
        """Ends `run` after the turns that they are in."""
        for one in (self._relay, *self._others):
            one.stop()


def open_relay(store: Store, settings: Settings, broker: AnyBroker, redis: Redis) -> Relaying:
    """A relay on this store and broker."""
    forwarders = [Forwarder(store, settings, broker)] if settings.event_collector_url else []
    purgers = [Purger(store, settings, broker)] if settings.retention else []
    return Relaying(
        Relay(store, settings, broker),
        Sequencer(store, settings, broker, open_sinks(settings, redis)),
        HubRelay(store, settings, broker),
        *forwarders,
        *purgers,
    )


def open_queues(settings: Settings) -> AnyBroker:
    """The broker of the settings, knowing every queue."""
    return open_broker(settings, all_queues())
