"""The table of links to requests that were sent to people. Of a link only its fingerprint is here."""

from datetime import datetime

from sqlalchemy import Column, Index, RowMapping, String, Table, delete, insert, select, update

from opsroom.kit.db import Tx, Utc, metadata

links = Table(
    "inbox_links",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("project", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("person", String, nullable=False),
    Column("shown", String(64), nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("used_at", Utc),
    Index("ix_inbox_links_expires_at", "project", "expires_at"),
)


def add(
    tx: Tx, fingerprint: str, *, request_id: str, person: str, shown: str, until: datetime
) -> None:
    """Keep a link, and forget those that ended."""
    tx.conn.execute(
        delete(links).where(links.c.project == tx.project, links.c.expires_at < tx.now)
    )
    tx.conn.execute(
        insert(links).values(
            fingerprint=fingerprint,
            project=tx.project,
            request_id=request_id,
            person=person,
            shown=shown,
            expires_at=until,
        )
    )


def one(tx: Tx, fingerprint: str) -> RowMapping | None:
    wanted = select(links).where(
        links.c.fingerprint == fingerprint, links.c.project == tx.project
    )
    return tx.conn.execute(wanted).mappings().first()


def use(tx: Tx, fingerprint: str) -> bool:
    """Use a link up; False where somebody was faster."""
    done = tx.conn.execute(
        update(links)
        .where(
            links.c.fingerprint == fingerprint,
            links.c.project == tx.project,
            links.c.used_at.is_(None),
        )
        .values(used_at=tx.now)
    )
    return done.rowcount == 1
