"""The migrations lead to the tables of communication.model, on both databases."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from communication.store import Store, check_schema, upgrade


def test_the_migrations_make_what_the_model_says(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            one for one in compare_metadata(context, SQLModel.metadata) if _matters(one, store)
        ]

    assert differences == []


def test_to_upgrade_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)

    check_schema(database_url)


def _matters(difference: Any, store: Store) -> bool:
    """SQLite has no GIN, and Alembic reads its indexes back only roughly."""
    return store.is_postgresql or not difference[0].endswith("_index")
