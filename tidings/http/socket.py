"""Sockets of clients: no thread waits for long until an answer is read."""

import errno
import socket
import tempfile
import time
from contextlib import suppress
from typing import IO, Any

SLOWEST = 64 * 1024
"""Bytes a second that a client must read, or write, beyond its patience."""
MOST_OWED = 64 * 1024 * 1024
"""Bytes of one answer that are kept for a client; it gets more only as it reads."""
_PIECE = 64 * 1024
_LEAST = 0.001
_AT_ONCE = 0.1
"""Seconds that a thread waits for a client to read one answer."""


class PacedSocket(socket.socket):
    """Sends what the client reads at once, and keeps the rest for the loop to `pay`.

    The client must read at SLOWEST or faster, and may fall behind by `patience` seconds:
    `until` is when it has fallen behind further. What it still wants is then worth nothing.
    """

    patience = 15.0
    until = 0.0
    owes = 0
    """Bytes that are kept for the client."""
    _kept: IO[bytes] | None = None
    _paid = 0
    _thread_until = 0.0

    def begin(self) -> None:
        """An answer begins."""
        moment = time.monotonic()
        self.until = moment + self.patience
        self._thread_until = moment + _AT_ONCE

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send it, or keep it. ConnectionResetError if the client reads too slowly."""
        view = memoryview(data)
        if self.owes:
            self.pay()
        if not self.owes:
            with suppress(TimeoutError):
                while view:
                    self.settimeout(max(self._thread_until - time.monotonic(), _LEAST))
                    view = view[self._sent(view[:_PIECE], flags) :]
        if view:
            self._keep(view)
        if self.owes > MOST_OWED:
            self._wait()

    def pay(self) -> None:
        """Send of what is kept as much as the client reads now."""
        self.settimeout(0)
        with suppress(BlockingIOError):
            while self.owes:
                self._pay_piece()

    def close(self) -> None:
        """Close it, and forget what was kept."""
        self._forget()
        super().close()

    def _keep(self, view: memoryview) -> None:
        if self._kept is None:
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115  # `_forget` closes it
        self._kept.seek(0, 2)
        self._kept.write(view)
        self.owes += len(view)

    def _wait(self) -> None:
        while self.owes:
            self.settimeout(max(self.until - time.monotonic(), _LEAST))
            try:
                self._pay_piece()
            except TimeoutError as error:
                raise ConnectionResetError(errno.ECONNRESET, "it reads too slowly") from error

    def _pay_piece(self) -> None:
        assert self._kept is not None  # noqa: S101  # something is owed
        self._kept.seek(self._paid)
        sent = self._sent(self._kept.read(_PIECE))
        self._paid += sent
        self.owes -= sent
        if not self.owes:
            self._forget()

    def _sent(self, data: Any, flags: int = 0) -> int:
        sent = self.send(data, flags)
        # What the system takes at once into its buffers is not read yet: no credit for that.
        most = time.monotonic() + self.patience
        self.until = min(self.until + sent / SLOWEST, most)
        return sent

    def _forget(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept, self._paid, self.owes = None, 0, 0
