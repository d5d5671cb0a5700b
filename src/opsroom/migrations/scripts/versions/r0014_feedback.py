"""Feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("trace", sa.String(), nullable=False),
        sa.Column("use_case", sa.String(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=True),
        sa.Column("accurate", sa.Boolean(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("kpi", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("amount", sa.Float(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(
            "ix_feedback_counted", ["project", "counts", "source", "at"], unique=False
        )
        batch_op.create_index("ix_feedback_joined", ["joined", "at"], unique=False)
        batch_op.create_index("ix_feedback_project_by", ["project", "by", "at"], unique=False)
        batch_op.create_index("ix_feedback_project_id", ["project", "id"], unique=False)
        batch_op.create_index(
            "ix_feedback_project_state", ["project", "state", "by", "id"], unique=False
        )
        batch_op.create_index(
            "ix_feedback_project_subject",
            ["project", "subject", "source", "by", "kpi"],
            unique=False,
        )
        batch_op.create_index(
            "ix_feedback_project_subject_id", ["project", "subject", "id"], unique=False
        )
        batch_op.create_index(
            "ix_feedback_project_trace", ["project", "trace", "id"], unique=False
        )
        batch_op.create_index(
            "ix_feedback_worded",
            ["project", "id"],
            unique=False,
            sqlite_where=sa.text("(text <> '' OR reasoning <> '')"),
            postgresql_where=sa.text("(text <> '' OR reasoning <> '')"),
        )
        batch_op.create_index(
            "uq_feedback_key",
            ["project", "key"],
            unique=True,
            sqlite_where=sa.text("key <> ''"),
            postgresql_where=sa.text("key <> ''"),
        )

    op.create_table(
        "feedback_floods",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "by", name=op.f("pk_feedback_floods")),
    )
    op.create_table(
        "feedback_link_keys",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_feedback_link_keys")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(
            "ix_turns_project_trace", ["project", "trace", "id"], unique=False
        )
