"""How much may wait to be sent before no more is taken on."""

import time
from threading import Lock

from communication import metrics
from communication.clock import now
from communication.errors import OverCapacity
from communication.queue_status import count_due
from communication.store import Store

LOOK_EVERY = 5.0
"""Seconds between looks, at least."""
_SHARE = 50
"""A look that takes long is taken more seldom: it costs one part in so many of the time."""
_COME_AGAIN = 30


class Backlog:
    """Knows whether more than `most` deliveries are due; 0: as many as may be."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._full = False
        self._next_look = 0.0
        self._lock = Lock()

    def check(self) -> None:
        """OverCapacity when there is no room for more to send."""
        if (
            self._most
            and time.monotonic() >= self._next_look
            and self._lock.acquire(blocking=False)
        ):
            try:
                self._look()
            finally:
                self._lock.release()
        if self._full:
            metrics.REFUSED.labels("backlog").inc()
            error = OverCapacity("more waits to be sent than may; try again later")
            error.headers = {"Retry-After": str(_COME_AGAIN)}
            raise error

    def _look(self) -> None:
        began = time.monotonic()
        with self._store.read() as connection:
            self._full = count_due(connection, now=now(), most=self._most) >= self._most
        took = time.monotonic() - began
        self._next_look = time.monotonic() + max(LOOK_EVERY, _SHARE * took)
