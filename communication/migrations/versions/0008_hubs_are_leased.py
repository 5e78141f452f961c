"""Hubs that are leased as a whole, and what they are told, once for all of them."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Key, Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Hubs of before hear what happens from now on."""
    op.add_column("hub", sa.Column("lease", sa.Text(), nullable=True))
    op.add_column("hub", sa.Column("leased_until", Moment(), nullable=True))
    op.add_column("hub", sa.Column("created_position", Key, nullable=False, server_default="0"))
    op.execute(
        "UPDATE hub SET created_position = "
        "(SELECT position FROM event_cursor WHERE name = 'sequenced')"
    )
    op.create_index(
        "callback_failed",
        "callback",
        ["hub_key", "event_position"],
        unique=False,
        postgresql_where=sa.text("state = 'failed'"),
        sqlite_where=sa.text("state = 'failed'"),
    )
    op.create_table(
        "callback_body",
        sa.Column("event_position", Key, autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("event_position"),
    )
