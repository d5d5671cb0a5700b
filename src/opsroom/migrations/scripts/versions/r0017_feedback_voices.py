"""Feedback: what a voice is heard of once, and when to look for its work; open review tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

INTENDED = sa.text("(intent <> '' AND use_case <> '')")
OPEN = sa.text("state <> 'settled'")
WAITS = sa.text("look_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("about", sa.String(), nullable=False, server_default=sa.text("''"))
        )
        batch_op.add_column(sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index("ix_feedback_project_subject")
        batch_op.drop_index("ix_feedback_project_by")
        batch_op.drop_index("ix_feedback_joined")
    op.execute(
        "UPDATE feedback SET about = CASE WHEN source = 'user' AND turn <> '' "
        "THEN 'turn/' || turn ELSE subject END, "
        "look_at = CASE WHEN joined THEN NULL ELSE at END"
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.alter_column("about", server_default=None)
        batch_op.create_index(
            "ix_feedback_project_about",
            ["project", "about", "source", "by", "kpi"],
            unique=False,
        )
        batch_op.create_index(
            "ix_feedback_project_by", ["project", "by", "source", "at"], unique=False
        )
        batch_op.create_index(
            "ix_feedback_waits",
            ["project", "look_at"],
            unique=False,
            sqlite_where=WAITS,
            postgresql_where=WAITS,
        )
        batch_op.create_index(
            "ix_feedback_intended",
            ["project", "counts", "id"],
            unique=False,
            sqlite_where=INTENDED,
            postgresql_where=INTENDED,
        )
    with op.batch_alter_table("annotation_tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_annotation_tasks_open",
            ["project", "queue"],
            unique=False,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        )
