"""What retention and erasing ask of requests: which there are, and removing old ones."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from opsroom.kit.db import Tx

from . import store
from .answer_store import answers
from .link_store import links
from .override_store import overrides
from .watch_store import bank, checks, openings

_CHUNK = 500


def about(tx: Tx, subjects: Sequence[str]) -> list[str]:
    """The names under which requests about these subjects are answered and watched over."""
    found: list[str] = []
    for start in range(0, len(subjects), _CHUNK):
        some = subjects[start : start + _CHUNK]
        wanted = select(store.requests.c.id).where(
            store.requests.c.project == tx.project, store.requests.c.subject.in_(some)
        )
        for one in tx.conn.execute(wanted).scalars():
            found += [f"request/{one}", f"oversight/{one}"]
    return found


def unsort(tx: Tx, subjects: Sequence[str]) -> None:
    """Forget how overrides about these were sorted: a category is made of what people wrote."""
    for start in range(0, len(subjects), _CHUNK):
        mine = (
            overrides.c.project == tx.project,
            overrides.c.subject.in_(subjects[start : start + _CHUNK]),
        )
        tx.conn.execute(update(overrides).where(*mine).values(category=""))


def remove(tx: Tx, subjects: Sequence[str]) -> None:
    """Remove requests about these subjects with all that was said to them."""
    for start in range(0, len(subjects), _CHUNK):
        some = subjects[start : start + _CHUNK]
        mine = (store.requests.c.project == tx.project, store.requests.c.subject.in_(some))
        ids = list(tx.conn.execute(select(store.requests.c.id).where(*mine)).scalars())
        for table in (answers, openings, checks, bank, links):
            tx.conn.execute(delete(table).where(table.c.request_id.in_(ids)))
        tx.conn.execute(
            delete(overrides).where(
                overrides.c.project == tx.project, overrides.c.subject.in_(some)
            )
        )
        tx.conn.execute(delete(store.requests).where(*mine))
