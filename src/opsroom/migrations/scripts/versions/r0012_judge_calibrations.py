"""Judge calibrations."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "judge_calibrations",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("evaluator_name", sa.String(), nullable=False),
        sa.Column("evaluator", sa.String(length=64), nullable=False),
        sa.Column("calibration", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "digest", name=op.f("pk_judge_calibrations")),
    )
    with op.batch_alter_table("judge_calibrations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_judge_calibrations_judge", ["project", "evaluator_name", "at"], unique=False
        )
