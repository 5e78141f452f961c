"""The API's server against clients that are rude. Two threads serve them."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.echo import CHUNKED, GET, answer, asked, connected, digest, echoing, post, post_chunked
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with echoing(tmp_path_factory.mktemp("echo")) as (_process, port):
        yield port


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of one that leaves clients little time."""
    with echoing(tmp_path_factory.mktemp("echo"), patience=1) as (_process, port):
        yield port


def is_read(connection: socket.socket) -> bool:
    """Whether the server has taken all that was sent, by the kernel's table of connections."""
    its, ours = (f":{end[1]:04X}" for end in (connection.getpeername(), connection.getsockname()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = [row[4].split(":")[1] for row in rows if (row[1][-5:], row[2][-5:]) == (its, ours)]
    return waiting == ["00000000"]


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
def test_a_client_that_stalls_is_told_so(impatient: int, begun: bytes) -> None:
    status, body = asked(impatient, begun)
    assert (status, json.loads(body)["code"]) == (408, 22)


@pytest.mark.parametrize("name", [b"SCRIPT_NAME", b"PATH_INFO", b"Script-Name", b"Path-Info"])
def test_no_header_leads_to_another_path(port: int, name: bytes) -> None:
    for path, value in ((b"/x/", b"/x"), (b"/x/", b"/")):
        request = b"GET %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\n\r\n" % (path, name, value)
        assert asked(port, request)[0] == 404
