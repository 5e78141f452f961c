"""Runs the migrations; Alembic calls this module."""

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlmodel import SQLModel

MIGRATION_LOCK = 7_468_101
"""Of PostgreSQL's advisory locks: one process migrates, the others wait and find it done."""


def run() -> None:
    """Migrate the database at the URL that `communication.store.upgrade` was given."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()


run()
