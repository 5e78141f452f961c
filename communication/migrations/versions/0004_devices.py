"""Devices that push reaches an app's users on."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Json, Key, Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "device",
        sa.Column("key", Key, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("app_user_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("keys", Json, nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("registered_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("device_unique", "device", ["tenant", "app_user_id", "id"], unique=True)
    op.create_index("device_token", "device", ["tenant", "fingerprint"], unique=True)
