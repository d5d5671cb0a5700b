"""What the feedback links of a project are signed with."""

from sqlalchemy import Column, String, Table, select, update

from opsroom.kit.db import Tx, insert_missing, metadata

from .links import new_key

link_keys = Table(
    "feedback_link_keys",
    metadata,
    Column("project", String, primary_key=True),
    Column("secret", String(64), nullable=False),
)


def key(tx: Tx) -> str | None:
    """None where the project never made a link."""
    wanted = select(link_keys.c.secret).where(link_keys.c.project == tx.project)
    return tx.conn.execute(wanted).scalar()


def key_for_signing(tx: Tx) -> str:
    """The key, made now where there is none."""
    insert_missing(tx, link_keys, [{"project": tx.project, "secret": new_key()}])
    wanted = select(link_keys.c.secret).where(link_keys.c.project == tx.project)
    return str(tx.conn.execute(wanted).scalar_one())


def renew(tx: Tx) -> bool:
    """Sign with another key from now on; False where there was none to change."""
    mine = update(link_keys).where(link_keys.c.project == tx.project)
    done = tx.conn.execute(mine.values(secret=new_key()))
    return done.rowcount == 1
