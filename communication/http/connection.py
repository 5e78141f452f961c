"""Connections of the HTTP client: to vetted addresses only, and never past a deadline."""

import contextlib
import errno
import io
import select
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any

from communication.errors import ConnectionFailed, TimedOut
from communication.http.guard import Guard, resolve
from communication.http.url import Origin

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Bounded(_Socket):
    """Every wait on the socket ends at `deadline`, however slowly the peer drips.

    A socket's own timeout begins anew with each byte that comes. `allowance`: how many may: what
    is around an answer (interim ones, small chunks, trailers) could go on for ever.
    """

    deadline: float
    allowance: int

    def recv_into(self, *args: Any, **options: Any) -> int:
        self.settimeout(remaining(self.deadline))
        count = super().recv_into(*args, **options)
        self.allowance -= count
        if self.allowance < 0:
            raise OSError(errno.EMSGSIZE, "there is too much around its answer")
        return count

    def send(self, *args: Any, **options: Any) -> int:
        self.settimeout(remaining(self.deadline))
        return super().send(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        self.settimeout(remaining(self.deadline))
        super().sendall(*args, **options)


class _PlainSocket(_Bounded, socket.socket):
    pass


class _TlsSocket(_Bounded, ssl.SSLSocket):
    deadline = float("inf")  # wrap_socket shakes hands before it can be set, by the plain timeout


class _Lines(io.BufferedReader):
    """Remembers the line that was read last."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class _Response(HTTPResponse):
    """One whose headers came to their end: http.client takes a lost connection for it."""

    def begin(self) -> None:
        lines = self.fp = _Lines(self.fp.detach())
        super().begin()
        if not lines.last:
            raise RemoteDisconnected("the headers have no end")


class Connection(HTTPConnection):
    """One connection to an origin. `deadline`, monotonic, is set before each request."""

    response_class = _Response
    sock: socket.socket | None

    def __init__(self, origin: Origin, guard: Guard | None, tls: ssl.SSLContext | None) -> None:
        super().__init__(origin.host, origin.port)
        self.auto_open = 0  # what ends in an error is not silently sent anew
        self.origin = origin
        self.idle_since = 0.0
        self.begun = False
        self._unsent = b""
        self.reusable = False
        self._guard = guard
        self._tls = tls

    def open(self, deadline: float) -> None:
        """Resolve, vet and connect. Refused, TimedOut or ConnectionFailed."""
        addresses = resolve(self.origin, deadline)
        if self._guard is not None:
            self._guard.vet(self.origin, addresses)
        plain = _connect(self.origin, addresses, deadline)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self._secured(plain, deadline)
        except BaseException:
            plain.close()
            raise

    def set_bounds(self, deadline: float, allowance: int) -> None:
        """Until when the request that comes next may take, and how many bytes its answer."""
        assert isinstance(self.sock, _Bounded)  # noqa: S101  # it is open
        self.sock.deadline = deadline
        self.sock.allowance = allowance

    def usable(self) -> bool:
        """Whether the peer has neither closed it nor sent what nobody asked for."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def send(self, data: Any) -> None:
        """Keep what http.client says in parts, so that it goes out in one."""
        self._unsent += data

    def flush(self) -> None:
        """Send what was kept. `begun`: the peer may have received something of it."""
        self.begun = True
        request, self._unsent = self._unsent, b""
        super().send(request)

    def _secured(self, plain: "_PlainSocket", deadline: float) -> socket.socket:
        if self._tls is None:
            return plain
        plain.settimeout(remaining(deadline))
        return self._tls.wrap_socket(plain, server_hostname=self.origin.host)


def tls_context() -> ssl.SSLContext:
    """Peers show a certificate that the system trusts, for the name in the URL."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def bound(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have the context's sockets keep deadlines."""
    context.sslsocket_class = _TlsSocket
    return context


def remaining(deadline: float) -> float:
    """Seconds until then. TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(origin: Origin, addresses: list[str], deadline: float) -> _PlainSocket:
    """To the first address that answers; each gets its share of the time that is left."""
    fault = OSError("no address")
    for place, address in enumerate(addresses):
        try:
            share = remaining(deadline) / (len(addresses) - place)
            return _connect_to(address, origin.port, share, deadline)
        except OSError as error:
            fault = error
    if isinstance(fault, TimeoutError):
        raise TimedOut(f"{origin.host} did not answer in time", sent=False) from fault
    why = fault.strerror or type(fault).__name__
    raise ConnectionFailed(f"{origin.host}: {why}", sent=False) from fault


def _connect_to(address: str, port: int, seconds: float, deadline: float) -> _PlainSocket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as undo:
        plain = undo.enter_context(_PlainSocket(family, socket.SOCK_STREAM))
        plain.deadline = deadline
        plain.settimeout(seconds)
        plain.connect((address, port))
        undo.pop_all()
    return plain
