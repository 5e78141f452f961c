"""A light HTTP client: keep-alive connections, one request in flight on each.

It runs in a process of its own (`python -m bench.load HOST PORT CONNECTIONS SECONDS`) and prints
what it measured as JSON. A common client library would need as much of the machine as the server
that it measures.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import quantiles

WARM_UP = 1.5
"""Seconds of requests before the measuring begins."""
_PATIENCE = 30.0
_PATH = "/communicationMessage/v1/communicationMessage/send"
_BODY = {
    "type": "Email",
    "subject": "Hello $Name",
    "content": "Dear $Name, your parcel $Parcel is on its way. It weighs $Weight kg.",
    "CommunicationRequestCharacteristic": [
        {"name": "Parcel", "value": "P-2026-000123"},
        {"name": "Weight", "value": "2.5"},
        {"name": "Name", "value": "Ann Example"},
    ],
    "sender": {"name": "Parcels", "email": "parcels@example.com"},
    "receiver": [{"id": "c%09d", "name": "Ann Example", "email": "ann.%09d@example.com"}],
    "tryTimes": 3,
    "logFlag": True,
}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was measured. Latencies are in seconds, `cpu` is the client's own CPU time."""

    requests: int
    seconds: float
    median: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def __str__(self) -> str:
        return (
            f"median {self.median * 1e3:.1f} ms, p99 {self.p99 * 1e3:.1f} ms; "
            f"the client took {self.cpu / self.seconds:.0%} of a core"
        )


def requests() -> Iterator[bytes]:
    """Requests that differ in their receiver alone."""
    body = json.dumps(_BODY)
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body % (0, 0))}\r\n\r\n"
    )
    template = (head + body).encode()
    number = 0
    while True:
        yield template % (number, number)
        number += 1


class Connection:
    """One connection, and the answer that it waits for."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bool:
        """Take in what has arrived; whether the answer is complete. SystemExit unless it is 200."""
        part = self.socket.recv(65536)
        if not part:
            sys.exit("the server closed the connection")
        self._received += part
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _content_length(head):
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"not accepted: {self._received.decode(errors='replace')}")
        self._received = b""
        return True


def _content_length(head: bytes) -> int:
    rest = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(rest.partition(b"\r\n")[0] or 0)


def run(host: str, port: int, connections: int, seconds: float) -> Load:
    """Ask on all connections for so many seconds after the warm-up."""
    asking = requests()
    poll = select.epoll()
    clients = {(one := Connection(host, port)).socket.fileno(): one for _ in range(connections)}
    for descriptor, client in clients.items():
        poll.register(descriptor, select.EPOLLIN)
        client.ask(next(asking))
    warm_at = time.perf_counter() + WARM_UP
    end_at = warm_at + seconds
    latencies: list[float] = []
    cpu = time.process_time()
    while (moment := time.perf_counter()) < end_at:
        if moment < warm_at:
            latencies.clear()
            cpu = time.process_time()
        ready = poll.poll(_PATIENCE)
        if not ready:
            sys.exit(f"no answer within {_PATIENCE:g} s")
        for descriptor, _ in ready:
            client = clients[descriptor]
            if client.read():
                latencies.append(time.perf_counter() - client.asked_at)
                client.ask(next(asking))
    percentiles = quantiles(latencies, n=100)
    return Load(
        requests=len(latencies),
        seconds=seconds,
        median=percentiles[49],
        p99=percentiles[98],
        cpu=time.process_time() - cpu,
    )


if __name__ == "__main__":
    print(
        json.dumps(asdict(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
    )
