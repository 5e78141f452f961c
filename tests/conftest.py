"""Neighbours of the code under test. A server is started when a test first asks for it."""

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from communication.store import Store, open_store, upgrade
from tests.installation import Installation, installed
from tests.services import PostgreSQL, RabbitMQ, Redis


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker of xdist takes files whole; one alone takes all that need the installation."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "installation" if _needs_installation(self.config.rootpath / file) else file


def pytest_configure() -> None:
    """No test of properties depends on how quick the machine is."""
    settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins."""
    items.sort(key=lambda item: not _needs_installation(item.path))


@cache
def _needs_installation(file: Path) -> bool:
    return "from tests.installation import" in file.read_text()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The run's PostgreSQL. A test that kills it restarts it."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """The run's RabbitMQ. A test that kills it restarts it, and uses queues of its own."""
    with RabbitMQ() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The run's Redis. A test that kills it restarts it."""
    with Redis() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    url = postgresql.new_database()
    yield url
    postgresql.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database of the test's own, that does not exist yet."""
    return f"sqlite:///{tmp_path}/tidings.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of the test's own: the test runs once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["fakeredis", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty Redis: the test runs once on the in-process one and once on a server."""
    if request.param == "fakeredis":
        return "memory://"
    server: Redis = request.getfixturevalue("redis_server")
    server.wipe()
    return server.url


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgreSQL) -> str:
    """The URL of a database that others are copied from: a migration takes much longer."""
    url = postgresql.new_database()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that others are copied from."""
    path = tmp_path_factory.mktemp("migrated") / "tidings.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def migrated_postgresql_url(postgresql: PostgreSQL, migrated_postgresql: str) -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own, with the schema and nothing in it."""
    url = postgresql.new_database(like=migrated_postgresql)
    yield url
    postgresql.drop_database(url)


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, migrated_sqlite: Path) -> str:
    """The URL of a SQLite database of the test's own, with the schema and nothing in it."""
    shutil.copy(migrated_sqlite, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database of the test's own: the test runs once on each engine."""
    url: str = request.getfixturevalue(f"migrated_{request.param}_url")
    return url


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    """A store on an empty, migrated database: once on SQLite, once on PostgreSQL."""
    opened = open_store(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(migrated_sqlite_url: str) -> Iterator[Store]:
    """A store on SQLite alone: for what no database has a part in."""
    opened = open_store(migrated_sqlite_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def installation(
    postgresql: PostgreSQL, rabbitmq: RabbitMQ, redis_server: Redis
) -> Iterator[Installation]:
    """The run's Tidings on real engines. A test that breaks a part mends it."""
    with installed(postgresql, rabbitmq, redis_server) as running:
        yield running
