"""Retention."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    with op.batch_alter_table("legal_holds", schema=None) as batch_op:
        batch_op.create_index(
            "ix_legal_holds_project", ["project", "released_at", "id"], unique=False
        )

    op.create_table(
        "payload_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payload_keys")),
    )
    with op.batch_alter_table("payload_keys", schema=None) as batch_op:
        batch_op.create_index("ix_payload_keys_made", ["made_at"], unique=False)
        batch_op.create_index("uq_payload_keys_of", ["project", "of"], unique=True)

    op.create_table(
        "retention_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_retention_clocks")),
    )
    op.create_table(
        "retention_settings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_retention_settings")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(
            "ix_turns_project_human", ["project", "human", "id"], unique=False
        )
        batch_op.create_index(
            "ix_turns_project_subject", ["project", "subject", "id"], unique=False
        )
