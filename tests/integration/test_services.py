"""The private servers themselves: what the other tests take for granted of them."""

import ipaddress
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pika
import psycopg
import pytest
import redis
from pika.exceptions import ChannelClosedByBroker

from tests.guard import started
from tests.processes import is_listening
from tests.service import Service, ServiceError
from tests.services import PostgreSQL, RabbitMQ, Redis
from tests.waiting import wait_until


class Kind(NamedTuple):
    """How to make a server, to give it something under a name, and to see whether it has it."""

    make: Callable[[], Service]
    put: Callable[[str, str], None]
    has: Callable[[str, str], bool]
    keeps: bool


def put_table(url: str, name: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(f"CREATE TABLE {name} AS SELECT 1".encode())


def has_table(url: str, name: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)


def declare_queue(url: str, name: str) -> None:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        connection.channel().queue_declare(name, durable=True)


def put_message(url: str, name: str) -> None:
    declare_queue(url, name)
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", name, b"1", pika.BasicProperties(delivery_mode=2))


def has_message(url: str, name: str) -> bool:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        with suppress(ChannelClosedByBroker):
            queue = connection.channel().queue_declare(name, passive=True)
            return bool(queue.method.message_count == 1)
        return False


def put_key(url: str, name: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(name, "1")


def has_key(url: str, name: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.exists(name))


KINDS = {
    "PostgreSQL": Kind(lambda: PostgreSQL(durable=True), put_table, has_table, keeps=True),
    "RabbitMQ": Kind(RabbitMQ, put_message, has_message, keeps=True),
    "Redis": Kind(Redis, put_key, has_key, keeps=False),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(scope="module")
def shared_server(kind: Kind) -> Iterator[Service]:
    with kind.make() as server:
        yield server


@pytest.fixture
def server(shared_server: Service) -> Service:
    """A running server that a test may end: one of each kind serves all of these tests."""
    if not shared_server.pids():
        shared_server.start()
    return shared_server


@pytest.fixture
def name() -> str:
    return f"kept_{uuid4().hex}"


def test_only_what_a_server_keeps_on_disk_survives_its_death(
    kind: Kind, server: Service, name: str
) -> None:
    if isinstance(server, RabbitMQ):
        # It confirms messages when they are on disk, but its queues may reach the disk later.
        declare_queue(server.url, name)
        server.restart()
    kind.put(server.url, name)
    assert kind.has(server.url, name)
    address = server.url
    server.kill()
    server.restart()
    assert server.url == address
    assert kind.has(server.url, name) == kind.keeps


def test_a_server_listens_on_loopback_only(server: Service) -> None:
    addresses = listening_addresses(server.pids())
    assert addresses
    assert all(address.is_loopback for address in addresses)


def test_two_servers_side_by_side_do_not_meet(kind: Kind, server: Service, name: str) -> None:
    with kind.make() as other:
        kind.put(server.url, name)
        assert not kind.has(other.url, name)
        other.stop()
        assert kind.has(server.url, name)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_process_of_a_server_outlives_it(server: Service, end: str) -> None:
    pids = server.pids()
    assert pids
    getattr(server, end)()
    assert not any(started(pid) for pid in pids)
    assert not server.pids()
    assert not is_listening(server.port)


def test_a_server_that_cannot_start_shows_its_log(kind: Kind) -> None:
    server = kind.make()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", server.port))
        with pytest.raises(ServiceError, match=r"(?i)address already in use|eaddrinuse"):
            server.start()
    assert not server.pids()


def test_a_closed_server_leaves_no_files() -> None:
    server = Redis()
    server.start()
    server.close()
    assert not server.folder.exists()


def test_a_wiped_rabbitmq_holds_nothing(rabbitmq: RabbitMQ, name: str) -> None:
    put_message(rabbitmq.url, name)
    address = rabbitmq.url
    rabbitmq.wipe()
    assert rabbitmq.url == address
    assert not has_message(rabbitmq.url, name)


def test_a_wiped_redis_holds_nothing(redis_server: Redis, name: str) -> None:
    put_key(redis_server.url, name)
    redis_server.wipe()
    assert not has_key(redis_server.url, name)


def test_every_new_database_is_empty_and_another(postgresql: PostgreSQL, name: str) -> None:
    first, second = postgresql.new_database(), postgresql.new_database()
    put_table(first, name)
    assert not has_table(second, name)
    postgresql.drop_database(second)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        has_table(second, name)
    postgresql.drop_database(first)


def test_servers_do_not_outlive_a_run_that_is_killed() -> None:
    script = (
        "from tests.services import PostgreSQL, Redis\n"
        "servers = PostgreSQL(), Redis()\n"
        "for server in servers: server.start(); print(*server.pids(), flush=True)\n"
        "for server in servers: print(server.folder, flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pids = [int(pid) for _ in range(2) for pid in run.stdout.readline().split()]
        folders = [Path(run.stdout.readline().strip()) for _ in range(2)]
        assert any(started(pid) for pid in pids)
        run.kill()
    wait_until(lambda: not any(started(pid) for pid in pids))
    wait_until(lambda: not any(folder.exists() for folder in folders))


def listening_addresses(pids: set[int]) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return the local addresses of the TCP sockets on which the processes listen."""
    sockets = {target for pid in pids for target in _open_files(pid)}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    return [
        _address(fields[1])
        for fields in lines
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    ]


def _open_files(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(link.readlink())


def _address(local: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as the kernel prints it: 32-bit words in the machine's byte order."""
    digits = local.partition(":")[0]
    words = [int(digits[i : i + 8], 16) for i in range(0, len(digits), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
