"""Connections that threads share and mails reuse."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from channels.email.smtp_connection import SmtpConnection
from channels.endpoint import Deadline
from communication.errors import TransientDeliveryError


class SmtpPool:
    """At most `size` connections at once; one that idles longer than `idle` seconds is closed."""

    def __init__(self, size: int, idle: float) -> None:
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle_time = idle
        self._idle: list[SmtpConnection] = []
        self._closed = False
        self._used = 0

    @property
    def others(self) -> int:
        """How many connections are in use beside the caller's."""
        return self._used - 1

    @contextmanager
    def slot(self, deadline: Deadline) -> Iterator[None]:
        """The right to use one connection. TransientDeliveryError if none gets free in time."""
        if not self._slots.acquire(timeout=max(0.0, deadline.at - time.monotonic())):
            raise TransientDeliveryError("timed out: waiting for a free connection")
        try:
            if self._closed:
                raise TransientDeliveryError("the channel is closed")
            self._count(1)
            try:
                yield
            finally:
                self._count(-1)
        finally:
            self._slots.release()

    def _count(self, change: int) -> None:
        with self._lock:
            self._used += change

    def take(self) -> SmtpConnection | None:
        """The connection that was used last, if any is idle."""
        oldest = time.monotonic() - self._idle_time
        outdated: list[SmtpConnection] = []
        with self._lock:
            while self._idle and self._idle[0].idle_since < oldest:
                outdated.append(self._idle.pop(0))  # the longest idle comes first
            kept = self._idle.pop() if self._idle else None
        for connection in outdated:
            connection.close()
        return kept

    def put(self, connection: SmtpConnection) -> None:
        """Keep a connection for the next mail, unless it or the pool is closed."""
        with self._lock:
            connection.idle_since = time.monotonic()
            keep = not self._closed and not connection.closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def close(self) -> None:
        """Close the idle connections now, those in use when their mail is done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
