"""The sequencer: gives what happened its place in the order, and wakes who tells of it.

A thread of its own in each relay's process, so that claiming never waits for it. One of all
at a time does the work, by a lock in the database.
"""

import time
from collections.abc import Sequence

import structlog

from communication import metrics
from communication.events import sequencing
from communication.events.order_events import write_order_events
from communication.events.sequencing import TOLD
from communication.events.told import Sink, wanted_by
from communication.lanes import FAN_OUT_QUEUE
from communication.settings import Settings
from communication.store import Store
from worker.broker import Queues
from worker.stepping import Stepping

MOST = 2_000
"""Events in one transaction."""
UNHEARD_REST = 0.5
"""Seconds between looks while nobody listens: few large batches cost half of many small ones."""
REMIND_EVERY = 1.0
"""Seconds: a wake-up call may be lost with the broker, or come while nobody could follow it."""

log = structlog.get_logger(part="worker.sequencer")


class Sequencer(Stepping):
    """One sequencer."""

    name = "sequencer"

    def __init__(
        self, store: Store, settings: Settings, queues: Queues, sinks: Sequence[Sink] = ()
    ) -> None:
        super().__init__(queues, rest=settings.poll)
        self._store = store
        self._settings = settings
        self._sinks = sinks
        self._called_at = 0.0
        self._is_heard = True

    def step(self) -> bool:
        """Give positions to a batch of what is committed; whether more may be waiting."""
        count = self._sequence()
        overdue = time.monotonic() - self._called_at > REMIND_EVERY
        if overdue or (count and self._is_heard):
            self._wake()
        return count == MOST

    def _sequence(self) -> int:
        with self._store.read() as connection:
            if not sequencing.is_staged(connection):
                return 0
        with self._store.write() as connection:
            span = sequencing.sequence(connection, limit=MOST)
            if span is None or not span.count:
                return 0
            write_order_events(connection, span)
            # Whoever listened before any of these were committed is seen here.
            self._is_heard = bool(wanted_by(self._sinks, connection))
            self._rest = self._settings.poll if self._is_heard else UNHEARD_REST
            if not self._is_heard:
                sequencing.advance(connection, TOLD, span.last)
        metrics.SEQUENCED.inc(span.count)
        return span.count

    def _wake(self) -> None:
        """Call for the fan-out if events wait for it and no call does."""
        self._called_at = time.monotonic()
        with self._store.read() as connection:
            told = sequencing.position_of(connection, TOLD)
            waiting = sequencing.position_of(connection, sequencing.SEQUENCED) > told
        if waiting and not self._queues.depth(FAN_OUT_QUEUE):
            self._queues.publish(FAN_OUT_QUEUE, "fan_out")
