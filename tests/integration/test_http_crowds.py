"""The API's server against clients that are slow, or many. Two threads serve them."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.echo import GET, answer, asked, connected, digest, echoing, post
from tests.processes import Process
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, int]]:
    with echoing(tmp_path_factory.mktemp("echo")) as found:
        yield found


@pytest.fixture
def server(running: tuple[Process, int]) -> Process:
    return running[0]


@pytest.fixture
def port(running: tuple[Process, int]) -> int:
    return running[1]


def open_files(server: Process) -> int:
    """How many the server's processes have, connections among them."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.pids())


def resident(server: Process) -> int:
    """KiB of memory that the server's processes have together."""
    total = 0
    for pid in server.pids():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


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
            assert asked(port, GET) == (200, b"xx")
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


def test_others_are_served_beside_clients_that_hardly_read(port: int, server: Process) -> None:
    memory = resident(server)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(port)) for _ in range(30)]
        for connection in slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.sendall(b"GET /?size=4000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(3):
            assert asked(port, GET) == (200, b"xx")
        assert resident(server) - memory < 40_000


def test_an_answer_that_is_read_late_is_whole_and_the_next_one_follows(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /?size=30000000 HTTP/1.1\r\nHost: x\r\n\r\n" + post(b"abc"))
        assert asked(port, GET) == (200, b"xx")
        assert answer(connection, then=b"HTTP/1.1 200") == (200, b"x" * 30_000_000)


def test_clients_that_do_not_read_are_hung_up_on(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server, port = stack.enter_context(echoing(tmp_path, patience=2))
        before = open_files(server)
        for _ in range(3):
            connection = stack.enter_context(connected(port))
            connection.sendall(b"GET /?size=30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: open_files(server) > before)
        wait_until(lambda: open_files(server) <= before)


def test_connections_that_are_left_open_do_not_keep_the_loop(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(connected(port))
            connection.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert asked(port, GET) == (200, b"xx")
