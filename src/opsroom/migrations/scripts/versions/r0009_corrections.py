"""Corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "correction_overrides",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("override", sa.String(), nullable=False),
        sa.Column("correction", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("agent_said", sa.String(), nullable=False),
        sa.Column("human_said", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project", "override", name=op.f("pk_correction_overrides")),
    )
    with op.batch_alter_table("correction_overrides", schema=None) as batch_op:
        batch_op.create_index(
            "ix_correction_overrides_correction", ["project", "correction"], unique=False
        )
        batch_op.create_index(
            "ix_correction_overrides_person", ["project", "agent", "person", "at"], unique=False
        )

    op.create_table(
        "corrections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("project", "agent", "hash", name="uq_corrections_content"),
    )
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.create_index(
            "ix_corrections_asked", ["project", "agent", "asked"], unique=False
        )
        batch_op.create_index("ix_corrections_project_id", ["project", "id"], unique=False)
        batch_op.create_index(
            "ix_corrections_project_state", ["project", "state", "id"], unique=False
        )

    with op.batch_alter_table("eval_runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_eval_runs_dataset", ["project", "dataset", "id"], unique=False
        )
