"""gunicorn's threaded worker, with threads that never wait for clients.

The worker's loop gathers each request until it is whole, however slowly it comes; then a thread
handles it. Clients that take too long are answered 408 by the loop, and connections that end
linger there too, until the client has read what it was told.
"""

import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn import http
from gunicorn.http import errors as gunicorn_errors
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from api.contracts import contract_of
from communication import metrics
from communication.encoding import to_json
from communication.errors import (
    InvalidBody,
    InvalidHeader,
    InvalidPathParameter,
    RequestError,
)
from tidings.http.arrival import Arrival, HeadTooLarge
from tidings.http.socket import SLOWEST, PacedSocket

_AT_ONCE = 256 * 1024
_LINGER = 2.0
_LINGER_REFUSED = 10.0
"""Seconds for a client that is still writing to stop, and read why it was refused."""
_SWEEP_EVERY = 0.5


log = structlog.get_logger(part="api")


class RequestTooSlow(InvalidBody):
    """The request did not come to its end in time."""

    status = 408


class _PathTooLong(InvalidPathParameter):
    status = 414


class _ExpectationFailed(InvalidHeader):
    status = 417


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A client's connection, and the request that comes in on it: gunicorn's parser reads that."""

    def __init__(self, cfg: Any, sock: PacedSocket, client: Any, server: Any, most: int) -> None:
        super().__init__(cfg, sock, client, server)
        self._most = most
        self.arrival = Arrival(most)
        self.begun_at = self.deadline = time.monotonic()
        self.continued = False
        self.parser = http.get_parser(cfg, self, client)
        self.initialized = self.data_ready = True

    def recv(self, size: int) -> bytes:
        """What the parser reads: of the request that is handled, nothing beyond."""
        return self.arrival.take(size)

    def next_arrival(self) -> None:
        """Begin with the next request, of which something may be here already."""
        surplus, self.continued = self.arrival.surplus, False
        self.arrival.close()
        self.arrival = Arrival(self._most)
        if surplus:
            self.arrival.add(surplus)

    def close(self, **_graceful: bool) -> None:
        """Close at once: lingering is the worker's."""
        self.arrival.close()
        super().close(graceful=False)


