"""The API's server against clients that are slow, rude or many. Two threads serve them."""

import hashlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.processes import Process, free_port, is_listening
from tests.running import REPOSITORY
from tests.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    port = free_port()
    command = [sys.executable, "-m", "tests.integration.echo_server", f"127.0.0.1:{port}"]
    process = Process(command, log=tmp_path_factory.mktemp("echo") / "log", cwd=REPOSITORY)
    process.port = port  # type: ignore[attr-defined]
    try:
        wait_until(lambda: is_listening(port), within=30, otherwise="the server did not listen")
        yield process
    finally:
        process.stop()


@pytest.fixture
def port(server: Process) -> int:
    return int(server.port)  # type: ignore[attr-defined]


def connected(port: int) -> "closing[socket.socket]":
    return closing(socket.create_connection(("127.0.0.1", port), timeout=10))


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """One response's status and body."""
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        length = 0
        while line := file.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split()[1])
        if status == 100:
            return status, b""
        return status, file.read(length)


def asked(port: int, request: bytes) -> tuple[int, bytes]:
    with connected(port) as connection:
        connection.sendall(request)
        return answer(connection)


def is_read(connection: socket.socket) -> bool:
    """Whether the server has taken all that was sent, by the kernel's table of connections."""
    its, ours = (f":{end[1]:04X}" for end in (connection.getpeername(), connection.getsockname()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = [row[4].split(":")[1] for row in rows if (row[1][-5:], row[2][-5:]) == (its, ours)]
    return waiting == ["00000000"]


def digest(body: bytes) -> bytes:
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[place : place + size] for place in range(0, len(body), size)]
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(one), one) for one in parts) + b"0\r\nT: 1\r\n\r\n"


def post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def post_chunked(body: bytes, size: int = 1000) -> bytes:
    return CHUNKED + chunked(body, size)


@pytest.mark.parametrize(
    "chunks",
    [
        b"5;a\rb\r\nabcde\r\n0\r\n\r\n",
        b"5\r\nabcdeXY0\r\n\r\n",
        b" 5\r\nabcde\r\n0\r\n\r\n",
        b"5 \r\nabcde\r\n0\r\n\r\n",
        b"0x5\r\nabcde\r\n0\r\n\r\n",
        b"1_0\r\n",
        b"5;" + b"a" * 300,
        b"0\r\n: b\r\n\r\n",
        b"0\r\na: b\r\n c\r\n\r\n",
        b"0\r\na\0: b\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 2000 + b"\r\n",
    ],
)
def test_chunks_that_are_malformed_are_refused(port: int, chunks: bytes) -> None:
    status, body = asked(port, CHUNKED + chunks)
    assert (status, json.loads(body)["code"]) == (400, 22)


def test_trailers_say_nothing(port: int) -> None:
    chunks = b"3;a\r\nabc\r\n0\r\nContent-Length: 5\r\nAuthorization: x\r\n\r\n"
    assert asked(port, CHUNKED + chunks) == (200, digest(b"abc"))


@pytest.mark.parametrize("size", [0, 1, 300, 70_000, 400_000, 1_000_000])
def test_bodies_come_through_whole_however_they_are_framed_and_cut(port: int, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with connected(port) as connection:
        for request in (post(body), post_chunked(body)):
            for place in range(0, len(request), 60_001):
                connection.sendall(request[place : place + 60_001])
            assert answer(connection) == (200, digest(body))


def test_requests_may_follow_each_other_without_waiting(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(GET + post(b"abc") + post_chunked(b"abc", 1) + GET)
        with connection.makefile("rb") as file:
            text = b""
            while text.count(b"HTTP/1.1 200") < 4 or not text.endswith(b"xx"):
                text += file.read1()
        assert text.count(digest(b"abc")) == 2


def test_a_request_may_be_cut_anywhere(port: int) -> None:
    request = post_chunked(b"abc", 2)
    with connected(port) as connection:
        for place in range(1, len(request)):
            connection.sendall(request[:place])
            wait_until(lambda: is_read(connection), every=0.001)
            connection.sendall(request[place:])
            assert answer(connection) == (200, digest(b"abc"))


def test_a_request_may_come_byte_by_byte(port: int) -> None:
    with connected(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post_chunked(b"abc", 2):
            connection.sendall(bytes([byte]))
        assert answer(connection) == (200, digest(b"abc"))


def test_a_client_that_expects_leave_to_send_gets_it(port: int) -> None:
    with connected(port) as connection:
        head, _, body = post(b"abc").partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert answer(connection) == (100, b"")
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as file:
            assert file.read().endswith(digest(b"abc"))


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\n" + b"A: %s\r\n" % (b"x" * 4_000) * 5, 431, 26),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9_000 + b"\r\n\r\n", 431, 26),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431, 26),
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", 414, 20),
        (b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400, 20),
        (b"nonsense\r\n\r\n", 400, 20),
        (b"GET / HTTP/9.9\r\n\r\n", 400, 20),
        (b"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400, 26),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400, 26),
        (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", 400, 26),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, 26),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, 26),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            26,
        ),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, x\r\n\r\n", 400, 26),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, 22),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nab", 400, 22),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400, 22),
        (b"POST / HTTP/1.1\r\nContent-Length: 1000001\r\n\r\n", 413, 22),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, 22),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nF4241\r\n", 413, 22),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", 417, 26),
    ],
)
def test_what_is_malformed_is_refused_in_the_contracts_body(
    port: int, request_: bytes, status: int, code: int
) -> None:
    given, body = asked(port, request_)
    assert (given, json.loads(body)["code"]) == (status, code)


