"""Queues of polled notifications that are given up when something in them is erased."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; the queues that there are keep their names."""
    op.add_column(
        "subscription_queue",
        sa.Column("generation", sa.Integer(), nullable=False, server_default="0"),
    )
