"""The database: one engine, two kinds of transaction, the schema."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from communication.errors import ServiceUnavailable, SettingsError
from communication.privacy.sealing import Seal, keep_seal, parse_keys
from communication.query.document_sql import register_sqlite_functions
from communication.settings import redacted


class Store:
    """Hands out transactions. Nothing else opens a connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(tidings_writes=True)
        self._committing = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. ServiceUnavailable when the database can't be reached."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed, durably, when the block ends without an error."""
        with _translated(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def write_at_once(self) -> Iterator[Connection]:
        """Like `write`, for what is a single statement on PostgreSQL.

        It is its own transaction there: two round trips fewer.
        """
        if not self.is_postgresql:
            with self.write() as connection:
                yield connection
            return
        with _translated(), self._committing.connect() as connection:
            yield connection

    @property
    def is_postgresql(self) -> bool:
        """False: SQLite."""
        return self.engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()


def open_store(
    url: str, *, connections: int = 8, keep_plans: bool = False, secret_keys: str = ""
) -> Store:
    """The store at a `sqlite:///` or `postgresql://` URL; connects at the first transaction.

    With `keep_plans` PostgreSQL may plan a statement once for all values: half the cost of
    storing a message. It is not for who claims work: a plan made while a table was empty
    reads all of it when it is full (docs/decisions/0001). `secret_keys`: those of the settings.
    """
    options: dict[str, Any] = {
        "hide_parameters": True,  # errors are logged; what customers wrote is not
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30}, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=4,
            pool_timeout=10,
            connect_args={
                "connect_timeout": 5,
                "application_name": "tidings",
                "options": f"-c plan_cache_mode={'auto' if keep_plans else 'force_custom_plan'}",
            },
            **options,
        )
        event.listen(engine, "checkout", _check_open)
    keep_seal(engine.dialect, Seal(parse_keys(secret_keys)))
    return Store(engine)


def upgrade(url: str, *, to: str = "head") -> None:
    """Bring the schema to the newest migration; safe to call from several processes at once.

    ServiceUnavailable when the database can't be reached.
    """
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    with _translated():
        command.upgrade(_alembic(url), to)


def check_schema(url: str) -> None:
    """SettingsError if the database lacks migrations. One that is away just now passes."""
    try:
        present = _migrations_in(url)
    except OperationalError:
        return
    wanted = set(ScriptDirectory.from_config(_alembic(url)).get_heads())
    if present != wanted:
        raise SettingsError(
            f"the schema of {redacted(url)} is at {sorted(present) or 'nothing'}, this version "
            f"needs {sorted(wanted)}: run `tidings db upgrade`"
        )


def _migrations_in(url: str) -> set[str]:
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not Path(file).exists():
        return set()  # to connect would make the file, or fail where it has no folder
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def _alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "communication:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        if _is_our_fault(error):
            raise
        raise ServiceUnavailable(f"The database can't be used now: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise ServiceUnavailable("The connection to the database was lost.") from error
        raise


def _is_our_fault(error: Exception) -> bool:
    """SQLite has one class for a statement that is wrong and a database that can't be used."""
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_ERROR"


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (
        redacted(str(cause).strip().splitlines()[0]) if str(cause).strip() else type(cause).__name__
    )


def _check_open(connection: Any, _record: object, _proxy: object) -> None:
    # An idle connection has nothing to say but that it was closed: a look at its socket finds
    # out without the round trip of a ping, which costs as much as a statement.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise DisconnectionError


def _prepare_sqlite(connection: Any, _record: object) -> None:
    register_sqlite_functions(connection)
    connection.isolation_level = None  # SQLAlchemy begins the transactions, see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer half-way can fail with SQLITE_BUSY at once, whatever the
    # timeout: whoever will write takes the lock at the beginning.
    writes = connection.get_execution_options().get("tidings_writes", False)
    connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))
