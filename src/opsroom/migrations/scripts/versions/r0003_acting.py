"""Acting."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "action_circuits",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("project", "integration", name=op.f("pk_action_circuits")),
    )
    op.create_table(
        "action_keys",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", "tool", "key", name=op.f("pk_action_keys")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("contract_digest", sa.String(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("enforcement", sa.String(), nullable=True),
        sa.Column("refused_by", sa.String(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("approval", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("cost", sa.String(), nullable=True),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index("ix_actions_lease", ["state", "lease_until"], unique=False)
        batch_op.create_index(
            "ix_actions_project_agent_id", ["project", "agent", "id"], unique=False
        )
        batch_op.create_index("ix_actions_project_id", ["project", "id"], unique=False)
        batch_op.create_index(
            "ix_actions_project_state_id", ["project", "state", "id"], unique=False
        )
        batch_op.create_index(
            "ix_actions_tool", ["project", "agent", "tool", "proposed_at"], unique=False
        )
        batch_op.create_index("ix_actions_turn", ["turn", "id"], unique=False)

    op.create_table(
        "autonomy_alone",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "agent", "environment", "scope", "day", name=op.f("pk_autonomy_alone")
        ),
    )
    op.create_table(
        "autonomy_grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("manifest", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_grants")),
    )
    with op.batch_alter_table("autonomy_grants", schema=None) as batch_op:
        batch_op.create_index(
            "uq_autonomy_grants", ["project", "agent", "environment", "scope"], unique=True
        )

    op.create_table(
        "autonomy_records",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("corrected", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("incidents", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "agent", "environment", "scope", name=op.f("pk_autonomy_records")
        ),
    )
    op.create_table(
        "autonomy_switches",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", name=op.f("pk_autonomy_switches")),
    )
    op.create_table(
        "autonomy_widenings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_widenings")),
    )
    with op.batch_alter_table("autonomy_widenings", schema=None) as batch_op:
        batch_op.create_index("ix_autonomy_widenings_project", ["project", "id"], unique=False)
        batch_op.create_index(
            "uq_autonomy_widenings_open",
            ["project", "agent", "environment", "scope"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "budgets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("hard", sa.String(length=40), nullable=False),
        sa.Column("soft", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
    )
    with op.batch_alter_table("budgets", schema=None) as batch_op:
        batch_op.create_index("ix_budgets_project", ["project", "id"], unique=False)
        batch_op.create_index(
            "uq_budgets_present",
            ["project", "scope", "key", "unit", "window"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "closed_identities",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", name=op.f("pk_closed_identities")),
    )
    op.create_table(
        "inbox_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("grouped", sa.String(length=64), nullable=False),
        sa.Column("under", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_requests")),
    )
    with op.batch_alter_table("inbox_requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_requests_agent", ["project", "agent", "state"], unique=False
        )
        batch_op.create_index("ix_inbox_requests_clock", ["next_at"], unique=False)
        batch_op.create_index(
            "ix_inbox_requests_group", ["project", "grouped", "state"], unique=False
        )
        batch_op.create_index(
            "ix_inbox_requests_person", ["project", "answered_by", "state"], unique=False
        )
        batch_op.create_index("ix_inbox_requests_subject", ["project", "subject"], unique=False)
        batch_op.create_index("ix_inbox_requests_under", ["under"], unique=False)
        batch_op.create_index(
            "ix_inbox_requests_waiting",
            ["project", "state", "under", "due_at", "id"],
            unique=False,
        )

    op.create_table(
        "inbox_settings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_inbox_settings")),
    )
    op.create_table(
        "mcp_turns",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project", "agent", "session", name=op.f("pk_mcp_turns")),
    )
    op.create_table(
        "memories",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("correction", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_memories")),
    )
    with op.batch_alter_table("memories", schema=None) as batch_op:
        batch_op.create_index("ix_memories_agent", ["project", "agent", "id"], unique=False)
        batch_op.create_index("uq_memories_action", ["project", "action"], unique=True)
        batch_op.create_index("uq_memories_id", ["id"], unique=True)

    op.create_table(
        "memory_marks",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "memory",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key", "memory", name=op.f("pk_memory_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("say", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    with op.batch_alter_table("overrides", schema=None) as batch_op:
        batch_op.create_index(
            "ix_overrides_category", ["project", "category", "id"], unique=False
        )
        batch_op.create_index("ix_overrides_project", ["project", "id"], unique=False)
        batch_op.create_index("ix_overrides_request", ["project", "request"], unique=False)

    op.create_table(
        "quarantined_tools",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("face", sa.String(length=64), nullable=False),
        sa.Column("approved", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_tools")),
    )
    with op.batch_alter_table("quarantined_tools", schema=None) as batch_op:
        batch_op.create_index(
            "uq_quarantined_tools_face", ["project", "digest", "face"], unique=True
        )

    op.create_table(
        "turn_texts",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("turn", "seq", name=op.f("pk_turn_texts")),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("human", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("trace", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("final", sa.String(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(
            "ix_turns_project_agent_id", ["project", "agent", "id"], unique=False
        )
        batch_op.create_index("ix_turns_project_id", ["project", "id"], unique=False)
        batch_op.create_index(
            "ix_turns_project_session", ["project", "session", "id"], unique=False
        )

    op.create_table(
        "budget_counters",
        sa.Column("budget_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("held", sa.String(length=40), nullable=False),
        sa.Column("settled", sa.String(length=40), nullable=False),
        sa.Column("actions", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["budgets.id"], name=op.f("fk_budget_counters_budget_id")
        ),
        sa.PrimaryKeyConstraint("budget_id", "since", "key", name=op.f("pk_budget_counters")),
    )
    op.create_table(
        "budget_holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("budget_id", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["budgets.id"], name=op.f("fk_budget_holds_budget_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_holds")),
    )
    with op.batch_alter_table("budget_holds", schema=None) as batch_op:
        batch_op.create_index("ix_budget_holds_action", ["project", "action"], unique=False)
        batch_op.create_index(
            "ix_budget_holds_counter", ["budget_id", "since", "key", "id"], unique=False
        )
        batch_op.create_index(
            "ix_budget_holds_expiry",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )

    op.create_table(
        "budget_spending",
        sa.Column("budget_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=False),
        sa.Column("actions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["budgets.id"], name=op.f("fk_budget_spending_budget_id")
        ),
        sa.PrimaryKeyConstraint(
            "budget_id", "since", "key", "at", name=op.f("pk_budget_spending")
        ),
    )
    op.create_table(
        "inbox_answers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("say", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("check", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["inbox_requests.id"], name=op.f("fk_inbox_answers_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_answers")),
    )
    with op.batch_alter_table("inbox_answers", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_answers_person", ["project", "by", "id"], unique=False)
        batch_op.create_index("ix_inbox_answers_request", ["request_id", "id"], unique=False)
        batch_op.create_index("ix_inbox_answers_time", ["project", "at"], unique=False)
        batch_op.create_index(
            "ix_inbox_answers_tool", ["project", "agent", "tool", "id"], unique=False
        )

    op.create_table(
        "inbox_checks",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("expected", sa.String(), nullable=False),
        sa.Column("barred", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["inbox_requests.id"], name=op.f("fk_inbox_checks_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_inbox_checks")),
    )
    op.create_table(
        "inbox_known_bad",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["inbox_requests.id"], name=op.f("fk_inbox_known_bad_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_inbox_known_bad")),
    )
    with op.batch_alter_table("inbox_known_bad", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_known_bad_project", ["project", "request_id"], unique=False
        )

    op.create_table(
        "inbox_openings",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["inbox_requests.id"], name=op.f("fk_inbox_openings_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "person", name=op.f("pk_inbox_openings")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agent", sa.String(), server_default="", nullable=False))
