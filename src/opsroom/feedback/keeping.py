"""What retention and erasing ask of feedback: whose it is, and which is old."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select, update

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


def said_by(tx: Tx, *, user: str, subject: str, after: str, limit: int) -> list[Words]:
    """Feedback of a user, or about a subject (also `feedback/…` itself), in the order of their
    ids from behind `after`.
    """
    c = feedback.c
    wanted = select(c.id, c.agent, c.by, c.subject, c.turn).where(
        c.project == tx.project, c.id > after, _said(user, subject)
    )
    rows = tx.conn.execute(wanted.order_by(c.id).limit(limit))
    return [Words(f"feedback/{row[0]}", *row[1:]) for row in rows]


def about(tx: Tx, subjects: Sequence[str], *, user: str, subject: str) -> list[Words]:
    """Feedback about these turns, their traces and actions, whoever gave it; also what a user
    said of a trace and that was joined to the turn. Without what `said_by` finds.
    """
    c, found = feedback.c, dict[str, Words]()
    for start in range(0, len(subjects), _CHUNK):
        some = subjects[start : start + _CHUNK]
        for of in (c.subject, c.about):  # each has an index; both at once have none
            wanted = select(c.id, c.agent, c.by, c.subject, c.turn).where(
                c.project == tx.project, of.in_(some), ~_said(user, subject)
            )
            for row in tx.conn.execute(wanted):
                found[row.id] = Words(f"feedback/{row.id}", *row[1:])
    return list(found.values())


def _said(user: str, subject: str) -> ColumnElement[bool]:
    c = feedback.c
    if user:
        return c.by == user
    if subject.startswith("feedback/"):
        return c.id == subject.removeprefix("feedback/")
    return c.subject == subject


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
