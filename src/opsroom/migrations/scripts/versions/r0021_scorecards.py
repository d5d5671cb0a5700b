"""Scorecards."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "scorecards",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project", "digest", name=op.f("pk_scorecards")),
        sa.UniqueConstraint("project", "name", "number", name="uq_scorecards_number"),
    )
    with op.batch_alter_table("scorecards", schema=None) as batch_op:
        batch_op.create_index("ix_scorecards_id", ["project", "id"], unique=False)
