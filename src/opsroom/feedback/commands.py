"""Taking in what is said, joining it to the work it is about, and letting through what was
set aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsroom.actions import queries as actions
from opsroom.actions.model import Turn
from opsroom.inbox import categories
from opsroom.kit.db import Tx

from . import links, store
from .errors import (
    FeedbackDiffers,
    FeedbackFlood,
    FeedbackNotFound,
    ForAnotherAgent,
    LinkRefused,
    NothingSetAside,
)
from .links import Link
from .model import (
    MOST_NAME,
    MOST_OF_ONE,
    Clean,
    Feedback,
    FeedbackDraft,
    Known,
    Refuse,
    SetAside,
    State,
    admit,
    after,
    checked,
    cleaned,
    digest_of,
    trace_of,
    voice,
)

MOST_INTENT = 200
COMPARED = 300
AT_ONCE = 500
ABOUT_ONE = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not kept, and that was counted."""

    error: FeedbackFlood


def give(tx: Tx, draft: FeedbackDraft, *, clean: Clean) -> Feedback | Refused:
    """Keep what somebody says, joined to the work it is about as far as that is known.

    Safe to repeat under the same key. A voice that says too much is set aside, and at last
    refused: told by the answer and not raised, so that the count of it is kept. Raises
    `BadFeedback`, `FeedbackDiffers`, and `ForAnotherAgent` for an agent that speaks of
    another's work.
    """
    told = digest_of(draft)
    key = draft.key.strip()
    if key and (was := store.of_key(tx, key)) is not None:
        if was.digest != told:
            raise FeedbackDiffers(was.key)
        return was
    draft = checked(draft, now=tx.now)
    draft = replace(draft, by=voice(draft, tx.actor.name, human=tx.actor.human))
    draft = cleaned(draft, clean, project=tx.project)
    admitted = admit(draft.source, store.heard(tx, draft.source, draft.by, draft.subject))
    if isinstance(admitted, Refuse):
        store.refuse(tx, draft.by)
        return Refused(FeedbackFlood(draft.by, admitted.because))
    made = Feedback(
        **{name: getattr(draft, name) for name in FeedbackDraft.__dataclass_fields__},
        id=tx.ids.new("fbk"),
        trace=trace_of(draft.subject),
        reported_by=tx.actor.name,
        at=tx.now,
        digest=told,
    )
    made, intent = _placed(tx, made, clean=clean)
    _check_agent(tx, made)
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
    was = store.found(tx, feedback_id)
    if was is None:
        raise FeedbackNotFound(feedback_id)
    if was.state is State.QUARANTINED:
        _let_through(tx, [was])
    return store.found(tx, feedback_id) or was


def release_all(tx: Tx, by: str) -> int:
    """Let everything count that was set aside of one voice, up to five hundred; how much.

    Raises `NothingSetAside`.
    """
    found = store.page(tx, by=by, state=State.QUARANTINED, limit=AT_ONCE)
    if not found:
        raise NothingSetAside(by)
    _let_through(tx, found)
    return len(found)


def link(tx: Tx, subject: str, *, by: str, use_case: str, lasting: timedelta) -> str:
    """A signed token that lets its holder say something of `subject` as `by`, and nothing else,
    for a while. Raises `BadFeedback` for what is no subject.
    """
    checked(FeedbackDraft(subject=subject, by=by, text="-"), now=tx.now)
    if (key := store.link_key(tx)) is None:
        store.keep_link_key(tx, links.new_key())
        key = store.link_key(tx)
        assert key is not None
    permits = Link(
        project=tx.project,
        subject=subject,
        by=by,
        use_case=use_case[:MOST_NAME],
        until=int((tx.now + tx.lasting(lasting)).timestamp()),
    )
    return links.signed(permits, key)


def permitted(tx: Tx, token: str) -> Link:
    """What a token of this project permits. Raises `LinkRefused`."""
    key = store.link_key(tx)
    if key is None:
        raise LinkRefused("nobody here signed it")
    return links.check(token, key, now=tx.now)


def join_later(tx: Tx, turn: Turn, subjects: Sequence[str], *, clean: Clean) -> int:
    """Join what was said before we knew of the turn it is about; how much that was."""
    found = store.strangers(tx, subjects, limit=ABOUT_ONE)
    for was in found:
        now, intent = _of_turn(tx, was, turn, clean=clean)
        _join(tx, now, intent=intent)
    return len(found)


def join_traced(tx: Tx, known: Mapping[str, Known]) -> int:
    """Join what was said of traces that telemetry knows of by now; how much that was."""
    found = store.strangers(tx, [f"trace/{one}" for one in known], limit=AT_ONCE)
    for was in found:
        _join(tx, after(was, known[was.trace], use_case=""), intent="")
    return len(found)


def _join(tx: Tx, now: Feedback, *, intent: str) -> None:
    """What one agent reported of another's work is set aside."""
    reporter = now.reported_by.removeprefix("agent:")
    if reporter not in {now.reported_by, now.agent}:
        why = f"{reporter} reported it of the work of {now.agent}"
        now = replace(now, state=State.QUARANTINED, because=why, counts=False)
    store.join(tx, now, intent=intent)
    tx.record("feedback.joined", now.ref, about=now.subject, agent=now.agent)


def _placed(tx: Tx, made: Feedback, *, clean: Clean) -> tuple[Feedback, str]:
    """The feedback with what is known of its subject, and the intent of the turn."""
    turn = actions.turn_about(tx, made.subject)
    if turn is not None:
        return _of_turn(tx, made, turn, clean=clean)
    version = made.version.removeprefix("agent/")
    return replace(made, version=version, agent=made.agent or version.partition("@")[0]), ""


def _of_turn(tx: Tx, made: Feedback, turn: Turn, *, clean: Clean) -> tuple[Feedback, str]:
    intent = clean(turn.intent.replace("\0", ""))[:MOST_INTENT]
    use_case = made.use_case
    if not use_case and intent:
        use_case = categories.suggest(intent, store.intents(tx, limit=COMPARED))[:MOST_NAME]
    known = Known(
        agent=turn.agent,
        version=turn.version.removeprefix("agent/"),
        environment=turn.environment,
        release=turn.release,
        arm=turn.arm,
        turn=turn.id,
        trace=turn.trace,
    )
    return after(made, known, use_case=use_case), intent


def _check_agent(tx: Tx, made: Feedback) -> None:
    mine = tx.actor.agent
    if mine and made.agent not in {"", mine}:
        raise ForAnotherAgent(tx.actor.name, made.subject, made.agent)


def _set_aside(tx: Tx, by: str, why: str) -> None:
    """What a flood began with is part of it."""
    if moved := store.set_aside(tx, by, because=why, limit=MOST_OF_ONE):
        tx.record(
            "feedback.flooded", "feedback/quarantine", by=by, because=why, set_aside=moved
        )


def _let_through(tx: Tx, found: Sequence[Feedback]) -> None:
    store.let_through(tx, found, by=tx.actor.person)
    for one in found:
        tx.record("feedback.released", one.ref, about=one.subject, because=one.because)
