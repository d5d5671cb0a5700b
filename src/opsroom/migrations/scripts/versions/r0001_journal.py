"""The journal, its empty head and the cursors of its readers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        _derived("project"),
        _derived("actor"),
        _derived("event"),
        _derived("subject"),
        sa.PrimaryKeyConstraint("seq", name="pk_journal"),
    )
    op.create_index("ix_journal_project_subject_seq", "journal", ["project", "subject", "seq"])
    op.create_index("ix_journal_project_event_seq", "journal", ["project", "event", "seq"])
    heads = op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal_head"),
    )
    op.bulk_insert(heads, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    op.create_table(
        "journal_cursors",
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name="pk_journal_cursors"),
    )


def _derived(name: str) -> sa.Column[str]:
    """A column that the database computes from the canonical record."""
    if op.get_bind().dialect.name == "sqlite":
        formula = f"json_extract(record, '$.{name}')"
    else:
        formula = f"((record::jsonb) ->> '{name}')"
    return sa.Column(name, sa.String(), sa.Computed(formula, persisted=True))
