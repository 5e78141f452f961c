"""The fan-out: what happened is handed to all sinks, in order, each event once counted.

One transaction reads the next events, lets every sink keep what it wants, and moves the
cursor: what was handed over is counted, and what was counted was handed over.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from communication import metrics, sequencing
from communication.sequencing import FAN_OUT_LOCK, TOLD
from communication.settings import Settings
from communication.store import Store
from communication.telling import Teller, batch_after, type_of
from communication.told import Sink, wanted_by

MOST = 100
"""Events in one transaction: as many messages are in memory at once."""


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
        events = connection.execute(batch_after(after, MOST)).all()
        if not events:
            return after, 0
        wanted = wanted_by(self._sinks, connection)
        told = self._teller.tell(
            connection, [one for one in events if _is_wanted(one.tenant, type_of(one), wanted)]
        )
        for sink in self._sinks if told else ():
            sink.put(connection, told)
        return events[-1].position, len(told)


def _is_wanted(tenant: str, event_type: str, wanted: Mapping[str, set[str]]) -> bool:
    return event_type in wanted.get(tenant, ())
