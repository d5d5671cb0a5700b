"""Deciding how long things are kept, holding what a case needs, and erasing people."""

from collections.abc import Sequence

from opsroom.actions import keeping as actions
from opsroom.approvals import commands as approvals
from opsroom.feedback import keeping as feedback
from opsroom.inbox import forgetting as inbox
from opsroom.kit import shredding
from opsroom.kit.canonical import sha256
from opsroom.kit.db import Tx, alone
from opsroom.kit.reasons import reason
from opsroom.memory import keeping as memory

from . import store
from .errors import HeldBack, HoldNotFound
from .model import (
    Erasure,
    Hold,
    Item,
    Rules,
    Scope,
    Whom,
    check_hold,
    check_rules,
    check_whom,
    holding,
)

MOST = 5000  # turns and pieces of feedback that are erased in one go


def set_rules(tx: Tx, new: Rules) -> Rules:
    """Keep things so long from now on. Raises `KeptTooShort`; the same again is no change."""
    check_rules(new)
    was = store.rules(tx)
    if new != was:
        store.set_rules(tx, new)
        tx.record(
            "retention.rules_set",
            "retention/rules",
            actions=_days(new.action_days),
            feedback=_days(new.feedback_days),
            before={"actions": was.action_days, "feedback": was.feedback_days},
        )
    return new


def hold(tx: Tx, scope: Scope, what: str, *, why: str) -> Hold:
    """Keep this from every deletion until it is released.

    Raises `NothingToHold` and `ReasonMissing`.
    """
    check_hold(scope, what)
    why = reason(why, to="place a hold")
    _alone(tx)  # a round or an erasure that has begun ends first
    placed = Hold(
        id=tx.ids.new("hld"),
        scope=scope,
        what=what,
        reason=why,
        placed_by=tx.actor.name,
        placed_at=tx.now,
    )
    store.add(tx, placed)
    tx.record("hold.placed", f"hold/{placed.id}", scope=scope.value, what=what, reason=why)
    return placed


def release(tx: Tx, hold_id: str, *, because: str) -> None:
    """End a hold; what was kept by it alone goes with the next round. Raises `HoldNotFound`."""
    because = reason(because, to="release a hold")
    if not store.release(tx, hold_id, because=because):
        raise HoldNotFound(hold_id)
    tx.record("hold.released", f"hold/{hold_id}", because=because)


def look(tx: Tx, whom: Whom) -> Erasure:
    """What erasing somebody would find. Raises `NobodyNamed`, and `HeldBack`."""
    found, more = _found(tx, whom)
    keys = len(shredding.intact(tx, _refs(tx, found)))
    return _told(found, keys, done=False, more=more)


def erase(tx: Tx, whom: Whom) -> Erasure:
    """Shred the words of and about somebody for good: what agents did for them, what people
    answered to it, and what they said. All of it, or nothing where a hold stands.

    That they were erased is on record, with the hash of who it was. Safe to repeat. Raises
    `NobodyNamed`, and `HeldBack`.
    """
    _alone(tx)
    found, more = _found(tx, whom)
    refs = _refs(tx, found)
    keys = shredding.shred(tx, refs)
    # What was made of it and is searched by cannot be sealed; it goes.
    memory.remove(tx, _ids(refs))
    inbox.unsort(tx, refs)
    feedback.unsort(tx, refs)
    told = _told(found, keys, done=True, more=more)
    tx.record(
        "erasure.done",
        "retention/erasure",
        who=sha256(whom.name.encode()),
        sort="user" if whom.user else "subject",
        turns=told.turns,
        actions=told.actions,
        feedback=told.feedback,
        keys=keys,
    )
    return told


