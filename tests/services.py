"""Private PostgreSQL, RabbitMQ and Redis servers for tests and measurements.

Each listens on a free port of 127.0.0.1 and keeps its files in a folder of its own. Servers that
the machine runs already, and their configuration, are neither used nor touched.
"""

import os
import secrets
import shutil
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import pika
import psycopg
import redis
from pika.exceptions import AMQPConnectionError
from psycopg import sql

from tests.processes import Process, free_port, is_listening, new_folder
from tests.waiting import wait_until

_START_WITHIN = 60.0
_CONNECT_WITHIN = 5
_POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")
_RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class ServiceError(Exception):
    """A private server could not be started; the message shows the end of its log."""


class Service(ABC):
    """A private server. `start` starts it, and so does entering it as a context."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.folder = new_folder()
        self.port = free_port()
        self._password = secrets.token_hex(8)
        self._processes: list[Process] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the processes, the server itself last."""

    @abstractmethod
    def _answers(self) -> bool:
        """Tell whether a client is served."""

    def start(self) -> None:
        """Start the server on what its folder holds, and return when it answers.

        Raises ServiceError when it does not.
        """
        try:
            self._launch()
            wait_until(self._answers_while_it_runs, within=_START_WITHIN)
        except (AssertionError, OSError, ServiceError) as error:
            self.kill()
            raise ServiceError(
                f"{type(self).__name__} did not start: {error}\n{self.log_tail()}"
            ) from error

    def stop(self) -> None:
        """Have the server end in its own good order. Its data stay; `start` goes on with them."""
        try:
            while self._processes:
                self._processes.pop().stop()
        finally:
            self.kill()

    def kill(self) -> None:
        """End every process of the server by SIGKILL. Its data stay."""
        while self._processes:
            self._processes.pop().kill()

    def restart(self) -> None:
        """Start the server again, on the same port with the same data; running, it stops first."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self.folder)

    def pids(self) -> set[int]:
        """Return the pids of all processes of the server."""
        return {pid for process in self._processes for pid in process.pids()}

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the server's log."""
        log = self.folder / "log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answers_while_it_runs(self) -> bool:
        code = self._processes[-1].exit_code
        if code is not None:
            raise ServiceError(f"it ended with exit code {code}")
        return is_listening(self.port) and self._answers()

    def _run(
        self, *command: str | Path, user: str | None = None, env: dict[str, str] | None = None
    ) -> Process:
        # Nothing of the caller's environment: PGDATA or RABBITMQ_* would lead elsewhere.
        own = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        process = Process(
            command,
            log=self.folder / "log",
            env=own | (env or {}),
            cwd=self.folder,
            user=user,
            stop_signal=self.stop_signal,
        )
        self._processes.append(process)
        return process


class PostgreSQL(Service):
    """PostgreSQL, the newest that is installed. As root it runs as the user `postgres`.

    Unless it is `durable` it does not wait for the disk: what is committed survives the death of
    the server, as the operating system has it, but not that of the machine.
    """

    stop_signal = signal.SIGINT

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self._durable = "on" if durable else "off"
        self._data = self.folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else None
        self._give_to_server(self.folder)

    @property
    def url(self) -> str:
        return self._url("postgres")

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"tidings_{secrets.token_hex(6)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database of this server, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://tidings:{self._password}@127.0.0.1:{self.port}/{database}"

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        address = self.url.replace("+psycopg", "")
        connection = psycopg.connect(address, autocommit=True, connect_timeout=_CONNECT_WITHIN)
        with connection:
            connection.execute(statement)

    def _launch(self) -> None:
        if not self._data.exists():
            self._create_cluster()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            # In files of its own: in /dev/shm they would stay behind a SIGKILL.
            "dynamic_shared_memory_type": "mmap",
            "max_connections": 200,
            "fsync": self._durable,
            "full_page_writes": self._durable,
            "synchronous_commit": "on",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._run(_postgresql("postgres"), "-D", self._data, *options, user=self._user)

    def _create_cluster(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        self._give_to_server(password)
        options = f"--username=tidings --pwfile={password} --auth=password --encoding=UTF8"
        initdb = self._run(
            *(_postgresql("initdb"), "-D", self._data, "--locale=C.UTF-8", "--no-sync"),
            *options.split(),
            user=self._user,
        )
        if initdb.wait() != 0:
            raise ServiceError(f"initdb ended with exit code {initdb.exit_code}")
        self._processes.remove(initdb)

    def _give_to_server(self, path: Path) -> None:
        if self._user is not None:
            shutil.chown(path, self._user, self._user)

    def _answers(self) -> bool:
        try:
            self._execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True


def _postgresql(command: str) -> Path:
    versions = [folder for folder in _POSTGRESQL_VERSIONS.glob("*") if folder.name.isdigit()]
    newest = max(versions, key=lambda folder: int(folder.name), default=_POSTGRESQL_VERSIONS)
    return newest / "bin" / command


class RabbitMQ(Service):
    """RabbitMQ without plug-ins, with an Erlang port mapper (epmd) of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._port_mapper = free_port()
        self._distribution_port = free_port()
        self._data = self.folder / "mnesia"

    @property
    def url(self) -> str:
        return f"amqp://tidings:{self._password}@127.0.0.1:{self.port}/%2F"

    def wipe(self) -> None:
        """Lose everything it holds: it is killed, its data removed, and it starts empty."""
        self.kill()
        shutil.rmtree(self._data)
        self.start()

    def _launch(self) -> None:
        self._write_configuration()
        # Without one that listens, Erlang would start its own, which nobody would end.
        self._run("epmd", env=self._settings())
        wait_until(lambda: is_listening(self._port_mapper))
        self._run(_RABBITMQ_SERVER, env=self._settings())

    def _write_configuration(self) -> None:
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self.port}\n"
            f"default_user = tidings\ndefault_pass = {self._password}\n"
        )
        # Takes the place of /etc/rabbitmq/rabbitmq-env.conf, which would apply otherwise.
        (self.folder / "rabbitmq-env.conf").touch()
        (self.folder / "enabled_plugins").write_text("[].\n")

    def _settings(self) -> dict[str, str]:
        return {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._port_mapper),
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_NODENAME": f"tidings-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self._data),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        parameters = pika.URLParameters(self.url)
        parameters.socket_timeout = parameters.blocked_connection_timeout = _CONNECT_WITHIN
        try:
            pika.BlockingConnection(parameters).close()
        except AMQPConnectionError:
            return False
        return True


class Redis(Service):
    """Redis that keeps nothing on disk: it is empty after a restart."""

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def wipe(self) -> None:
        """Lose everything it holds."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _launch(self) -> None:
        configuration = self.folder / "redis.conf"
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\n"
            f'dir {self.folder}\nsave ""\nappendonly no\n'
        )
        self._run("redis-server", configuration)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=_CONNECT_WITHIN) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
