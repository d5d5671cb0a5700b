"""Sunset."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "agent_endings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("successor", sa.String(), nullable=False),
        sa.Column("sunset", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", name=op.f("pk_agent_endings")),
    )
    op.create_table(
        "agent_uses",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "agent", "caller", "token", "door", name=op.f("pk_agent_uses")
        ),
    )
    op.create_table(
        "sunset_exports",
        sa.Column("sunset", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sunset", "seq", name=op.f("pk_sunset_exports")),
    )
    op.create_table(
        "sunsets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("live", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sunsets")),
        sa.UniqueConstraint("project", "live", name=op.f("uq_sunsets_project_live")),
    )
    with op.batch_alter_table("sunsets", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sunsets_project_agent", ["project", "agent", "id"], unique=False
        )

    op.create_table(
        "zombie_clocks",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_zombie_clocks")),
    )
    with op.batch_alter_table("zombie_clocks", schema=None) as batch_op:
        batch_op.create_index("ix_zombie_clocks_next", ["next_at"], unique=False)

    op.create_table(
        "zombies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("live", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zombies")),
        sa.UniqueConstraint("project", "live", name=op.f("uq_zombies_project_live")),
    )
    with op.batch_alter_table("zombies", schema=None) as batch_op:
        batch_op.create_index(
            "ix_zombies_project_agent", ["project", "agent", "id"], unique=False
        )
        batch_op.create_index(
            "ix_zombies_project_state", ["project", "state", "id"], unique=False
        )

    with op.batch_alter_table("closed_identities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sunset", sa.String(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("successor", sa.String(), server_default="", nullable=False)
        )
