"""The first schema."""

import sqlalchemy as sa
from alembic import op

from communication.columns import Json, Key, Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "communication_message",
        sa.Column("key", Key, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("send", sa.Integer(), nullable=False),
        sa.Column("send_time", Moment(), nullable=True),
        sa.Column("send_time_complete", Moment(), nullable=True),
        sa.Column("receiver_count", sa.Integer(), nullable=False),
        sa.Column("open_count", sa.Integer(), nullable=False),
        sa.Column("delivered_count", sa.Integer(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("cancelled_count", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("uid"),
    )
    op.create_index(
        "communication_message_public_id",
        "communication_message",
        ["tenant", "id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL"),
    )
    is_postgresql = op.get_context().dialect.name == "postgresql"
    send_time = sa.text("send_time NULLS FIRST") if is_postgresql else "send_time"
    lists: dict[str, list[str | sa.TextClause]] = {
        "listed": [],
        "status": ["status"],
        "priority": ["priority"],
        "send_time": [send_time],
    }
    for name, columns in lists.items():
        op.create_index(
            f"communication_message_{name}",
            "communication_message",
            ["tenant", *columns, "key"],
            unique=False,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
    op.create_table(
        "event",
        sa.Column("key", Key, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message_key", Key, nullable=True),
        sa.Column("delivery_key", Key, nullable=True),
        sa.Column("changed", Json, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "hub",
        sa.Column("key", Key, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("hub_unique", "hub", ["tenant", "fingerprint"], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("key", Key, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("idempotency_age", "idempotency", ["created_at"], unique=False)
    op.create_index(
        "idempotency_unique",
        "idempotency",
        ["tenant", "client", "route", "idempotency_key"],
        unique=True,
    )
    op.create_table(
        "message_document",
        sa.Column("message_key", Key, nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_key"],
            ["communication_message.key"],
        ),
        sa.PrimaryKeyConstraint("message_key"),
    )
    op.create_table(
        "receiver",
        sa.Column("key", Key, nullable=False),
        sa.Column("message_key", Key, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("app_user_id", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("attributes", Json, nullable=True),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_key"],
            ["communication_message.key"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(
        "receiver_app_user_id",
        "receiver",
        ["app_user_id", "message_key"],
        unique=False,
        postgresql_where=sa.text("app_user_id IS NOT NULL"),
        sqlite_where=sa.text("app_user_id IS NOT NULL"),
    )
    op.create_index(
        "receiver_email",
        "receiver",
        ["email", "message_key"],
        unique=False,
        postgresql_where=sa.text("email IS NOT NULL"),
        sqlite_where=sa.text("email IS NOT NULL"),
    )
    op.create_index(
        "receiver_id",
        "receiver",
        ["id", "message_key"],
        unique=False,
        postgresql_where=sa.text("id IS NOT NULL"),
        sqlite_where=sa.text("id IS NOT NULL"),
    )
    op.create_index("receiver_message", "receiver", ["message_key", "ordinal"], unique=False)
    op.create_index(
        "receiver_name",
        "receiver",
        ["name", "message_key"],
        unique=False,
        postgresql_where=sa.text("name IS NOT NULL"),
        sqlite_where=sa.text("name IS NOT NULL"),
    )
    op.create_index(
        "receiver_phone",
        "receiver",
        ["phone", "message_key"],
        unique=False,
        postgresql_where=sa.text("phone IS NOT NULL"),
        sqlite_where=sa.text("phone IS NOT NULL"),
    )
    op.create_table(
        "delivery",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("lost", sa.SmallInteger(), nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("message_key", Key, nullable=False),
        sa.Column("receiver_key", Key, nullable=False),
        sa.Column("send", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_key"],
            ["communication_message.key"],
        ),
        sa.PrimaryKeyConstraint("key"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "delivery_due",
        "delivery",
        ["channel", "priority", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("delivery_message", "delivery", ["message_key", "send", "ordinal"], unique=True)
    op.create_table(
        "attempt",
        sa.Column("key", Key, nullable=False),
        sa.Column("delivery_key", Key, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_key"],
            ["delivery.key"],
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("attempt_delivery", "attempt", ["delivery_key"], unique=False)
    if is_postgresql:
        op.create_index(
            "message_document_search",
            "message_document",
            ["document"],
            unique=False,
            postgresql_using="gin",
            postgresql_ops={"document": "jsonb_path_ops"},
        )
        op.create_index(
            "receiver_search",
            "receiver",
            ["attributes"],
            unique=False,
            postgresql_using="gin",
            postgresql_ops={"attributes": "jsonb_path_ops"},
            postgresql_where=sa.text("attributes IS NOT NULL"),
        )
