"""The API's server before an app that echoes, and how raw bytes are said to it."""

import hashlib
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.processes import Process, free_port, is_listening
from tests.running import REPOSITORY
from tests.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE = 120.0
"""Seconds that clients have: longer than any test of how others are served beside them."""
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def echoing(folder: Path, patience: float = PATIENCE) -> Iterator[tuple[Process, int]]:
    """The server, of one process with two threads, and its port."""
    port = free_port()
    module, bind = "tests.integration.echo_server", f"127.0.0.1:{port}"
    command = [sys.executable, "-m", module, bind, str(patience)]
    process = Process(command, log=folder / "log", cwd=REPOSITORY)
    try:
        wait_until(lambda: is_listening(port), within=120, otherwise="the server did not listen")
        asked(port, GET)  # the process that serves is there only now
        yield process, port
    finally:
        process.stop()


def connected(port: int) -> "closing[socket.socket]":
    """A connection, closed at the end."""
    return closing(socket.create_connection(("127.0.0.1", port), timeout=60))


def answer(connection: socket.socket, then: bytes = b"") -> tuple[int, bytes]:
    """One response's status and body. `then`: what comes behind it."""
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        length = 0
        while line := file.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split()[1])
        if status == 100:
            return status, b""
        body = file.read(length)
        assert file.read(len(then)) == then
        return status, body


def asked(port: int, request: bytes) -> tuple[int, bytes]:
    """The response to a request on a connection of its own."""
    with connected(port) as connection:
        connection.sendall(request)
        return answer(connection)


def digest(body: bytes) -> bytes:
    """What the server answers to a body."""
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks, with an extension each, and a trailer."""
    parts = [body[place : place + size] for place in range(0, len(body), size)]
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(one), one) for one in parts) + b"0\r\nT: 1\r\n\r\n"


def post(body: bytes) -> bytes:
    """A request with the body."""
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def post_chunked(body: bytes, size: int = 1000) -> bytes:
    """A request with the body in chunks."""
    return CHUNKED + chunked(body, size)
