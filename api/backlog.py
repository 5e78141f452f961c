"""How much may wait to be sent before no more is taken on."""

import time
from collections.abc import Callable
from threading import Lock

from sqlalchemy import Connection

from communication import metrics
from communication.errors import OverCapacity
from communication.store import Store

LOOK_EVERY = 5.0
"""Seconds between looks, at least."""
_SHARE = 50
"""A look that takes long is taken more seldom: it costs one part in so many of the time."""
_COME_AGAIN = 30


Count = Callable[[Connection, int], int]
"""How many wait, counted up to a number."""


class Backlog:
    """Knows whether more than `most` of what is counted wait; 0: as many as may be."""

    def __init__(self, store: Store, most: int, count: Count, what: str) -> None:
        """`what` waits: for the error's text and the metric."""
        self._store = store
        self._most = most
        self._count = count
        self._what = what
        self._full = False
        self._next_look = 0.0
        self._lock = Lock()

    def check(self, tenant: str) -> None:
        """OverCapacity when there is no room for more, whoever asks."""
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
            metrics.REFUSED.labels(tenant, "backlog").inc()
            error = OverCapacity(f"more {self._what} than may; try again later")
            error.headers = {"Retry-After": str(_COME_AGAIN)}
            raise error

    def _look(self) -> None:
        began = time.monotonic()
        with self._store.read() as connection:
            self._full = self._count(connection, self._most) >= self._most
        took = time.monotonic() - began
        self._next_look = time.monotonic() + max(LOOK_EVERY, _SHARE * took)
