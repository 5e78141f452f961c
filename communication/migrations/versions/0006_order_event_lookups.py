"""Order events are found by their ids and by their orders' ids, without any other table."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Index both; whose order it is decides beside the id."""
    op.drop_index("order_event_heard", "order_event")
    op.create_index(
        "order_event_order", "order_event", ["tenant", "order_id", "heard"], unique=True
    )
    op.create_index("order_event_id", "order_event", ["event_id"], unique=True)