class Intake(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The loop's part. `patience`, in seconds, and `max_body`, in bytes, come from the settings."""

    patience: float
    max_body: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}
        self._swept = 0.0

    def admit(self, listener: Any) -> None:
        """Accept a connection. Where there are too many, the one idle longest makes room."""
        try:
            plain, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        sock = PacedSocket(fileno=plain.detach())
        sock.patience = self.patience
        conn = Connection(self.cfg, sock, address, listener.getsockname(), self.max_body)
        self.nr_conns += 1
        self._wait(conn, self.patience)
        if self.nr_conns >= self.worker_connections:
            metrics.REFUSED.labels("", "crowd").inc()
            self._drop(next(iter(self._waiting)))

    def handle(self, conn: Connection) -> Any:
        """Handle a whole request, in a thread."""
        conn.arrival.rewind()
        conn.sock.begin()
        return super().handle(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:  # noqa: FBT001
        # All of it is here, so what the app did not read is skipped at once.
        parser = conn.parser
        return keepalive and bool(parser.finish_body()) and not parser.unreader.buf.getvalue()

    def finish_request(self, conn: Connection, done: Any) -> None:
        """A thread is done with a request: the next one comes in, or the connection ends."""
        if done.cancelled() or done.exception() is not None or not done.result():
            self._linger(conn, _LINGER)
            return
        conn.next_arrival()
        seconds = float(self.cfg.keepalive) if self.alive else STOP_KEEPALIVE_LINGER
        self._go_on(conn, seconds, waits=False)

    def handle_error(self, req: Any, client: Any, _addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn's parser refuses in the contract's body."""
        error = _translated(exc)
        if error is None:
            log.error("unexpected error", exc_info=exc)
            error = RequestError("internal error; the log has it")
        path = getattr(req, "path", None) or getattr(getattr(exc, "req", None), "path", "") or ""
        client.sendall(_answer(error, path))

    def murder_pending(self) -> None:
        """End what has waited for longer than it may. Called in every round of the loop."""
        moment = time.monotonic()
        if moment < self._swept + _SWEEP_EVERY:
            return
        self._swept = moment
        for conn in [conn for conn in self._waiting if conn.deadline <= moment]:
            self._give_up(conn)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002
        """At the worker's end, close what waits."""
        for conn in list(self._waiting) if force else ():
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in self._waiting:
            if not conn.arrival.received:
                conn.deadline = min(conn.deadline, deadline)

    def _wait(self, conn: Connection, seconds: float) -> None:
        """Have the loop look at what the client says next."""
        conn.begun_at = time.monotonic()
        conn.deadline = conn.begun_at + seconds
        conn.sock.settimeout(0)
        self._waiting[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))

    def _leave(self, conn: Connection) -> None:
        self._waiting.pop(conn, None)
        self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        conn.close()
        self.nr_conns -= 1

    def _on_readable(self, conn: Connection, _sock: Any) -> None:
        if conn not in self._waiting:
            return
        try:
            data = conn.sock.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        first = not conn.arrival.received
        conn.arrival.add(data)
        if first:
            conn.begun_at = time.monotonic()
        self._go_on(conn, self.patience, waits=True)

    def _go_on(self, conn: Connection, seconds: float, *, waits: bool) -> None:
        """Hand a whole request to a thread; wait on for the rest of another."""
        arrival = conn.arrival
        if arrival.refusal is None and not arrival.whole:
            if not waits:
                self._wait(conn, seconds)
            if arrival.received:
                self._expect_more(conn)
            return
        if waits:
            self._leave(conn)
        if arrival.refusal is None:
            self.enqueue_req(conn)
        else:
            self._refuse(conn, arrival.refusal)

    def _expect_more(self, conn: Connection) -> None:
        """The head comes within the patience, the body at SLOWEST or faster beyond it."""
        extra = conn.arrival.received / SLOWEST if conn.arrival.has_head else 0.0
        conn.deadline = conn.begun_at + self.patience + extra
        if conn.arrival.wants_continue and not conn.continued:
            conn.continued = True
            with suppress(OSError):  # it shows when the rest does not come
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _give_up(self, conn: Connection) -> None:
        if not conn.arrival.received or conn.arrival.refusal is not None:
            self._drop(conn)
            return
        self._leave(conn)
        self._refuse(conn, RequestTooSlow("the request did not come to its end in time"))

    def _refuse(self, conn: Connection, error: RequestError) -> None:
        """Answer from the loop, which does not wait: an error fits into any send buffer."""
        why = "slow" if isinstance(error, RequestTooSlow) else "size"
        metrics.REFUSED.labels("", why).inc()
        conn.arrival.refusal = error
        try:
            conn.sock.settimeout(0)
            conn.sock.send(_answer(error, conn.arrival.path))
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return
        self._linger(conn, _LINGER_REFUSED)

    def _linger(self, conn: Connection, seconds: float) -> None:
        """Say goodbye, and close when the client has heard it (RFC 9112 §9.6)."""
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
            conn.deadline = time.monotonic() + seconds
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_farewell, conn))
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return
        self._waiting[conn] = None
        conn.arrival.close()
        conn.arrival = Arrival(0)

    def _on_farewell(self, conn: Connection, _sock: Any) -> None:
        if conn not in self._waiting:
            return
        try:
            if conn.sock.recv(_AT_ONCE):
                return
        except BlockingIOError:
            return
        except OSError:
            log.debug("a client hung up before it heard the end")
        self._drop(conn)


def _answer(error: RequestError, path: str) -> bytes:
    """A whole response, in the body of the contract that the path belongs to."""
    contract = contract_of(path)
    status = contract.status_of(error)
    body = to_json(contract.error_body(error))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: {contract.media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _translated(exc: BaseException) -> RequestError | None:
    """What gunicorn's parser says, as an error of ours; None for what it did not say."""
    for kind, error, message in _PARSER_ERRORS:
        if isinstance(exc, kind):
            return error(message)
    return None


_PARSER_ERRORS: tuple[tuple[type[Exception], type[RequestError], str], ...] = (
    (gunicorn_errors.LimitRequestLine, _PathTooLong, "the request line is too long"),
    (gunicorn_errors.LimitRequestHeaders, HeadTooLarge, "a header is too long, or there are many"),
    (gunicorn_errors.ExpectationFailed, _ExpectationFailed, "Expect can only be 100-continue"),
    (gunicorn_errors.InvalidRequestLine, InvalidPathParameter, "the request line is malformed"),
    (gunicorn_errors.InvalidRequestMethod, InvalidPathParameter, "the method is no token"),
    (gunicorn_errors.InvalidHTTPVersion, InvalidPathParameter, "HTTP/1.1 and 1.0 are spoken here"),
    (gunicorn_errors.ParseException, InvalidHeader, "a header is malformed"),
)
