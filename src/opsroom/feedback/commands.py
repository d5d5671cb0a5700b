"""Taking in what is said, joining it to the work it is about, and letting through what was
set aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import overload

from opsroom.actions.model import Turn
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError

from . import link_store, links, store
from .errors import (
    AgentSpeaksForOthers,
    FeedbackDiffers,
    FeedbackFlood,
    FeedbackNotFound,
    ForAnotherAgent,
    LinkRefused,
    NothingSetAside,
)
from .links import Link
from .model import (
    BY_LINK,
    LOOK_FOR,
    MOST_NAME,
    MOST_OF_ONE,
    Clean,
    Feedback,
    FeedbackDraft,
    Known,
    Refuse,
    SetAside,
    Source,
    State,
    about_of,
    admit,
    after,
    agent_behind,
    checked,
    cleaned,
    digest_of,
    next_look,
    trace_of,
    voice,
)
from .placing import Desk

AT_ONCE = 500
ABOUT_ONE = 200
LINKS = "feedback/links"


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not kept, and that was counted."""

    error: FeedbackFlood


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What somebody says, as it may be kept; `digest` is of how they wrote it."""

    draft: FeedbackDraft
    digest: str
    turn: Turn | None
    reported_by: str

    @property
    def about(self) -> str:
        return about_of(
            self.draft.source, self.draft.subject, self.turn.id if self.turn else ""
        )


def give(
    tx: Tx, draft: FeedbackDraft, *, clean: Clean, link: Link | None = None
) -> Feedback | Refused:
    """Keep what somebody says, joined to the work it is about as far as that is known.

    Safe to repeat under the same key. A voice that says too much is set aside, and at last
    refused: told by the answer and not raised, so that the count of it is kept. Raises
    `BadFeedback`, `FeedbackDiffers`, `ForAnotherAgent` for an agent that speaks of another's
    work, and `AgentSpeaksForOthers` for one that says what users or the business would.
    """
    desk = Desk(clean)
    heard = hear(tx, draft, desk=desk, link=link)
    store.hold(tx, [heard.draft])
    return keep(tx, heard, desk=desk)


def give_some(
    tx: Tx, drafts: Sequence[FeedbackDraft | OpsroomError], *, desk: Desk
) -> list[Feedback | Refused | OpsroomError]:
    """What becomes of each, by itself: what `give` says or raises. Errors stay what they are.

    All their voices are held at once, so that two who send many never wait for each other.
    """
    heard = [one if isinstance(one, OpsroomError) else _try(tx, one, desk) for one in drafts]
    store.hold(tx, (one.draft for one in heard if isinstance(one, Heard)))
    return [_try(tx, one, desk) if isinstance(one, Heard) else one for one in heard]


def hear(tx: Tx, draft: FeedbackDraft, *, desk: Desk, link: Link | None = None) -> Heard:
    """What somebody says, before it is kept: nothing is written. Raises what `give` raises, but
    for `FeedbackDiffers`.
    """
    told = digest_of(draft)
    draft = checked(draft, now=tx.now)
    if tx.actor.agent and draft.source is not Source.AGENT:
        raise AgentSpeaksForOthers(tx.actor.name, f"the {draft.source}")
    turn = desk.turn(tx, draft.subject)
    about = about_of(draft.source, draft.subject, turn.id if turn else "")
    draft = replace(draft, by=voice(draft, tx.actor, about))
    return Heard(
        draft=cleaned(draft, desk.clean, project=tx.project),
        digest=told,
        turn=turn,
        reported_by=f"{BY_LINK}{link.maker}" if link else tx.actor.name,
    )


def keep(tx: Tx, heard: Heard, *, desk: Desk) -> Feedback | Refused:
    """Keep what was heard, where its voice is held (`store.hold`); as `give` does."""
    draft = heard.draft
    if draft.key and (was := store.of_key(tx, draft.key)) is not None:
        if was.digest != heard.digest:
            raise FeedbackDiffers(was.key)
        return was
    admitted = admit(draft.source, store.heard(tx, draft.source, draft.by, heard.about))
    if isinstance(admitted, Refuse):
        store.refuse(tx, draft.by)
        return Refused(FeedbackFlood(draft.by, admitted.because))
    made = Feedback(
        **{name: getattr(draft, name) for name in FeedbackDraft.__dataclass_fields__},
        id=tx.ids.new("fbk"),
        trace=trace_of(draft.subject),
        reported_by=heard.reported_by,
        at=tx.now,
        digest=heard.digest,
    )
    made, intent = desk.placed(tx, made, heard.turn)
    _check_agent(made)
    if isinstance(admitted, SetAside):
        because = admitted.because
        made = replace(made, state=State.QUARANTINED, because=because, counts=False)
        if admitted.all_of_it:
            _set_aside(tx, made.by, because)
    store.add(tx, made, intent=intent)
    tx.record(
        "feedback.given",
        made.ref,
        about=made.subject,
        source=made.source.value,
        agent=made.agent,
        version=made.version,
        kpi=made.kpi,
        state=made.state.value,
        because=made.because,
    )
    return made


def release(tx: Tx, feedback_id: str) -> Feedback:
    """Let one piece of feedback count that was set aside. Once is enough.

    Raises `FeedbackNotFound`.
    """
    if (was := store.found(tx, feedback_id)) is None:
        raise FeedbackNotFound(feedback_id)
    _let_through(tx, [was])
    return store.found(tx, feedback_id) or was


def release_all(tx: Tx, by: str) -> int:
    """Let everything count that was set aside of one voice, up to five hundred; how much.

    Raises `NothingSetAside`.
    """
    found = store.page(tx, by=by, state=State.QUARANTINED, limit=AT_ONCE)
    if (released := _let_through(tx, found)) == 0:
        raise NothingSetAside(by)
    return released


def link(
    tx: Tx, subject: str, *, by: str, use_case: str, lasting: timedelta, clean: Clean
) -> str:
    """A signed token that lets its holder say something of `subject` as `by`, and nothing else,
    for a while. An agent makes links to its own work, and names nobody.

    Raises `BadFeedback` for what is no subject, `ForAnotherAgent` and `AgentSpeaksForOthers`.
    """
    draft = FeedbackDraft(subject=subject, by=by, use_case=use_case, text="-")
    draft = cleaned(checked(draft, now=tx.now), clean, project=tx.project)
    if tx.actor.agent and draft.by:
        raise AgentSpeaksForOthers(tx.actor.name, f"the user {draft.by!r}")
    turn = Desk(clean).turn(tx, draft.subject)
    if turn is not None and tx.actor.agent not in {"", turn.agent}:
        raise ForAnotherAgent(tx.actor.name, draft.subject, turn.agent)
    until = tx.now + tx.lasting(lasting)
    permits = Link(
        project=tx.project,
        maker=tx.actor.name,
        subject=draft.subject,
        by=draft.by,
        use_case=draft.use_case[:MOST_NAME],
        until=int(until.timestamp()),
    )
    tx.record(
        "feedback.linked", LINKS, about=permits.subject, by=permits.by, until=until.isoformat()
    )
    return links.signed(permits, link_store.key_for_signing(tx))


def revoke_links(tx: Tx) -> None:
    """Let no link that was made until now permit anything any more."""
    if link_store.renew(tx):
        tx.record("feedback.links_revoked", LINKS)


def permitted(tx: Tx, token: str) -> Link:
    """What a token of this project permits. Raises `LinkRefused`."""
    key = link_store.key(tx)
    if key is None:
        raise LinkRefused("nobody here signed it")
    return links.check(token, key, now=tx.now)


def join_turn(tx: Tx, turn: Turn, subjects: Sequence[str], *, clean: Clean) -> int:
    """Join what was said before we knew of the turn it is about, up to 200 at once; how much
    that was. `join_waiting` comes to the rest.
    """
    desk = Desk(clean, turns=dict.fromkeys(subjects, turn))
    return _join(tx, store.strangers(tx, subjects, limit=ABOUT_ONE), {}, desk=desk)


def join_waiting(
    tx: Tx, waiting: Sequence[Feedback], known: Mapping[str, Known], *, clean: Clean
) -> int:
    """Join what was said of work that is known by now, of a trace also where only telemetry
    knows it (`known`); how much that was. For the rest one looks again later.
    """
    return _join(tx, waiting, known, desk=Desk(clean))


@overload
def _try(tx: Tx, one: FeedbackDraft, desk: Desk) -> Heard | OpsroomError: ...
@overload
def _try(tx: Tx, one: Heard, desk: Desk) -> Feedback | Refused | OpsroomError: ...
def _try(
    tx: Tx, one: FeedbackDraft | Heard, desk: Desk
) -> Heard | Feedback | Refused | OpsroomError:
    try:
        if isinstance(one, FeedbackDraft):
            return hear(tx, one, desk=desk)
        with tx.part():
            return keep(tx, one, desk=desk)
    except OpsroomError as error:
        return error


def _join(tx: Tx, found: Sequence[Feedback], known: Mapping[str, Known], *, desk: Desk) -> int:
    store.hold(tx, found)
    joined = 0
    for was in store.those(tx, [one.id for one in found]):  # as it is, now that it is held
        if was.joined:
            continue
        turn = desk.turn(tx, was.subject)
        if turn is not None:
            now, intent = desk.placed(tx, was, turn)
        elif was.trace in known:
            now, intent = after(was, known[was.trace], use_case=""), ""
        else:
            patience = tx.lasting(LOOK_FOR)
            store.look_again(tx, was.id, next_look(was.at, now=tx.now, patience=patience))
            continue
        _write_joined(tx, now, intent=intent)
        joined += 1
    return joined


def _write_joined(tx: Tx, now: Feedback, *, intent: str) -> None:
    """What one agent reported of another's work is set aside."""
    reporter = agent_behind(now.reported_by)
    if reporter not in {"", now.agent}:
        why = f"{reporter} reported it of the work of {now.agent}"
        now = replace(now, state=State.QUARANTINED, because=why, counts=False)
    store.join(tx, now, intent=intent)
    tx.record("feedback.joined", now.ref, about=now.subject, agent=now.agent)


def _check_agent(made: Feedback) -> None:
    if agent_behind(made.reported_by) not in {"", made.agent} and made.agent:
        raise ForAnotherAgent(made.reported_by, made.subject, made.agent)


def _set_aside(tx: Tx, by: str, why: str) -> None:
    """What a flood began with is part of it."""
    if moved := store.set_aside(tx, by, because=why, limit=MOST_OF_ONE):
        tx.record(
            "feedback.flooded", "feedback/quarantine", by=by, because=why, set_aside=moved
        )


def _let_through(tx: Tx, found: Sequence[Feedback]) -> int:
    store.hold(tx, found)
    aside = [
        one
        for one in store.those(tx, [one.id for one in found])
        if one.state is State.QUARANTINED
    ]
    store.let_through(tx, aside, by=tx.actor.person)
    for one in aside:
        tx.record("feedback.released", one.ref, about=one.subject, because=one.because)
    return len(aside)
