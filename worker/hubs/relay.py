"""The relay's part for hubs: which of them have something to hear, and nobody who tells them."""

import time
from collections.abc import Mapping
from datetime import timedelta

from communication.clock import now
from communication.errors import BrokerUnavailable
from communication.hubs.callbacks import forget_old
from communication.ids import new_id
from communication.lanes import CALLBACK_QUEUE
from communication.settings import Settings
from communication.store import Store
from worker.broker import Queues
from worker.hubs.lease import any_waiting, lease_hubs, release_hubs
from worker.stepping import Stepping

TIDY_EVERY = 60.0
"""Seconds between looks at callbacks that are too old, once there are none left."""
TIDY_ON = 1.0
"""Seconds between looks while there are."""


class HubRelay(Stepping):
    """Hands hubs over to the workers."""

    name = "hubs"

    def __init__(self, store: Store, settings: Settings, queues: Queues) -> None:
        super().__init__(queues, rest=settings.poll)
        self._store = store
        self._window = settings.window
        self._lease = timedelta(seconds=settings.lease)
        self._keep = timedelta(seconds=settings.callback_keep)
        self._tidy_at = time.monotonic()

    def turn(self) -> bool:
        """A step; before it, from time to time, what else is to be done."""
        self.tidy()
        return self.step()

    def step(self) -> bool:
        """Hand over hubs that have something due, as far as there is room; whether there were."""
        with self._store.read() as connection:
            waiting = any_waiting(connection, now=now())
        room = self._window - self._queues.depth(CALLBACK_QUEUE) if waiting else 0
        if room <= 0:
            return False
        lease, moment = new_id(), now()
        with self._store.write() as connection:
            hubs = lease_hubs(
                connection, most=room, lease=lease, now=moment, until=moment + self._lease
            )
        self._publish(hubs, lease)
        return bool(hubs)

    def _publish(self, hubs: Mapping[int, bool], lease: str) -> None:
        left = list(hubs)
        try:
            while left:
                self._queues.publish(
                    CALLBACK_QUEUE, "callback", hub=left[0], lease=lease, failing=hubs[left[0]]
                )
                del left[0]
        except BrokerUnavailable:
            with self._store.write() as connection:
                release_hubs(connection, left, lease=lease, now=now())
            raise

    def tidy(self) -> None:
        """Forget some of what is old; seldom."""
        if time.monotonic() < self._tidy_at:
            return
        with self._store.write() as connection:
            more = forget_old(connection, before=now() - self._keep)
        self._tidy_at = time.monotonic() + (TIDY_ON if more else TIDY_EVERY)
