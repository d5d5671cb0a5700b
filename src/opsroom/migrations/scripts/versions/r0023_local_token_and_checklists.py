"""Know the token in the folder of an installation from every other; keep answered checklists."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "proposal_checklists",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "proposal", "evidence", name=op.f("pk_proposal_checklists")
        ),
    )
    op.create_table(
        "review_settings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_review_settings")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("local", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
