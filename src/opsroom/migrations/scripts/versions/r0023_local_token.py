"""Know the token in the folder of an installation from every other."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("local", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
