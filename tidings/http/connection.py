"""Connections of clients, as gunicorn's threads and parser see them."""

import time
from collections.abc import Callable
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn

from tidings.http.arrival import Arrival
from tidings.http.socket import PacedSocket


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection, and the request that comes in on it: gunicorn's parser reads that."""

    parser: Any

    def __init__(
        self, cfg: Any, sock: PacedSocket, client: Any, server: Any, arrive: Callable[[], Arrival]
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self._arrive = arrive
        self.arrival = arrive()
        self.begun_at = self.deadline = time.monotonic()
        self.continued = False
        self.data_ready = True

    def init(self) -> None:
        """Called before each request is read. Who never sends one needs no parser."""
        if self.parser is None:
            self.initialized = True
            self.parser = http.get_parser(self.cfg, self, self.client)

    def recv(self, size: int) -> bytes:
        """What the parser reads: of the request that is handled, nothing beyond."""
        return self.arrival.take(size)

    def next_arrival(self) -> None:
        """Begin with the next request, of which something may be here already."""
        surplus, self.continued = self.arrival.surplus, False
        self.arrival.close()
        self.arrival = self._arrive()
        if surplus:
            self.arrival.add(surplus)

    def close(self, **_graceful: bool) -> None:
        """Close at once: lingering is the worker's."""
        self.arrival.close()
        super().close(graceful=False)
