"""Deciding how long things are kept, holding what a case needs, and erasing people."""

from collections.abc import Collection, Sequence

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
    Found,
    Hold,
    Item,
    Place,
    Rules,
    Scope,
    Whom,
    check_hold,
    check_rules,
    check_whom,
    holding,
)

AT_ONCE = 5000  # turns and pieces of feedback that are erased in one transaction
START = Place()
NOTHING = Erasure(turns=0, actions=0, feedback=0, under_way=0, keys=0, done=False)


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
    told = NOTHING
    place: Place | None = START
    while place is not None:
        found = _found(tx, whom, place)
        told += _told(found, len(shredding.intact(tx, _refs(tx, found))), done=False)
        place = found.next
    return told


def erase(tx: Tx, whom: Whom, place: Place = START) -> tuple[Erasure, Place | None]:
    """Shred the words of and about somebody for good, a part from a place on: what agents did
    for them, what people answered to it, and what they said. Turns whose actions are not over
    stay. Also says where the next part begins, until there is none.

    That they were erased is on record, with the hash of who it was. Safe to repeat. Raises
    `NobodyNamed`, and `HeldBack` where a hold stands on any of the part: `look` looks at all.
    """
    _alone(tx)
    found = _found(tx, whom, place)
    refs = _refs(tx, found)
    keys = shredding.shred(tx, refs)
    # What was made of it and is searched by cannot be sealed; it goes.
    memory.remove(tx, _ids(refs))
    inbox.unsort(tx, refs)
    feedback.unsort(tx, refs)
    told = _told(found, keys, done=True)
    tx.record(
        "erasure.done",
        "retention/erasure",
        who=sha256(whom.name.encode()),
        sort="user" if whom.user else "subject",
        turns=told.turns,
        actions=told.actions,
        feedback=told.feedback,
        under_way=told.under_way,
        keys=keys,
    )
    return told, found.next


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
        gone += [f"trace/{one}" for one in actions.last_of_traces(tx, turns)]
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


def _found(tx: Tx, whom: Whom, place: Place) -> Found:
    """What is of or about somebody, a part from a place on, without turns that are under way."""
    check_whom(whom)
    turns, said = list[actions.Whose](), list[feedback.Words]()
    of = {"user": whom.user, "subject": whom.subject}
    if place.turn is not None:
        turns = actions.turns_of(tx, **of, after=place.turn, limit=AT_ONCE)
    if place.said is not None:
        said = feedback.said_by(tx, **of, after=place.said, limit=AT_ONCE)
    more = Place(
        turn=turns[-1].id if len(turns) == AT_ONCE else None,
        said=said[-1].ref.removeprefix("feedback/") if len(said) == AT_ONCE else None,
    )
    left = actions.under_way(tx, [one.id for one in turns])
    items = _worked(tx, whom, turns, left)
    said += feedback.about(tx, list(items), **of)
    for words in said:
        about = (words.by, words.subject)
        items[words.ref] = Item(ref=words.ref, agent=words.agent, about=about)
    _check_held(tx, whom, list(items.values()), said)
    stay = {f"turn/{one}" for one in left}
    return Found(
        items=tuple(
            one
            for one in items.values()
            if one.ref.startswith("feedback/")
            or (one.ref not in stay and not stay.intersection(one.about))
        ),
        under_way=len(left),
        next=None if more == Place(turn=None, said=None) else more,
    )


def _worked(
    tx: Tx, whom: Whom, turns: Sequence[actions.Whose], left: Collection[str]
) -> dict[str, Item]:
    """Turns, their actions, and their traces unless one of these turns stays."""
    by_turn = {one.id: one for one in turns}
    items: dict[str, Item] = {}

    def put(ref: str, whose: actions.Whose) -> None:
        about = (whose.human, whose.subject, f"turn/{whose.id}", f"trace/{whose.trace}")
        items[ref] = Item(ref=ref, agent=whose.agent, about=about)

    traced = {by_turn[one].trace for one in left}
    for one in turns:
        if one.trace and one.trace not in traced:
            put(f"trace/{one.trace}", one)
        put(f"turn/{one.id}", one)
    for action_id, turn_id in actions.with_turns(tx, list(by_turn)).items():
        put(f"action/{action_id}", by_turn[turn_id])
    if whom.subject.startswith("trace/") and not left and whom.subject not in items:
        items[whom.subject] = Item(ref=whom.subject, agent="", about=())
    return items


def _check_held(
    tx: Tx, whom: Whom, items: Sequence[Item], said: Sequence[feedback.Words]
) -> None:
    holds = store.standing(tx)
    for item in items or [Item(ref="", agent="", about=(whom.name,))]:
        if (held := holding(holds, item)) is not None:
            raise HeldBack(held.id, held.scope.value, held.what, held.reason)
    worked = [one.turn for one in said if one.turn]  # what the words are about may be held
    for hold in holds:
        if hold.scope is Scope.SUBJECT and actions.any_about(tx, worked, hold.what):
            raise HeldBack(hold.id, hold.scope.value, hold.what, hold.reason)


def _ids(refs: Sequence[str]) -> list[str]:
    return [one.removeprefix("action/") for one in refs if one.startswith("action/")]


def _refs(tx: Tx, found: Found) -> list[str]:
    """Everything that has a key of its own: these, and the requests about them."""
    refs = [item.ref for item in found.items]
    return [*refs, *inbox.about(tx, [one for one in refs if one.startswith("action/")])]


def _told(found: Found, keys: int, *, done: bool) -> Erasure:
    def many(sort: str) -> int:
        return sum(item.ref.startswith(sort) for item in found.items)

    return Erasure(
        turns=many("turn/"),
        actions=many("action/"),
        feedback=many("feedback/"),
        keys=keys,
        under_way=found.under_way,
        done=done,
    )


def _alone(tx: Tx) -> None:
    """Let a hold that was placed be seen by every deletion that begins after it."""
    alone(tx, [f"retention/{tx.project}"])


def _days(days: int | None) -> str:
    return "for ever" if days is None else f"for {days} days"
