"""Retraining."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "retraining_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_retraining_clocks")),
    )
    op.create_table(
        "retraining_entries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("closing", sa.String(), nullable=False),
        sa.Column("improvement", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retraining_entries")),
        sa.UniqueConstraint("project", "agent", "closing", name="uq_retraining_entries_open"),
    )
    with op.batch_alter_table("retraining_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_retraining_entries_closing", ["project", "closing", "id"], unique=False
        )
        batch_op.create_index(
            "ix_retraining_entries_project_id", ["project", "id"], unique=False
        )

    op.create_table(
        "retraining_models",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("first", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "agent", "model", "first", name=op.f("pk_retraining_models")
        ),
    )
    op.create_table(
        "retraining_watches",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", name=op.f("pk_retraining_watches")),
    )
    with op.batch_alter_table("retraining_watches", schema=None) as batch_op:
        batch_op.create_index("ix_retraining_watches_next", ["next_at"], unique=False)
