"""Up to where each subscription's notifications were put into its queue."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Key

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table; there are no subscriptions yet."""
    op.create_table(
        "subscription_queue",
        sa.Column("subscription_key", Key, autoincrement=False, nullable=False),
        sa.Column("queued", Key, nullable=False),
        sa.PrimaryKeyConstraint("subscription_key"),
    )
