"""gunicorn's threaded worker, with threads that never wait for clients.

The worker's loop gathers each request until it is whole, however slowly it comes; then a thread
handles it. Clients that take too long are answered 408 by the loop. What they don't read at once
of an answer is sent by the loop too, and connections that end linger there, until the client
has read what it was told.
"""

import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from communication import metrics
from communication.errors import RequestError
from tidings.http.arrival import Arrival, Room
from tidings.http.connection import Connection
from tidings.http.lists import Lists
from tidings.http.refusals import RequestTooSlow, answer_to, full, too_many_lists, translated, why
from tidings.http.socket import SLOWEST, PacedSocket

_AT_ONCE = 256 * 1024
_LIST_PATIENCE = 2
"""Times what a client's patience is."""
_LINGER = 2.0
_LINGER_REFUSED = 10.0
"""Seconds for a client that is still writing to stop, and read why it was refused."""
_SWEEP_EVERY = 0.5
_MOST_BODIES = 64
"""Of the largest size that may be: so much a process keeps of all that comes in."""
_MOST_OWED = 1024 * 1024 * 1024
"""Bytes of answers that a process keeps for clients that are slow to read them."""


log = structlog.get_logger(part="api")


class Intake(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The loop's part. `patience`, in seconds, and the rest, in bytes, come from the settings."""

    patience: float
    max_body: int
    max_head: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}
        self._room = Room()
        self._arrive = partial(Arrival, self.max_body, self._room, longest_head=self.max_head)
        self._lists = Lists(self.cfg.threads, _LIST_PATIENCE * self.patience)
        self._swept = 0.0

    def admit(self, listener: Any) -> bool:
        """Accept a connection; False if none waits.

        Where there are too many, the one idle longest makes room.
        """
        try:
            plain, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        sock = PacedSocket(fileno=plain.detach())
        sock.patience = self.patience
        conn = Connection(self.cfg, sock, address, listener.getsockname(), self._arrive)
        self.nr_conns += 1
        self._wait(conn, self.patience)
        if self.nr_conns >= self.worker_connections:
            metrics.REFUSED.labels("", "crowd").inc()
            self._drop(next(iter(self._waiting)))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Have a thread handle a whole request, once there is room for it if it is a list."""
        if self._lists.begin(conn):
            super().enqueue_req(conn)

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
        """A thread is done with a request, and the client may still have to read the answer."""
        following = self._lists.end(conn)
        if following is not None:
            super().enqueue_req(following)
        goes_on = not done.cancelled() and done.exception() is None and bool(done.result())
        if not conn.sock.owes:
            self._end_request(conn, goes_on=goes_on)
            return
        conn.deadline = conn.sock.until
        conn.sock.settimeout(0)
        self._waiting[conn] = None
        writable = partial(self._on_writable, conn, goes_on)
        self.poller.register(conn.sock, selectors.EVENT_WRITE, writable)

    def _on_writable(self, conn: Connection, goes_on: bool, _sock: Any) -> None:  # noqa: FBT001
        if conn not in self._waiting:
            return
        try:
            conn.sock.pay()
        except OSError:
            self._drop(conn)
            return
        conn.deadline = conn.sock.until
        if not conn.sock.owes:
            self._leave(conn)
            self._end_request(conn, goes_on=goes_on)

    def _end_request(self, conn: Connection, *, goes_on: bool) -> None:
        """The next one comes in, or the connection ends."""
        if not goes_on:
            self._linger(conn, _LINGER)
            return
        conn.next_arrival()
        seconds = float(self.cfg.keepalive) if self.alive else STOP_KEEPALIVE_LINGER
        self._go_on(conn, seconds, waits=False)

    def handle_error(self, req: Any, client: Any, _addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn's parser refuses in the contract's body."""
        error = translated(exc)
        if error is None:
            log.error("unexpected error", exc_info=exc)
            error = RequestError("internal error; the log has it")
        path = getattr(req, "path", None) or getattr(getattr(exc, "req", None), "path", "") or ""
        client.sendall(answer_to(error, path))

    def murder_pending(self) -> None:
        """End what has waited for longer than it may. Called in every round of the loop."""
        moment = time.monotonic()
        if moment < self._swept + _SWEEP_EVERY:
            return
        self._swept = moment
        for conn in [conn for conn in self._waiting if conn.deadline <= moment]:
            self._give_up(conn)
        for conn in self._lists.overdue(moment):
            self._refuse(conn, too_many_lists())
        owed = [conn for conn in self._waiting if conn.sock.owes]
        while sum(conn.sock.owes for conn in owed) > _MOST_OWED:
            metrics.REFUSED.labels("", "crowd").inc()
            self._drop(owed.pop(0))

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
        if self._room.taken > _MOST_BODIES * self.max_body:
            self._make_room(conn)
        self._go_on(conn, self.patience, waits=True)

    def _make_room(self, newest: Connection) -> None:
        """Refuse what has been coming in for longest, of which something is kept."""
        others = (one for one in self._waiting if one is not newest and not one.sock.owes)
        coming = (one for one in others if one.arrival.has_head)
        oldest = min(coming, key=lambda one: one.begun_at, default=newest)
        if oldest is newest:
            newest.arrival.refusal = full()
            return
        self._leave(oldest)
        self._refuse(oldest, full())

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
        if conn.sock.owes or not conn.arrival.received or conn.arrival.refusal is not None:
            self._drop(conn)
            return
        self._leave(conn)
        self._refuse(conn, RequestTooSlow("the request did not come to its end in time"))

    def _refuse(self, conn: Connection, error: RequestError) -> None:
        """Answer from the loop, which does not wait: an error fits into any send buffer."""
        metrics.REFUSED.labels("", why(error)).inc()
        conn.arrival.refusal = error
        try:
            conn.sock.settimeout(0)
            conn.sock.send(answer_to(error, conn.arrival.path))
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
        conn.arrival = self._arrive()

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
