"""Events with positions, and the tables of all who are told of them.

Events of before keep their order, and count as told.
"""

import sqlalchemy as sa
from alembic import op

from communication.columns import Json, Key, Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables, and make the old events' keys their positions."""
    _move_events()
    _create_staging()
    _create_order_events()
    _create_heard_and_collected()
    _extend_hubs()
    _create_callbacks()
    _create_subscriptions()


def _move_events() -> None:
    op.execute("ALTER TABLE event RENAME COLUMN key TO position")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE event ALTER COLUMN position DROP DEFAULT")
        op.execute("DROP SEQUENCE event_key_seq")
    op.add_column("event", sa.Column("type", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("payload", Json, nullable=True))
    op.create_table(
        "event_cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", Key, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for name in ("sequenced", "told"):
        op.execute(
            f"INSERT INTO event_cursor SELECT '{name}', coalesce(max(position), 0) FROM event"  # noqa: S608 - a name of ours
        )


def _create_staging() -> None:
    op.create_table(
        "staged_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("message_key", Key, nullable=True),
        sa.Column("delivery_key", Key, nullable=True),
        sa.Column("changed", Json, nullable=True),
        sa.Column("payload", Json, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def _create_order_events() -> None:
    op.create_table(
        "order_event",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("position", Key, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("access_id", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "position"),
    )
    op.create_index(
        "order_event_heard",
        "order_event",
        ["tenant", "order_id"],
        unique=True,
        postgresql_where=sa.text("heard"),
        sqlite_where=sa.text("heard"),
    )


def _create_heard_and_collected() -> None:
    op.create_table(
        "heard_event",
        sa.Column("key", Key, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("heard_event_unique", "heard_event", ["tenant", "event_id"], unique=True)
    op.create_index(
        "heard_event_order",
        "heard_event",
        ["tenant", "order_id"],
        unique=False,
        postgresql_where=sa.text("order_id IS NOT NULL"),
        sqlite_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_table(
        "collected_event",
        sa.Column("key", Key, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "forwarding",
        *_due_work(),
        sa.Column("collected_key", Key, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["collected_key"], ["collected_event.key"]),
        sa.PrimaryKeyConstraint("key"),
    )
    _create_due_index("forwarding")


def _extend_hubs() -> None:
    op.add_column("hub", sa.Column("old_secret", sa.Text(), nullable=True))
    op.add_column("hub", sa.Column("old_secret_until", Moment(), nullable=True))
    op.add_column("hub", sa.Column("state", sa.Text(), nullable=False, server_default="active"))
    op.add_column("hub", sa.Column("failing_since", Moment(), nullable=True))
    op.add_column("hub", sa.Column("resting_until", Moment(), nullable=True))


def _create_callbacks() -> None:
    op.create_table(
        "callback",
        *_due_work(),
        sa.Column("hub_key", Key, nullable=False),
        sa.Column("event_position", Key, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        postgresql_with={"fillfactor": 70},
    )
    _create_due_index("callback")
    op.create_index("callback_unique", "callback", ["hub_key", "event_position"], unique=True)
    op.create_table(
        "callback_attempt",
        sa.Column("key", Key, nullable=False),
        sa.Column("callback_key", Key, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("callback_attempt_callback", "callback_attempt", ["callback_key"])


def _create_subscriptions() -> None:
    op.create_table(
        "subscription",
        sa.Column("key", Key, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subscribed_by", sa.Text(), nullable=False),
        sa.Column("event_type_ids", Json, nullable=False),
        sa.Column("notification_page_size", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_position", Key, nullable=False),
        sa.Column("handed_out", Key, nullable=False),
        sa.Column("last_request_date", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("subscription_tenant", "subscription", ["tenant"])


def _due_work() -> list[sa.Column[object]]:
    return [
        sa.Column("key", Key, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("lost", sa.SmallInteger(), nullable=False),
    ]


def _create_due_index(table: str) -> None:
    op.create_index(
        f"{table}_due",
        table,
        ["channel", "priority", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
