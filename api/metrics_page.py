"""The metrics of all processes, and what the database says of its queues at this moment."""

import os
from collections.abc import Iterator, Sequence

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.events.event_status import EventStatus, event_status
from communication.hubs.status import HubStatus, hub_status
from communication.messages.queue_status import QueueStatus, queue_status
from communication.store import Store

log = structlog.get_logger(part="api")


def metrics_page(store: Store) -> bytes:
    """In Prometheus' text format. Without the queues when the database can't be reached."""
    queues = CollectorRegistry()
    try:
        with store.read() as connection:
            queues.register(_Queues(queue_status(connection, now=now())))
            queues.register(_Hubs(hub_status(connection, now=now())))
            queues.register(_Events(event_status(connection, now=now())))
    except ServiceUnavailable as error:
        log.warning("metrics without queues", why=error.message)
    return generate_latest(_counters()) + generate_latest(queues)


def _counters() -> CollectorRegistry:
    """Of all processes of this machine where they share a folder, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # comes without types
    return registry


class _Queues(Collector):
    def __init__(self, status: Sequence[QueueStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ("tenant", "channel", "lane")
        age = GaugeMetricFamily(
            "tidings_queue_age_seconds", "How long the oldest due work has waited.", labels=labels
        )
        waiting = GaugeMetricFamily(
            "tidings_queue_waiting", "Due deliveries that no worker has, counted to a bound.",
            labels=labels,
        )  # fmt: skip
        for one in self._status:
            age.add_metric((one.tenant, one.channel, one.lane), one.age)
            waiting.add_metric((one.tenant, one.channel, one.lane), one.waiting)
        yield age
        yield waiting
        # From the database, so that a relay which is gone shows.
        lag = max((one.age for one in self._status), default=0.0)
        yield GaugeMetricFamily(
            "tidings_relay_lag_seconds", "How far the relay is behind, over all lanes.", value=lag
        )


class _Hubs(Collector):
    def __init__(self, status: Sequence[HubStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        hubs = GaugeMetricFamily(
            "tidings_hubs", "Hubs, by how they are doing.", labels=("tenant", "state")
        )
        age = GaugeMetricFamily(
            "tidings_callback_age_seconds",
            "How long the oldest due callback of a hub that is well has waited.",
            labels=("tenant",),
        )
        for one in self._status:
            age.add_metric((one.tenant,), one.age)
            for state, count in one.counts.items():
                hubs.add_metric((one.tenant, state), count)
        yield hubs
        yield age


class _Events(Collector):
    def __init__(self, status: EventStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "tidings_event_age_seconds",
            "How long the oldest event has waited for its position.",
            value=self._status.age,
        )
        yield GaugeMetricFamily(
            "tidings_events_untold",
            "Events that wait to be handed to hubs and pollers.",
            value=self._status.untold,
        )
