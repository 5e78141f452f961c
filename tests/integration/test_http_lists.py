"""The API's server asked for many lists at once. Of its two threads one makes lists."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.echo import GET, answer, asked, connected, echoing

LIST = b"GET /communicationMessage?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n"
GO_ON = b"POST /communicationMessage HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with echoing(tmp_path) as (_process, port):
        yield port


def test_others_are_served_while_lists_take_long(port: int) -> None:
    with ExitStack() as stack:
        lists = [stack.enter_context(connected(port)) for _ in range(5)]
        for connection in lists:
            connection.sendall(LIST)
        assert asked(port, GET) == (200, b"xx")
        assert asked(port, GO_ON) == (200, b"")
        assert [answer(connection) for connection in lists] == [(200, b"True")] * 5


def test_a_list_that_has_waited_for_long_is_put_off(tmp_path: Path) -> None:
    with ExitStack() as stack:
        _, port = stack.enter_context(echoing(tmp_path, patience=2))
        first, second = (stack.enter_context(connected(port)) for _ in range(2))
        first.sendall(LIST)
        assert asked(port, GET) == (200, b"xx")
        second.settimeout(120)
        second.sendall(LIST)
        with second.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
        assert b"503" in head
        assert b"Retry-After: 5" in head
        assert json.loads(body)["code"] == 6
        assert asked(port, GO_ON) == (200, b"")
        assert answer(first) == (200, b"True")


def test_lists_follow_each_other_on_a_connection(port: int) -> None:
    assert asked(port, GO_ON) == (200, b"")
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(LIST)
            assert answer(connection) == (200, b"True")
        connection.sendall(LIST * 3)
        with connection.makefile("rb") as file:
            text = b""
            while text.count(b"True") < 3:
                text += file.read1()
