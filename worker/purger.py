"""Deletes what is older than may be kept, a little at a time."""

from datetime import timedelta

import structlog

from communication.clock import now
from communication.privacy.purging import purge_some
from communication.settings import Settings
from communication.store import Store
from worker.broker import Queues
from worker.stepping import Stepping

REST = 60.0
"""Seconds between looks when nothing is old."""

log = structlog.get_logger(part="worker.purger")


class Purger(Stepping):
    """One of it in each relay's process; several share the work."""

    name = "purger"

    def __init__(self, store: Store, settings: Settings, queues: Queues) -> None:
        super().__init__(queues, rest=REST)
        self._store = store
        self._retention = timedelta(days=settings.retention)

    def step(self) -> bool:
        """One transaction's worth."""
        with self._store.write() as connection:
            count = purge_some(connection, now() - self._retention)
        if count:
            log.info("purged what is over", rows=count)
        return count > 0
