"""Sockets of clients, that bound how long an answer may take to be read."""

import errno
import socket
import time
from typing import Any

SLOWEST = 64 * 1024
"""Bytes a second that a client must read, or write, beyond its patience."""
_PIECE = 64 * 1024
_LEAST = 0.001


class PacedSocket(socket.socket):
    """Sends while the client reads at SLOWEST or faster; it may fall behind by `patience` seconds.

    ConnectionResetError otherwise: what it still wants is not worth a thread.
    """

    patience = 15.0
    _until = 0.0

    def begin(self) -> None:
        """An answer begins."""
        self._until = time.monotonic() + self.patience

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send it all, or hang up."""
        view = memoryview(data)
        for place in range(0, len(view), _PIECE):
            piece = view[place : place + _PIECE]
            self.settimeout(max(self._until - time.monotonic(), _LEAST))
            try:
                super().sendall(piece, flags)
            except TimeoutError as error:
                raise ConnectionResetError(errno.ECONNRESET, "it reads too slowly") from error
            # What the system takes at once into its buffers is not read yet: no credit for that.
            most = time.monotonic() + self.patience
            self._until = min(self._until + len(piece) / SLOWEST, most)