def remove_old(tx: Tx, *, limit: int) -> int:
    """Remove what was kept long enough and nobody holds, oldest first; how much it was.

    Actions go with their turns once all of these are over, and with the requests and approvals
    about them; of feedback the words go, since figures count the rest.
    """
    _alone(tx)
    rules, holds = store.rules(tx), store.standing(tx)
    if any(one.scope is Scope.PROJECT for one in holds):
        return 0
    agents = frozenset(one.what for one in holds if one.scope is Scope.AGENT)
    subjects = frozenset(one.what for one in holds if one.scope is Scope.SUBJECT)
    turns: Sequence[str] = ()
    gone: Sequence[str] = ()
    words: Sequence[str] = ()
    if rules.action_days is not None:
        until = actions.before(tx, rules.action_days)
        turns = actions.old_turns(tx, until, agents=agents, subjects=subjects, limit=limit)
        gone = [f"action/{one}" for one in actions.of_turns(tx, turns)]
        requests = inbox.about(tx, gone)
        inbox.remove(tx, gone)
        approvals.remove(tx, [*gone, *requests])
        memory.remove(tx, _ids(gone))
        actions.remove(tx, turns)
        gone = [*gone, *requests]
    if rules.feedback_days is not None:
        until = actions.before(tx, rules.feedback_days)
        words = feedback.old(
            tx,
            until,
            agents=agents,
            subjects=subjects,
            turns=actions.about(tx, subjects),
            limit=limit,
        )
    keys = shredding.shred(tx, [*(f"turn/{one}" for one in turns), *gone, *words])
    if turns or keys:
        tx.record(
            "retention.applied",
            "retention/rules",
            turns=len(turns),
            actions=sum(one.startswith("action/") for one in gone),
            feedback=len(words),
            keys=keys,
        )
    return len(turns) + len(words)


def _found(tx: Tx, whom: Whom) -> tuple[list[Item], bool]:
    """All that is of or about somebody, and whether there is more than one go takes."""
    check_whom(whom)
    turns = actions.turns_of(tx, user=whom.user, subject=whom.subject, limit=MOST + 1)
    said = feedback.said_by(tx, user=whom.user, subject=whom.subject, limit=MOST + 1)
    more = len(turns) > MOST or len(said) > MOST
    found = [
        Item(ref=f"turn/{one.id}", agent=one.agent, about=(one.human, one.subject))
        for one in turns[:MOST]
    ]
    by_turn = {one.id: one for one in turns[:MOST]}
    for action_id, turn_id in actions.with_turns(tx, list(by_turn)).items():
        of = by_turn[turn_id]
        about = (of.human, of.subject, f"turn/{turn_id}")
        found.append(Item(ref=f"action/{action_id}", agent=of.agent, about=about))
    said += feedback.about(tx, [item.ref for item in found], limit=MOST)
    found += [
        Item(ref=one.ref, agent=one.agent, about=(one.by, one.subject))
        for one in {one.ref: one for one in said}.values()
    ]
    holds = store.standing(tx)
    for item in found or [Item(ref="", agent="", about=(whom.name,))]:
        if (held := holding(holds, item)) is not None:
            raise HeldBack(held.id, held.scope.value, held.what, held.reason)
    worked = [one.turn for one in said if one.turn]  # what the words are about may be held
    for hold in holds:
        if hold.scope is Scope.SUBJECT and actions.any_about(tx, worked, hold.what):
            raise HeldBack(hold.id, hold.scope.value, hold.what, hold.reason)
    return found, more


def _ids(refs: Sequence[str]) -> list[str]:
    return [one.removeprefix("action/") for one in refs if one.startswith("action/")]


def _refs(tx: Tx, found: Sequence[Item]) -> list[str]:
    """Everything that has a key of its own: these, and the requests about them."""
    refs = [item.ref for item in found]
    return [*refs, *inbox.about(tx, [one for one in refs if one.startswith("action/")])]


def _told(found: Sequence[Item], keys: int, *, done: bool, more: bool) -> Erasure:
    def many(sort: str) -> int:
        return sum(item.ref.startswith(sort) for item in found)

    return Erasure(
        turns=many("turn/"),
        actions=many("action/"),
        feedback=many("feedback/"),
        keys=keys,
        done=done,
        more=more,
    )


def _alone(tx: Tx) -> None:
    """Let a hold that was placed be seen by every deletion that begins after it."""
    alone(tx, [f"retention/{tx.project}"])


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"for {days} days"
