"""The fan-out: what happened is handed to all sinks, in order, each event once counted.

One transaction reads the next events, lets every sink keep what it wants, and moves the
cursor: what was handed over is counted, and what was counted was handed over.
"""

import time
from collections.abc import Sequence
from threading import Event

from sqlalchemy import Connection

from communication import metrics
from communication.events import sequencing
from communication.events.sequencing import FAN_OUT_LOCK, TOLD
from communication.events.telling import Teller, heads_after, type_of
from communication.events.told import Sink, wanted_by
from communication.settings import Settings
from communication.store import Store

MOST = 500
"""Events in one transaction."""
RUN_FOR = 60.0
"""Seconds for which one call is followed: the broker takes back what is not done for long."""


class FanOut:
    """Tells sinks; shared by threads, of any number of processes."""

    def __init__(self, store: Store, settings: Settings, sinks: Sequence[Sink]) -> None:
        self._store = store
        self._sinks = sinks
        self._stopping = Event()
        self._teller = Teller(public_url=settings.public_url, receivers=settings.event_receivers)

    def stop(self) -> None:
        """Ends `run` after the batch that it is in."""
        self._stopping.set()

    def run(self) -> None:
        """Tell what there is. Returns at once while another is telling; the relay calls again."""
        until = time.monotonic() + RUN_FOR
        while not self._stopping.is_set() and self.step() and time.monotonic() < until:
            pass

    def step(self) -> bool:
        """Tell one batch; whether there may be more for this one to tell."""
        with self._store.write() as connection:
            if not sequencing.lock_alone(connection, FAN_OUT_LOCK):
                return False
            after = sequencing.position_of(connection, TOLD)
            last, tenants = self._tell(connection, after)
            sequencing.advance(connection, TOLD, last)
        metrics.count((metrics.TOLD, (tenant,)) for tenant in tenants)
        return last > after

    def _tell(self, connection: Connection, after: int) -> tuple[int, list[str]]:
        """The last position that is told now, and of each event that is wanted, whose it is."""
        events = connection.execute(heads_after(after, MOST)).all()
        if not events:
            return after, []
        # Whoever listened before any of these were committed is seen here.
        wanted = wanted_by(self._sinks, connection)
        found = [one for one in events if type_of(one) in wanted.get(one.tenant, ())]
        for portion in self._teller.portions(connection, [one.position for one in found]):
            told = self._teller.at(connection, portion)
            for sink in self._sinks:
                sink.put(connection, told)
        return events[-1].position, [one.tenant for one in found]
