"""Inbox links."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "inbox_links",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_inbox_links")),
    )
    with op.batch_alter_table("inbox_links", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_links_expires_at", ["project", "expires_at"], unique=False
        )
