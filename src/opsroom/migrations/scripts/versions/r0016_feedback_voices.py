"""Open review tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

OPEN = sa.text("state <> 'settled'")


def upgrade() -> None:
    with op.batch_alter_table("annotation_tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_annotation_tasks_open",
            ["project", "queue"],
            unique=False,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        )
