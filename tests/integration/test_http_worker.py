"""gunicorn's worker processes share connections evenly."""

import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.processes import Process, free_port, is_listening
from tests.running import REPOSITORY
from tests.waiting import wait_until
from tidings.http.worker import PATIENCE


@pytest.fixture(params=[PATIENCE])
def port(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    number = free_port()
    module, bind = "tests.integration.naming_server", f"127.0.0.1:{number}"
    command = [sys.executable, "-m", module, bind, str(request.param)]
    server = Process(command, log=tmp_path / "log", cwd=REPOSITORY)
    try:
        wait_until(lambda: is_listening(number), otherwise="the server did not listen")
        # Both processes must be there before anything can be shared.
        wait_until(lambda: len(server.pids()) == 3, otherwise="two workers did not run")
        yield number
    finally:
        server.stop()


def served_by(stack: ExitStack, port: int) -> int:
    """Open a connection that stays open; the pid of the process that serves it."""
    connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=120)))
    connection.request("GET", "/")
    return int(connection.getresponse().read())


# A process that has to wait for a core does not lose its share by it.
@pytest.mark.parametrize("port", [30.0], indirect=True, ids=["patient"])
def test_kept_alive_connections_are_spread_evenly(port: int) -> None:
    with ExitStack() as stack:
        wait_until(
            lambda: len({served_by(stack, port) for _ in range(2)}) == 2,
            otherwise="both processes did not accept",
        )
        served = Counter(served_by(stack, port) for _ in range(40))
    most, least = max(served.values()), min(served.values())
    assert len(served) == 2
    assert most - least <= 4


def test_a_process_that_hangs_leaves_its_connections_to_the_other(port: int) -> None:
    with ExitStack() as stack:
        hung = served_by(stack, port)
        os.kill(hung, signal.SIGSTOP)
        try:
            served = Counter(served_by(stack, port) for _ in range(20))
        finally:
            os.kill(hung, signal.SIGCONT)
    assert hung not in served


def test_new_connections_are_served_while_idle_ones_are_many(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=120)))
        assert served_by(stack, port)


# Left to the other one by one, which does not come, they would take more than a minute.
@pytest.mark.parametrize("port", [0.05], indirect=True, ids=["hung"])
def test_a_flood_of_connections_does_not_keep_others_waiting(port: int) -> None:
    with ExitStack() as stack:
        hung = served_by(stack, port)
        os.kill(hung, signal.SIGSTOP)
        stack.callback(os.kill, hung, signal.SIGCONT)
        for _ in range(1500):
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=120)))
        begun = time.monotonic()
        assert served_by(stack, port) != hung
        assert time.monotonic() - begun < 30
