"""Which collected events are still to be forwarded; each is at most once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column and its index; so far there are none of our own."""
    op.add_column(
        "collected_event",
        sa.Column("to_forward", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "collected_event_to_forward",
        "collected_event",
        ["key"],
        postgresql_where=sa.text("to_forward"),
        sqlite_where=sa.text("to_forward"),
    )
    op.create_index("forwarding_unique", "forwarding", ["collected_key"], unique=True)
