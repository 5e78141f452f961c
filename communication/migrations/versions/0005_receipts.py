"""Receipts: how deliveries that await one are found, and receipts that come before them."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Key, Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column, its indexes and the table; old deliveries await nothing."""
    op.add_column("delivery", sa.Column("provider", sa.Text(), nullable=True))
    op.create_index(
        "delivery_receipt",
        "delivery",
        ["reference", "provider"],
        postgresql_where=sa.text("provider IS NOT NULL"),
        sqlite_where=sa.text("provider IS NOT NULL"),
    )
    op.create_index(
        "delivery_unanswered",
        "delivery",
        ["due_at"],
        postgresql_where=sa.text("state = 'sent'"),
        sqlite_where=sa.text("state = 'sent'"),
    )
    op.create_table(
        "early_receipt",
        sa.Column("key", Key, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", Moment(), nullable=True),
        sa.Column("received_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("early_receipt_reference", "early_receipt", ["reference", "provider"])
    op.create_index("early_receipt_age", "early_receipt", ["received_at"])
