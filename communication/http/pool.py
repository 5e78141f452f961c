"""Idle connections of the HTTP client, by origin."""

import time
from collections import deque
from threading import Lock

from communication.http.connection import Connection
from communication.http.url import Origin

IDLE = 30.0
"""Seconds that an unused connection is kept."""
MOST = 256
"""Idle connections in all."""


class Pool:
    """At most `per_origin` idle connections to each origin, the one used last taken first."""

    def __init__(self, per_origin: int) -> None:
        self._per_origin = per_origin
        self._idle: dict[Origin, deque[Connection]] = {}
        self._count = 0
        self._closed = False
        self._lock = Lock()
        self._swept = time.monotonic()

    def take(self, origin: Origin) -> Connection | None:
        """One that still works, None when there is none."""
        while (connection := self._pop(origin)) is not None:
            if connection.idle_since > time.monotonic() - IDLE and connection.usable():
                return connection
            connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        """Keep it, if its last answer was read whole and there is room; else close it."""
        if not (connection.reusable and self._keep(connection)):
            connection.close()
        self._sweep()

    def close(self) -> None:
        """Close them all; none is kept from now on."""
        with self._lock:
            self._closed = True
        self._sweep(older_than=float("inf"))

    def _pop(self, origin: Origin) -> Connection | None:
        with self._lock:
            idle = self._idle.get(origin)
            if not idle:
                return None
            self._count -= 1
            return idle.pop()

    def _keep(self, connection: Connection) -> bool:
        connection.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(connection.origin, deque())
            room = len(idle) < self._per_origin and self._count < MOST and not self._closed
            if room:
                idle.append(connection)
                self._count += 1
            return room

    def _sweep(self, older_than: float | None = None) -> None:
        """Close what nobody has used for a while, at most once in that while."""
        moment = time.monotonic()
        if older_than is None and moment < self._swept + IDLE:
            return
        limit = moment - IDLE if older_than is None else older_than
        old: list[Connection] = []
        with self._lock:
            self._swept = moment
            for origin, idle in list(self._idle.items()):
                while idle and idle[0].idle_since < limit:
                    old.append(idle.popleft())
                if not idle:
                    del self._idle[origin]
            self._count -= len(old)
        for connection in old:
            connection.close()
