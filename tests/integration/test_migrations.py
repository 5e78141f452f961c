"""The migrations lead to the tables of the models, on both databases."""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text
from sqlmodel import SQLModel

import communication
from communication.events.event_model import EVENT, EVENT_CURSOR
from communication.store import Store, check_schema, open_store, upgrade
from tests.messages import rows


def all_tables() -> MetaData:
    """Those of every module that holds models, whatever else was imported before."""
    for module in walk_packages(communication.__path__, "communication."):
        if module.name.endswith("model"):
            import_module(module.name)
    return SQLModel.metadata


def test_the_migrations_make_what_the_model_says(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            one for one in compare_metadata(context, all_tables()) if _matters(one, store)
        ]

    assert differences == []


def test_to_upgrade_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)

    check_schema(database_url)


def test_events_of_before_keep_their_order_and_count_as_told(database_url: str) -> None:
    upgrade(database_url, to="0002")
    store = open_store(database_url)
    with store.write() as connection:
        for number in range(3):
            connection.execute(
                text("INSERT INTO event (id, tenant, kind, at) VALUES (:id, 'a', 'created', :at)"),
                {"id": f"event-{number}", "at": "2026-11-21 08:00:00.000000"},
            )
    upgrade(database_url)

    assert [(row.id, row.position) for row in rows(store, EVENT)] == [
        ("event-0", 1),
        ("event-1", 2),
        ("event-2", 3),
    ]
    assert {tuple(row) for row in rows(store, EVENT_CURSOR)} == {("sequenced", 3), ("told", 3)}
    store.close()


def _matters(difference: Any, store: Store) -> bool:
    """SQLite has no GIN, and Alembic reads its indexes back only roughly.

    Of two indexes with one name, each for its own database, Alembic compares either.
    """
    kind, one = difference[0], difference[1]
    if not kind.endswith("_index"):
        return True
    known = SQLModel.metadata.tables[one.table.name].indexes
    namesakes = [index for index in known if index.name == one.name]
    return store.is_postgresql and len(namesakes) < 2
