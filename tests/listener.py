"""A hub's listener: an HTTP server that does what the test says, and remembers what it heard."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, TypeAlias

import orjson

from tests.processes import free_port


@dataclass(frozen=True, slots=True)
class Heard:
    """One callback as it came. `connection` is the peer's port: kept alive, it stays the same."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    acknowledged: bool

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Behaviour: TypeAlias = Callable[["Handler"], bool]
"""Answers a request that was read; whether it is acknowledged."""


class Handler(BaseHTTPRequestHandler):
    """Reads callbacks whole; the listener says what to answer."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        at = time.time()
        acknowledged = False
        try:
            with suppress(OSError):
                acknowledged = self.server.listener.behave(self)
        finally:
            named = {name.lower(): value for name, value in self.headers.items()}
            port = self.client_address[1]
            heard = Heard(self.path, named, body, at, port, acknowledged)
            self.server.listener.heard.append(heard)

    def log_message(self, *_arguments: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    listener: "Listener"

    def handle_error(self, *_arguments: object) -> None:
        pass


class Listener:
    """Listens between `open` and `close`, always at the same URL."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.heard: list[Heard] = []
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/listener"
        self._server: _Server | None = None

    def open(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._server.listener = self
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def acknowledged(self) -> Counter[str]:
        """How often each event was acknowledged."""
        return Counter(one.id for one in self.heard if one.acknowledged)

    def ids(self) -> list[str]:
        """The events heard, repeats included, in the order in which they came."""
        return [one.id for one in self.heard]


@contextmanager
def listening(behave: Behaviour) -> Iterator[Listener]:
    """A listener that is open; it is closed at the end."""
    listener = Listener(behave)
    listener.open()
    try:
        yield listener
    finally:
        listener.close()


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """A status, with headers such as `Retry_After`."""

    def behave(handler: Handler) -> bool:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return 200 <= status < 300

    return behave


def after(seconds: float, then: Behaviour) -> Behaviour:
    """The same, slowly."""

    def behave(handler: Handler) -> bool:
        time.sleep(seconds)
        return then(handler)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last for ever."""
    left = list(behaviours)

    def behave(handler: Handler) -> bool:
        present = left.pop(0) if len(left) > 1 else left[0]
        return present(handler)

    return behave


def until(over: Event, first: Behaviour, then: Behaviour) -> Behaviour:
    """The first until it is over, then the other."""

    def behave(handler: Handler) -> bool:
        return (then if over.is_set() else first)(handler)

    return behave


def hangs_up(handler: Handler) -> bool:
    """In the middle of the status line."""
    handler.wfile.write(b"HTTP/1.1 20")
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return False
