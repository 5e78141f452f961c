"""Private PostgreSQL, RabbitMQ and Redis servers for tests and measurements.

Each listens on a free port of 127.0.0.1 and keeps its files in a folder of its own. Servers that
the machine runs already, and their configuration, are neither used nor touched.
"""

import os
import secrets
import shutil
import signal
from pathlib import Path

import pika
import psycopg
import redis
from pika.exceptions import AMQPConnectionError
from psycopg import sql

from tests.processes import free_port, is_listening
from tests.service import Service, ServiceError
from tests.waiting import wait_until

_CONNECT_WITHIN = 30
_POSTGRESQL_VERSIONS = Path("/usr/lib/postgresql")
_RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class PostgreSQL(Service):
    """PostgreSQL, the newest that is installed. As root it runs as the user `postgres`.

    Unless it is `durable` it does not wait for the disk: what is committed survives the death of
    the server, as the operating system has it, but not that of the machine.
    """

    stop_signal = signal.SIGINT

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__(on_disk=durable)
        self._durable = durable
        self._data = self.folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else None
        self._give_to_server(self.folder)

    @property
    def url(self) -> str:
        return self._url("postgres")

    def new_database(self, *, like: str = "") -> str:
        """Create a database, empty or as the one at the URL `like` is, and return its URL."""
        name = sql.Identifier(f"tidings_{secrets.token_hex(6)}")
        template = sql.Identifier(like.rpartition("/")[2] or "template1")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._execute(statement.format(name, template))
        return self._url(name.as_string().strip('"'))

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
            "synchronous_commit": "on",
        }
        if not self._durable:
            # The folder may be in memory: it has no room for more.
            settings |= {"fsync": "off", "full_page_writes": "off", "max_wal_size": "128MB"}
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
