"""Octets to and from an SMSC: one thread reads while any other writes.

Python's TLS sockets may not be read and written by two threads at once, so TLS is spoken through
memory here, under a lock that is never held while waiting for the network.
"""

import socket
import ssl
import threading
from contextlib import suppress
from typing import Protocol

from channels.endpoint import Deadline, connect

_CHUNK = 65_536


class Wire(Protocol):
    """Octets both ways. Every method raises OSError when the connection is lost."""

    def read(self, within: float) -> bytes:
        """What has come, b"" when the peer has closed; TimeoutError after so many seconds."""
        ...

    def write(self, octets: bytes) -> None:
        """Send all of it. After an error the peer has not got the whole."""
        ...

    def cut(self) -> None:
        """End the connection: who reads or writes wakes up."""
        ...

    def close(self) -> None:
        """Let go of the socket. Only for the thread that reads."""
        ...


def open_wire(host: str, port: int, context: ssl.SSLContext | None, timeout: float) -> Wire:
    """Connected, and encrypted if there is a context. OSError if that fails within the timeout."""
    deadline = Deadline.after(timeout)
    plain = PlainWire(connect(host, port, deadline, timeout), timeout)
    if context is None:
        return plain
    try:
        return TlsWire(plain, context, host, deadline)
    except OSError:
        plain.close()
        raise


def in_words(error: Exception) -> str:
    """What went wrong, for a reason."""
    if isinstance(error, TimeoutError):
        return "timed out"
    return getattr(error, "strerror", None) or str(error)


class PlainWire:
    """Without TLS. `timeout` is how long the peer may take to read what is written, in seconds."""

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(timeout)
        self._reading = connected
        # A second object, for a time limit of its own.
        self._writing = connected.dup()
        self._writer = threading.Lock()

    def read(self, within: float) -> bytes:
        """What has come."""
        self._reading.settimeout(within)
        return self._reading.recv(_CHUNK)

    def write(self, octets: bytes) -> None:
        """Send all of it."""
        with self._writer:
            self._writing.sendall(octets)

    def cut(self) -> None:
        """End the connection."""
        # It may have ended already.
        with suppress(OSError):
            self._reading.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket."""
        self.cut()
        with self._writer:
            self._writing.close()
        self._reading.close()


class TlsWire:
    """TLS over a plain wire."""

    def __init__(
        self, plain: PlainWire, context: ssl.SSLContext, host: str, deadline: Deadline
    ) -> None:
        self._plain = plain
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_hostname=host)
        self._memory = threading.Lock()
        self._writer = threading.Lock()
        self._shake_hands(deadline)

    def read(self, within: float) -> bytes:
        """What has come."""
        while True:
            with self._memory:
                octets = self._decrypted()
            self._flush()
            if octets is not None:
                return octets
            received = self._plain.read(within)
            if not received:
                return b""
            with self._memory:
                self._coming.write(received)

    def write(self, octets: bytes) -> None:
        """Send all of it."""
        with self._writer:
            with self._memory:
                self._tls.write(octets)
                encrypted = self._going.read()
            self._plain.write(encrypted)

    def cut(self) -> None:
        """End the connection."""
        self._plain.cut()

    def close(self) -> None:
        """Let go of the socket."""
        self._plain.close()

    def _decrypted(self) -> bytes | None:
        """None if more must come first."""
        try:
            return self._tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""

    def _flush(self) -> None:
        """Send what TLS itself has to say."""
        if self._going.pending:
            with self._writer:
                with self._memory:
                    encrypted = self._going.read()
                self._plain.write(encrypted)

    def _shake_hands(self, deadline: Deadline) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                received = self._plain.read(deadline.left())
                if not received:
                    raise ConnectionResetError("the peer closed it") from None
                self._coming.write(received)
            else:
                self._flush()
                return
