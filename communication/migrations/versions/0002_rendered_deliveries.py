"""Which version of a template a delivery was rendered from, and how many SMS it is billed as."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; old deliveries have neither."""
    op.add_column("delivery", sa.Column("template_version", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("segments", sa.Integer(), nullable=True))
