"""What retention and erasing ask of feedback: whose it is, and which is old."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, update

from opsroom.kit.db import Tx
from opsroom.kit.shredding import keys

from .store import feedback

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of feedback, and whom it is from and about."""

    ref: str
    agent: str
    by: str
    subject: str
    turn: str


def said_by(tx: Tx, *, user: str, subject: str, limit: int) -> list[Words]:
    """Feedback of a user, or about a subject (also `feedback/…` itself)."""
    c = feedback.c
    wanted = select(c.id, c.agent, c.by, c.subject, c.turn).where(c.project == tx.project)
    if user:
        wanted = wanted.where(c.by == user)
    elif subject.startswith("feedback/"):
        wanted = wanted.where(c.id == subject.removeprefix("feedback/"))
    else:
        wanted = wanted.where(c.subject == subject)
    rows = tx.conn.execute(wanted.order_by(c.id).limit(limit))
    return [Words(f"feedback/{row[0]}", *row[1:]) for row in rows]


def about(tx: Tx, subjects: Sequence[str], *, limit: int) -> list[Words]:
    """Feedback about these turns and actions, whoever gave it."""
    c, found = feedback.c, list[Words]()
    for start in range(0, len(subjects), _CHUNK):
        wanted = select(c.id, c.agent, c.by, c.subject, c.turn).where(
            c.project == tx.project, c.subject.in_(subjects[start : start + _CHUNK])
        )
        rows = tx.conn.execute(wanted.order_by(c.id).limit(limit - len(found)))
        found += [Words(f"feedback/{row[0]}", *row[1:]) for row in rows]
    return found


def unsort(tx: Tx, refs: Sequence[str]) -> None:
    """Forget the use cases of these: they are made of what people wrote."""
    ids = [one.removeprefix("feedback/") for one in refs if one.startswith("feedback/")]
    for start in range(0, len(ids), _CHUNK):
        mine = (
            feedback.c.project == tx.project,
            feedback.c.id.in_(ids[start : start + _CHUNK]),
        )
        tx.conn.execute(update(feedback).where(*mine).values(use_case=""))


def old(
    tx: Tx,
    until: datetime,
    *,
    agents: Collection[str],
    subjects: Collection[str],
    turns: Select[tuple[str]],
    limit: int,
) -> list[str]:
    """Feedback from before then whose words can still be read, oldest first; without what is
    about these agents, subjects and turns, or by these people.
    """
    c = feedback.c
    readable = (
        select(keys.c.id)
        .where(
            keys.c.project == c.project,
            keys.c.of == "feedback/" + c.id,
            keys.c.sealed.is_not(None),
        )
        .exists()
    )
    held = [one.removeprefix("feedback/") for one in subjects]
    wanted = select(c.id).where(
        c.project == tx.project,
        c.at < until,
        c.agent.not_in(sorted(agents)),
        c.subject.not_in(sorted(subjects)),
        c.by.not_in(sorted(subjects)),
        c.id.not_in(sorted(held)),
        c.turn.not_in(turns),
        readable,
    )
    found = tx.conn.execute(wanted.order_by(c.id).limit(limit)).scalars()
    return [f"feedback/{one}" for one in found]
