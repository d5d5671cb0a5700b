"""Cadence and maturity."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "cadence_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_cadence_clocks")),
    )
    op.create_table(
        "cadence_feeds",
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("secret", name=op.f("pk_cadence_feeds")),
    )
    with op.batch_alter_table("cadence_feeds", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cadence_feeds_project_person", ["project", "person"], unique=False
        )

    op.create_table(
        "cadence_settings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_cadence_settings")),
    )
    op.create_table(
        "maturity_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_maturity_clocks")),
    )
    op.create_table(
        "maturity_levels",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("project", "subject", "day", name=op.f("pk_maturity_levels")),
    )
    op.create_table(
        "occasions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occasions")),
    )
    with op.batch_alter_table("occasions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_occasions_project_due", ["project", "due_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_occasions_project_state", ["project", "state", "remind_at"], unique=False
        )
        batch_op.create_index(
            "uq_occasions_one", ["project", "kind", "subject", "period"], unique=True
        )
