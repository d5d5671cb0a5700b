"""Seeing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "integration_documents",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "digest", name=op.f("pk_integration_documents")),
    )
    op.create_table(
        "integrations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("baseline", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_run", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_integrations_project_name")),
    )
    op.create_table(
        "trace_keepings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("keeping", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_trace_keepings")),
    )
    op.create_table(
        "integration_calls",
        sa.Column("integration_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("latencies", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_integration_calls_integration_id"),
        ),
        sa.PrimaryKeyConstraint("integration_id", "since", name=op.f("pk_integration_calls")),
    )
    op.create_table(
        "integration_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("integration_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_integration_runs_integration_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_runs")),
    )
    with op.batch_alter_table("integration_runs", schema=None) as batch_op:
        batch_op.create_index("ix_integration_runs_of", ["integration_id", "id"], unique=False)

    with op.batch_alter_table("action_keys", schema=None) as batch_op:
        batch_op.create_index("ix_action_keys_action", ["action"], unique=False)
        batch_op.create_index("ix_action_keys_expires", ["expires_at"], unique=False)

    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("payload", sa.String(length=64), server_default="", nullable=False)
        )
        batch_op.drop_index(batch_op.f("ix_actions_tool"))
        batch_op.create_index(
            "ix_actions_moved",
            ["project", "agent", "tool", "proposed_at", "state", "amount"],
            unique=False,
        )

    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index("ix_turns_project_ended", ["project", "ended_at"], unique=False)
