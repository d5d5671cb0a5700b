"""Thresholds."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "threshold_decisions",
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=True),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("action", name=op.f("pk_threshold_decisions")),
    )
    with op.batch_alter_table("threshold_decisions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_threshold_decisions_of",
            [
                "project",
                "agent",
                "environment",
                "contract",
                "action",
                "confidence",
                "source",
                "right",
            ],
            unique=False,
        )

    op.create_table(
        "threshold_examinations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold_examinations")),
    )
    with op.batch_alter_table("threshold_examinations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_threshold_examinations_of",
            ["project", "agent", "environment", "contract", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_threshold_examinations_project", ["project", "id"], unique=False
        )

    op.create_table(
        "threshold_settings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_threshold_settings")),
    )
