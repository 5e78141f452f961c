"""Events are found by their positions; an index of their ids cost a third of the sequencing."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Drop it."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint("event_id_key", "event")
        return
    # SQLite drops an unnamed constraint by making the table anew.
    naming = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
    with op.batch_alter_table("event", naming_convention=naming) as event:
        event.drop_constraint("uq_event_id", type_="unique")
