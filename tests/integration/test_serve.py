"""gunicorn's sockets."""

import socket
from contextlib import closing

import pytest

from tidings.serve import limit_waits


def test_a_client_that_stalls_is_not_waited_for_without_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        limit_waits(listener, 1)
        with closing(socket.create_connection(listener.getsockname())):
            connection, _ = listener.accept()
            with connection, pytest.raises(BlockingIOError):
                connection.recv(1)
