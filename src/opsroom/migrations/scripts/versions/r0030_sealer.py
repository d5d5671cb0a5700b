"""Which master keys data keys were sealed by is asked at every start: an index for it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_index(
        "ix_payload_keys_sealer", "payload_keys", [sa.text("substr(sealed, 4, 16)")]
    )
