"""What every measurement stands on: the private engines, and Tidings' own processes on them."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pika
import psycopg

from communication.store import upgrade
from tests.processes import Process, free_port, is_listening, new_folder
from tests.service import Service
from tests.services import PostgreSQL, RabbitMQ, Redis
from tests.waiting import wait_until

START_WITHIN = 60.0
_COMMAND = "from tidings.cli import main; main()"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """PostgreSQL, RabbitMQ and Redis with what their packages set, but for where they listen."""

    postgresql: PostgreSQL
    rabbitmq: RabbitMQ
    redis: Redis
    folder: Path = field(default_factory=new_folder)

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """All three started; they wait for the disk where durability asks for it."""
        with ExitStack() as servers:
            yield cls(
                postgresql=servers.enter_context(PostgreSQL(durable=True)),
                rabbitmq=servers.enter_context(RabbitMQ()),
                redis=servers.enter_context(Redis()),
            )

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database with the schema, dropped afterwards."""
        url = self.postgresql.new_database()
        upgrade(url)
        try:
            yield url
        finally:
            self.postgresql.drop_database(url)

    @contextmanager
    def tidings(
        self, database: str, *arguments: str, first: str = "", **settings: str
    ) -> Iterator[Process]:
        """A process of Tidings with its default settings, the engines' URLs and `null://`.

        It runs the statement `first` before anything else.
        """
        named = {
            "TIDINGS_DATABASE_URL": database,
            "TIDINGS_BROKER_URL": self.rabbitmq.url,
            "TIDINGS_REDIS_URL": self.redis.url,
            "TIDINGS_DATA": str(self.folder / "data"),
            "TIDINGS_EMAIL_URL": "null://",
            **settings,
        }
        with self.process("-c", f"{first}\n{_COMMAND}", *arguments, env=named) as process:
            yield process

    @contextmanager
    def process(self, *arguments: str, env: Mapping[str, str]) -> Iterator[Process]:
        """A Python process that is killed at the end: nothing waits for it to be tidy."""
        process = Process(
            [sys.executable, *arguments],
            log=self.folder / "log",
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **env},
        )
        try:
            yield process
        finally:
            process.kill()

    @contextmanager
    def api(self, database: str) -> Iterator[tuple[Process, int]]:
        """`tidings api`, which answers, and its port."""
        port = free_port()
        with self.tidings(database, "api", TIDINGS_BIND=f"127.0.0.1:{port}") as process:
            wait_until(lambda: _listens(process, port), within=START_WITHIN)
            yield process, port

    def await_consumers(self, queue: str, *processes: Process) -> None:
        """Return when each of these processes consumes from the queue."""

        def consumed() -> bool:
            _check_alive(*processes)
            return self.queue(queue)[1] >= len(processes)

        wait_until(consumed, within=START_WITHIN, every=0.1)

    def queue(self, name: str) -> tuple[int, int]:
        """How many messages wait in a queue and how many consumers it has; zeros without one."""
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbitmq.url))
        try:
            declared = connection.channel().queue_declare(name, passive=True).method
        except pika.exceptions.ChannelClosedByBroker:
            return 0, 0
        else:
            return declared.message_count, declared.consumer_count
        finally:
            connection.close()


def connect(database: str) -> psycopg.Connection:
    """A connection of the measurement's own, in which each statement is a transaction."""
    return psycopg.connect(database.replace("+psycopg", ""), autocommit=True)


def cpu_seconds(of: Process | Service) -> float:
    """Processor time that the processes alive of a tree have used so far."""
    return sum(_ticks(pid) for pid in of.pids()) / _TICKS


def _ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    user, system = text.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def _listens(process: Process, port: int) -> bool:
    _check_alive(process)
    return is_listening(port)


def _check_alive(*processes: Process) -> None:
    for process in processes:
        if process.exit_code is not None:
            sys.exit(f"a process of the measurement ended:\n{process.log_tail()}")
