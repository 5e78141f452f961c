"""The fan-out: what happened is handed to all sinks, in order, each event once counted.

One transaction reads the next events, lets every sink keep what it wants, and moves the
cursor: what was handed over is counted, and what was counted was handed over.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from communication import metrics, sequencing
from communication.sequencing import FAN_OUT_LOCK, TOLD
from communication.settings import Settings
from communication.store import Store
from communication.telling import Teller, heads_after, type_of
from communication.told import Sink, wanted_by

MOST = 100
"""Events told in one transaction: as many messages are in memory at once."""
MOST_PASSED = 2_000
"""Events that one transaction looks at; most of them may be of no interest."""


class FanOut:
    """Tells sinks; shared by threads, of any number of processes."""

    def __init__(self, store: Store, settings: Settings, sinks: Sequence[Sink]) -> None:
        self._store = store
        self._sinks = sinks
        self._teller = Teller(public_url=settings.public_url, receivers=settings.event_receivers)

    def run(self) -> None:
        """Tell all there is. Returns at once while another is telling."""
        while self.step():
            pass

    def step(self) -> bool:
        """Tell one batch; whether there may be more for this one to tell."""
        with self._store.write() as connection:
            if not sequencing.lock_alone(connection, FAN_OUT_LOCK):
                return False
            after = sequencing.position_of(connection, TOLD)
            last, count = self._tell(connection, after)
            sequencing.advance(connection, TOLD, last)
        metrics.TOLD.inc(count)
        return last > after

    def _tell(self, connection: Connection, after: int) -> tuple[int, int]:
        """The last position that is told now, and how many events somebody wanted."""
        events = connection.execute(heads_after(after, MOST_PASSED)).all()
        if not events:
            return after, 0
        # Whoever listened before any of these were committed is seen here.
        wanted = wanted_by(self._sinks, connection)
        found = [one.position for one in events if type_of(one) in wanted.get(one.tenant, ())]
        told = self._teller.at(connection, found[:MOST]) if found else []
        for sink in self._sinks if told else ():
            sink.put(connection, told)
        last = found[MOST - 1] if len(found) > MOST else events[-1].position
        return last, len(told)
