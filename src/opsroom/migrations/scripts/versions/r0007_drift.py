"""Drift."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "drift_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_drift_clocks")),
    )
    with op.batch_alter_table("drift_clocks", schema=None) as batch_op:
        batch_op.create_index("ix_drift_clocks_next", ["next_at"], unique=False)

    op.create_table(
        "drift_watches",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("aspect", sa.String(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("p", sa.Float(), nullable=True),
        sa.Column("effect", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("project", "agent", "aspect", name=op.f("pk_drift_watches")),
    )
    op.create_table(
        "drifts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("aspect", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("compared", sa.JSON(), nullable=False),
        sa.Column("traces_before", sa.JSON(), nullable=False),
        sa.Column("traces_now", sa.JSON(), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Float(), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.create_index("ix_drifts_project_id", ["project", "id"], unique=False)
        batch_op.create_index(
            "ix_drifts_project_state_id", ["project", "state", "id"], unique=False
        )
