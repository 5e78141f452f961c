"""A peer of the HTTP client that says what a test wants, byte by byte if need be."""

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\n{}"


class Peer:
    """Gives each connection to a function, and keeps what came and how often."""

    def __init__(
        self,
        behave: Callable[[socket.socket, bytes], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._behave = behave
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._tls is None:
                self._answer(connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        while request := connection.recv(1 << 16):
            self.requests.append(request)
            self._behave(connection, request)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # close alone leaves it to the waiting accept
        self._listener.close()
        for connection in self._open:
            connection.close()


@contextmanager
def peer(behave: Callable[[socket.socket, bytes], None]) -> Iterator[Peer]:
    with closing(Peer(behave)) as found:
        yield found


def says(*parts: bytes, every: float = 0.0, then_hang_up: bool = False) -> Callable[..., None]:
    """A peer's behaviour: these bytes, one after the other, each after `every` seconds."""

    def behave(connection: socket.socket, _request: bytes) -> None:
        for part in parts:
            select.select([connection], [], [], every)  # no longer than the client stays
            connection.sendall(part)
        if then_hang_up:
            connection.shutdown(socket.SHUT_RDWR)

    return behave
