"""What retention and erasing ask of turns and actions: whose they are, and removing old ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, or_, select

from opsroom.kit.db import Tx

from . import key_store, store, turn_store
from .model import OVER

_CHUNK = 500
_OVER = sorted(state.value for state in OVER)


@dataclass(frozen=True, slots=True)
class Whose:
    """A turn, and whom it is about."""

    id: str
    agent: str
    human: str
    subject: str
    trace: str


def before(tx: Tx, days: int) -> datetime:
    """The moment that lies so many days back."""
    return tx.now - tx.lasting(timedelta(days=days))


def turns_of(tx: Tx, *, user: str, subject: str, after: str, limit: int) -> list[Whose]:
    """Turns on behalf of a user, or about a subject (also `turn/…`, `action/…` and `trace/…`),
    in the order of their ids from behind `after`.
    """
    turns, actions = turn_store.turns.c, store.actions.c
    wanted = select(turns.id, turns.agent, turns.human, turns.subject, turns.trace).where(
        turns.project == tx.project, turns.id > after
    )
    if user:
        wanted = wanted.where(turns.human == user)
    elif subject.startswith("turn/"):
        wanted = wanted.where(turns.id == subject.removeprefix("turn/"))
    elif subject.startswith("action/"):
        of = select(actions.turn).where(
            actions.project == tx.project, actions.id == subject.removeprefix("action/")
        )
        wanted = wanted.where(turns.id.in_(of))
    elif subject.startswith("trace/"):
        wanted = wanted.where(turns.trace == subject.removeprefix("trace/"))
    else:
        wanted = wanted.where(turns.subject == subject)
    rows = tx.conn.execute(wanted.order_by(turns.id).limit(limit))
    return [Whose(*row) for row in rows]


def with_turns(tx: Tx, turn_ids: Sequence[str]) -> dict[str, str]:
    """The actions of these turns, each with its turn."""
    c, found = store.actions.c, dict[str, str]()
    for start in range(0, len(turn_ids), _CHUNK):
        wanted = select(c.id, c.turn).where(
            c.project == tx.project, c.turn.in_(turn_ids[start : start + _CHUNK])
        )
        found |= {row.id: row.turn for row in tx.conn.execute(wanted)}
    return found


def under_way(tx: Tx, turn_ids: Sequence[str]) -> set[str]:
    """Those of these turns that have actions which are not over."""
    c, found = store.actions.c, set[str]()
    for start in range(0, len(turn_ids), _CHUNK):
        wanted = select(c.turn).where(
            c.project == tx.project,
            c.turn.in_(turn_ids[start : start + _CHUNK]),
            c.state.not_in(_OVER),
        )
        found |= set(tx.conn.execute(wanted).scalars())
    return found


def last_of_traces(tx: Tx, turn_ids: Sequence[str]) -> list[str]:
    """The traces of these turns that no other turn is part of."""
    turns, found, mine = turn_store.turns.c, set[str](), set(turn_ids)
    for start in range(0, len(turn_ids), _CHUNK):
        traces = select(turns.trace).where(
            turns.project == tx.project,
            turns.id.in_(turn_ids[start : start + _CHUNK]),
            turns.trace != "",
        )
        found |= set(tx.conn.execute(traces).scalars())
    wanted = select(turns.id, turns.trace).where(turns.project == tx.project)
    for start in range(0, len(some := sorted(found)), _CHUNK):
        of = wanted.where(turns.trace.in_(some[start : start + _CHUNK]))
        found -= {row.trace for row in tx.conn.execute(of) if row.id not in mine}
    return sorted(found)


def of_turns(tx: Tx, turn_ids: Sequence[str]) -> list[str]:
    return list(with_turns(tx, turn_ids))


def old_turns(
    tx: Tx,
    until: datetime,
    *,
    agents: Collection[str],
    subjects: Collection[str],
    limit: int,
) -> list[str]:
    """Turns that ended before then, whose actions all are over since then as well, oldest
    first; without those of these agents, and those about these subjects.
    """
    turns, actions = turn_store.turns.c, store.actions.c
    lively = (
        select(actions.id)
        .where(
            actions.turn == turns.id,
            or_(
                actions.state.not_in(_OVER),
                actions.ended_at >= until,
                actions.proposed_at >= until,
            ),
        )
        .exists()
    )
    wanted = select(turns.id).where(
        turns.project == tx.project,
        turns.ended_at < until,
        turns.agent.not_in(sorted(agents)),
        turns.id.not_in(about(tx, subjects)),
        ~lively,
    )
    return list(tx.conn.execute(wanted.order_by(turns.ended_at).limit(limit)).scalars())


def about(tx: Tx, subjects: Collection[str]) -> Select[tuple[str]]:
    """The turns that are about any of these (also `turn/…`, `action/…` and `trace/…`), for a
    query.
    """
    turns, actions = turn_store.turns.c, store.actions.c
    told = sorted(subjects)
    of = select(actions.turn).where(
        actions.project == tx.project,
        actions.id.in_([one.removeprefix("action/") for one in told]),
    )
    return select(turns.id).where(
        turns.project == tx.project,
        or_(
            turns.subject.in_(told),
            turns.human.in_(told),
            turns.id.in_([one.removeprefix("turn/") for one in told]),
            turns.id.in_(of),
            turns.trace.in_(
                [one.removeprefix("trace/") for one in told if one[:6] == "trace/"]
            ),
        ),
    )


def any_about(tx: Tx, turn_ids: Sequence[str], subject: str) -> bool:
    """Whether any of these turns is about this."""
    wanted = about(tx, [subject])
    return any(
        tx.conn.execute(
            wanted.where(turn_store.turns.c.id.in_(turn_ids[start : start + _CHUNK])).limit(1)
        ).first()
        for start in range(0, len(turn_ids), _CHUNK)
    )


def remove(tx: Tx, turn_ids: Sequence[str]) -> None:
    """Remove turns, what was said in them, their actions, and the keys of these."""
    for start in range(0, len(turn_ids), _CHUNK):
        some = turn_ids[start : start + _CHUNK]
        actions = select(store.actions.c.id).where(store.actions.c.turn.in_(some))
        tx.conn.execute(delete(key_store.keys).where(key_store.keys.c.action.in_(actions)))
        tx.conn.execute(delete(store.actions).where(store.actions.c.turn.in_(some)))
        texts = turn_store.turn_texts
        tx.conn.execute(delete(texts).where(texts.c.turn.in_(some)))
        tx.conn.execute(delete(turn_store.turns).where(turn_store.turns.c.id.in_(some)))
