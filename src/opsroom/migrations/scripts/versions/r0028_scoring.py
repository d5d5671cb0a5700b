"""Scoring."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "scorings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", name=op.f("pk_scorings")),
    )
    with op.batch_alter_table("scorings", schema=None) as batch_op:
        batch_op.create_index("ix_scorings_next", ["next_at"], unique=False)
