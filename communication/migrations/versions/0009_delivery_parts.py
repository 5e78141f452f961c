"""Parts of long messages, each of which has a receipt of its own."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Key, Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "delivery_part",
        sa.Column("key", Key, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("whole", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("delivery_part_reference", "delivery_part", ["reference", "provider"])
    op.create_index("delivery_part_whole", "delivery_part", ["whole", "provider"])
    op.create_index("delivery_part_age", "delivery_part", ["created_at"])