def test_a_client_that_sends_too_much_still_reads_why(port: int) -> None:
    with connected(port) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n"
        connection.sendall(head + b"x" * 30_000_000)
        assert answer(connection)[0] == 413


def test_a_body_cannot_smuggle_a_request(port: int) -> None:
    """What one parser takes for the end of a request and another doesn't is never served."""
    smuggled = b"GET /?size=7 HTTP/1.1\r\nHost: x\r\n\r\n"
    for head in (
        b"Content-Length : %d",
        b"Content-Length: %d\r\n Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked\r\nContent-Length: %d",
        b"Transfer-Encoding:\x0bchunked\r\nX: %d",
    ):
        request = b"POST / HTTP/1.1\r\nHost: x\r\n" + head % len(smuggled) + b"\r\n\r\n" + smuggled
        with connected(port) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as file:
                assert b"x" * 7 not in file.read()


@pytest.mark.parametrize(
    "begun",
    [b"GET / HTTP/1.1\r\n", post(b"x" * 100)[:-1], post_chunked(b"abc")[:-3]],
    ids=["head", "body", "chunks"],
)
def test_a_client_that_stalls_is_told_so(port: int, begun: bytes) -> None:
    begun_at = time.monotonic()
    status, body = asked(port, begun)
    assert (status, json.loads(body)["code"]) == (408, 22)
    assert time.monotonic() - begun_at < 4


def test_others_are_served_beside_two_hundred_that_drip_and_a_flood(
    port: int, server: Process
) -> None:
    memory = resident(server)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(port)) for _ in range(200)]
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n"[:20])
        flood = [stack.enter_context(connected(port)) for _ in range(500)]
        for _ in range(5):
            for connection in slow:
                connection.sendall(b"x")
            begun = time.monotonic()
            assert asked(port, GET) == (200, b"xx")
            assert time.monotonic() - begun < 1
        assert len(flood) == 500
        assert resident(server) - memory < 30_000


def test_bodies_that_do_not_end_make_room_for_others(port: int, server: Process) -> None:
    memory = resident(server)
    begun = post(b"x" * 1_000_000)[:-1]
    with ExitStack() as stack:
        held = [stack.enter_context(connected(port)) for _ in range(80)]
        for connection in held:
            connection.sendall(begun)
        status, body = answer(held[0])
        assert (status, json.loads(body)["code"]) == (503, 6)
        assert asked(port, post(b"abc")) == (200, digest(b"abc"))
        assert resident(server) - memory < 30_000


def test_clients_that_do_not_read_are_hung_up_on(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(connected(port))
            connection.sendall(b"GET /?size=30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: asked(port, GET) == (200, b"xx"), within=9)


def test_connections_that_are_left_open_do_not_keep_the_loop(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(connected(port))
            connection.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        begun = time.monotonic()
        assert asked(port, GET) == (200, b"xx")
        assert time.monotonic() - begun < 1


def resident(server: Process) -> int:
    """KiB of memory that the server's processes have together."""
    total = 0
    for pid in server.pids():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total
