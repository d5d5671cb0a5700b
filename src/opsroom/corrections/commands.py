"""Making corrections of what people decided otherwise, and taking them into datasets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from opsroom.actions import queries as actions
from opsroom.actions.errors import ActionNotFound, TurnNotFound
from opsroom.agents import queries as agents
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.datasets.model import split_of
from opsroom.inbox import queries as inbox
from opsroom.inbox.errors import RequestNotFound
from opsroom.inbox.model import Override
from opsroom.inbox.overriding import IMPORTED
from opsroom.kit.canonical import digest
from opsroom.kit.db import Raced, Tx
from opsroom.kit.reasons import reason as given_reason
from opsroom.kit.wire import Wire
from opsroom.redactions.commands import cleaning
from opsroom.registry import ArtifactDraft, Criticality, Kinds, VersionDraft
from opsroom.registry import commands as registry_commands
from opsroom.registry import queries as registry
from opsroom.traces import keeping

from . import store
from .errors import CorrectionNotFound, CorrectionOver, TooMany
from .model import (
    MOST_A_DAY,
    RETIRED,
    Correction,
    Said,
    State,
    cleaned,
    content_hash,
    dataset_of,
    known_already,
    label,
    nameless,
    taught,
    unclear,
    why_not,
)

EVALUATOR = "corrected"
KEEPER = "corrections"
MOST_AT_ONCE = 500
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Wire):
    """A correction that was not accepted, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Wire):
    """What became of corrections that somebody accepted: ids, the versions of datasets that hold
    them now, and what was refused.
    """

    accepted: tuple[str, ...]
    versions: tuple[str, ...]
    refused: tuple[Refused, ...]


def take_in(tx: Tx, override_id: str) -> Correction | None:
    """Make a candidate of an override, or let it speak for the correction that says the same.

    Safe to repeat. What nothing can be learnt from, or what comes in a flood, is put into
    quarantine with the reason; None where the override was taken back before.
    """
    one = inbox.override(tx, override_id)
    known = store.correction_of(tx, override_id)
    if known is not None:
        return store.correction(tx, known)
    if one.retracted_at is not None:
        return None
    said = _said(tx, one)
    there = store.of_content(tx, one.agent, said.hash)
    if there is not None:
        return _again(tx, there, one, said)
    because = (
        said.unclear
        or nameless(one.agent)
        or (_flood(one) if said.flooded else _retired(tx, one.agent))
    )
    made = Correction(
        id=tx.ids.new("cor"),
        agent=one.agent,
        tool=one.tool,
        category=one.category,
        input=said.input,
        expected=said.expected,
        agent_said=said.agent_said,
        human_said=said.human_said,
        asked=said.asked,
        hash=said.hash,
        split=split_of(said.asked),
        state=State.QUARANTINED if because else State.CANDIDATE,
        because=because,
        people=(one.by,),
        first_at=one.at,
        last_at=one.at,
    )
    store.add(tx, made)
    store.add_said(tx, made, one, said, counted=not because)
    event = "correction.quarantined" if because else "correction.found"
    tx.record(event, made.subject, **_facts(made), override=one.id, because=because)
    return made


def split_of_override(tx: Tx, one: Override) -> str:
    """In which split an override is or will be; empty where its question is not known."""
    said = _said(tx, one)
    return "" if said.unclear else split_of(said.asked)


def take_back(tx: Tx, override_id: str, *, kinds: Kinds) -> None:
    """Let an override that was taken back teach no more; safe to repeat.

    What nobody says any more is retired, even where it had been accepted; whoever says the same
    later makes it a candidate again.
    """
    known = store.correction_of(tx, override_id)
    if known is None:
        return
    store.take_back(tx, override_id)
    was = _get(tx, known)
    now = _recounted(tx, was)
    if not now.times and was.state is not State.RETIRED:
        _retire(tx, now, "the answer was taken back", kinds=kinds)
    elif (now.times, now.people) != (was.times, was.people):
        store.save(tx, now)


def sort(tx: Tx, override_id: str) -> None:
    """Sort a correction as the override is sorted now that it rests on."""
    known = store.correction_of(tx, override_id)
    if known is not None:
        category = inbox.override(tx, override_id).category
        was = _get(tx, known)
        if was.category != category:
            store.save(tx, replace(was, category=category))


def accept(tx: Tx, ids: Sequence[str], *, kinds: Kinds) -> Accepted:
    """Take candidates into the datasets of their agents: one new version each.

    Each is accepted or refused by itself, with the reason; see `why_not`. One whose content is
    not what its hash says goes into quarantine. Raises `CorrectionNotFound`, and `TooMany` for
    more than 500 at once.
    """
    if len(ids) > MOST_AT_ONCE:
        raise TooMany(len(ids), MOST_AT_ONCE)
    refused: list[Refused] = []
    taken: dict[str, list[Correction]] = {}
    for one in (_get(tx, each) for each in dict.fromkeys(ids)):
        if why := _why_not(tx, one):
            refused.append(Refused(id=one.id, why=why))
        else:
            taken.setdefault(one.agent, []).append(one)
    accepted: list[str] = []
    versions: list[str] = []
    for agent, some in taken.items():
        # Two that contradict each other may both be among them.
        clear = [one for one in some if sum(one.asked == other.asked for other in some) == 1]
        refused += [
            Refused(id=one.id, why="it contradicts another one that is to be accepted")
            for one in some
            if one not in clear
        ]
        if not clear:
            continue
        version = _put(tx, agent, [(one, one.split) for one in clear], kinds=kinds)
        versions.append(version)
        for one in clear:
            now = _decided(tx, one, State.ACCEPTED, version=version)
            tx.record(
                "correction.accepted",
                now.subject,
                **_facts(now),
                version=version,
                split=now.split,
            )
            accepted.append(now.id)
    return Accepted(accepted=tuple(accepted), versions=tuple(versions), refused=tuple(refused))


def retire(tx: Tx, correction_id: str, *, reason: str, kinds: Kinds) -> Correction:
    """Let a correction teach no more. An accepted one stays in its dataset, in the split
    `retired`, on which nothing is measured.
    """
    why = given_reason(reason, to="retire a correction")
    was = _get(tx, correction_id)
    if was.state is State.RETIRED:
        raise CorrectionOver(was.id, was.state.value, "retired")
    return _retire(tx, was, why, kinds=kinds)


def readmit(tx: Tx, correction_id: str, *, reason: str) -> Correction:
    """Make what is in quarantine, or was retired, a candidate again.

    Raises `CorrectionOver` for others, where nothing can be learnt from it, and where nobody
    says so any more.
    """
    why = given_reason(reason, to="readmit a correction")
    was = _get(tx, correction_id)
    if was.state not in {State.QUARANTINED, State.RETIRED}:
        raise CorrectionOver(was.id, was.state.value, "made a candidate again")
    if said := unclear(was.input, was.expected) or nameless(was.agent):
        raise CorrectionOver(was.id, f"{was.state.value}: {said}", "made a candidate again")
    store.count_all(tx, was.id)
    counted = _recounted(tx, was)
    if not counted.times:
        raise CorrectionOver(was.id, "taken back by all who said so", "made a candidate again")
    now = _decided(tx, counted, State.CANDIDATE, because="")
    tx.record("correction.readmitted", now.subject, **_facts(now), because=why)
    return now


def complete(tx: Tx, correction_id: str, *, input_: Any, expected: Any) -> Correction:
    """Say what was asked, or what would have been right, of one that nobody can learn from yet.

    None leaves either as it is. What is known already is not said otherwise: that would be
    another correction, under the names of those who made this one. Raises `CorrectionOver` for
    that, for what is not in quarantine or is still unclear, and where the same correction is
    there already.
    """
    was = _get(tx, correction_id)
    with cleaning(tx, keeping.redactor(keeping.current(tx)), "corrections") as clean:
        asked = was.input if input_ is None else cleaned(input_, clean)
        right = was.expected if expected is None else cleaned(expected, clean)
    if was.state is not State.QUARANTINED:
        raise CorrectionOver(was.id, was.state.value, "completed")
    if said := known_already(was, asked, right):
        raise CorrectionOver(was.id, f"in quarantine: {said}", "completed")
    if said := unclear(asked, right) or nameless(was.agent):
        raise CorrectionOver(was.id, f"in quarantine: {said}", "completed")
    content, asked_hash = content_hash(asked, right), digest(asked)
    there = store.of_content(tx, was.agent, content)
    if there is not None and there.id != was.id:
        raise CorrectionOver(was.id, f"the same as {there.id}", "completed")
    store.count_all(tx, was.id)
    now = _decided(
        tx,
        replace(
            _recounted(tx, was),
            completed_by=tx.actor.person,
            human_said=was.human_said if right == was.expected else label(right),
            input=asked,
            expected=right,
            asked=asked_hash,
            hash=content,
            split=split_of(asked_hash),
        ),
        State.CANDIDATE,
        because="",
    )
    tx.record("correction.completed", now.subject, **_facts(now))
    return now


def _said(tx: Tx, one: Override) -> Said:
    """What an override says, without what the project takes out of its telemetry."""
    turn, version, asked = _about(tx, one)
    told = taught(one)
    with cleaning(tx, keeping.redactor(keeping.current(tx)), "corrections") as clean:
        input_, expected = cleaned(asked, clean), cleaned(told.expected, clean)
        agent_said, human_said = clean(told.agent_said), clean(told.human_said)
    unknown = unclear(input_, expected)
    # Questions that nobody knows are not the same question.
    about = {"override": one.id} if unknown else input_
    return Said(
        input=input_,
        expected=expected,
        agent_said=agent_said,
        human_said=human_said,
        asked=digest(about),
        hash=content_hash(about, expected),
        unclear=unknown,
        subject=turn or one.subject,
        version=version,
        flooded=not one.by.startswith(IMPORTED)
        and store.made_since(tx, one.agent, one.by, tx.now - DAY) >= MOST_A_DAY,
    )


def _about(tx: Tx, one: Override) -> tuple[str, str, Any]:
    """The turn that an override is about, the version that acted in it, and what was asked.

    What the override itself says goes first; then the user's words in the turn.
    """
    noun, _, name = one.subject.partition("/")
    turn_id = name if noun == "turn" else ""
    try:
        if noun == "action":
            turn_id = actions.record(tx, name).action.turn
        elif not turn_id and one.request:
            turn_id = inbox.request(tx, one.request).turn
        turn, words = actions.asked(tx, turn_id) if turn_id else (None, "")
    except (ActionNotFound, TurnNotFound, RequestNotFound):
        turn, words = None, ""
    asked = words or None if one.asked is None else one.asked
    version = one.version or (turn.version if turn else "")
    return (f"turn/{turn_id}" if turn else ""), version, asked


def _again(tx: Tx, was: Correction, one: Override, said: Said) -> Correction:
    """Let one more override speak for a correction; a flood adds nothing to it. What everybody
    had taken back is a candidate again.
    """
    counted = not said.flooded and was.state is not State.QUARANTINED
    store.add_said(tx, was, one, said, counted=counted)
    if said.flooded:
        return was
    counts = replace(_recounted(tx, was), last_at=one.at)
    if was.state is State.RETIRED and not was.times:
        now = _decided(tx, counts, State.CANDIDATE, because="")
    else:
        now = store.save(tx, counts)
    tx.record("correction.repeated", now.subject, **_facts(now), override=one.id)
    return now


def _recounted(tx: Tx, one: Correction) -> Correction:
    """`one` with how many overrides say so now, and who; those of what is in quarantine wait."""
    times, people = store.who_says(tx, one.id, waiting=one.state is State.QUARANTINED)
    return replace(one, times=times, people=people)


def _why_not(tx: Tx, one: Correction) -> str:
    if one.state is State.CANDIDATE and one.hash != content_hash(one.input, one.expected):
        because = "its content is not what its hash says"
        now = _decided(tx, one, State.QUARANTINED, because=because)
        tx.record("correction.quarantined", now.subject, **_facts(now), because=because)
        return because
    return why_not_accepted(tx, one)


def why_not_accepted(tx: Tx, one: Correction) -> str:
    """Why the acting person cannot accept a correction, in words; empty where they can."""
    return why_not(one, rivals(tx, one), tx.actor.person, grave=_acts_alone(tx, one.agent))


def rivals(tx: Tx, one: Correction) -> list[Correction]:
    """What people say otherwise of the same question, as far as it counts."""
    return [
        other
        for other in store.asked_alike(tx, one.agent, one.asked)
        if other.id != one.id and other.state in {State.CANDIDATE, State.ACCEPTED}
    ]


def _acts_alone(tx: Tx, agent: str) -> bool:
    found = registry.found(tx, "agent", agent)
    return found is not None and found.criticality is Criticality.AUTONOMOUS


def _retired(tx: Tx, agent: str) -> str:
    closed = agents.retired(tx, agent)
    return "" if closed is None else f"{agent} is retired: {closed.reason}"


def _flood(one: Override) -> str:
    return f"{one.by} corrected {one.agent} more than {MOST_A_DAY} times in a day"


def _put(tx: Tx, agent: str, some: Sequence[tuple[Correction, str]], *, kinds: Kinds) -> str:
    """Put corrections into splits of the dataset of their agent; the version that holds them.

    Raises `Raced` where somebody else made the first version meanwhile.
    """
    name = dataset_of(agent)
    items = [_item(one, split) for one, split in some]
    message = f"{len(items)} corrections by {tx.actor.name}"
    if registry.has_versions(tx, "dataset", name):
        made = datasets.revise(
            tx, name, items, kinds=kinds, message=message, source=KEEPER, keeper=KEEPER
        )
        return made.ref
    made = datasets.put(
        tx,
        name,
        items,
        kinds=kinds,
        description=f"What people corrected {agent} about; every later version has to get it right.",
        message=message,
        evaluators=(_evaluator(tx, kinds),),
        keeper=KEEPER,
    )
    if made.parent is not None:
        raise Raced
    return made.ref


def _item(one: Correction, split: str) -> Item:
    """The case; who said so is in the correction that it names, and nowhere else."""
    return Item(
        id=one.id,
        input=one.input,
        expected=one.expected,
        split=split,
        tags=(one.category,) if one.category else (),
        metadata={"correction": one.id, "answered": one.agent_said},
    )


def _evaluator(tx: Tx, kinds: Kinds) -> str:
    """The evaluator that knows what corrections expect; made with the first of them."""
    if registry.found(tx, "evaluator", EVALUATOR) is None:
        draft = ArtifactDraft(
            kind="evaluator",
            name=EVALUATOR,
            criticality=Criticality.ADVISORY,
            purpose="What people decided instead of an agent.",
        )
        registry_commands.create_artifact(tx, draft, kinds=kinds)
    spec = VersionDraft(spec={"type": "corrected"}, message="as corrections are read")
    made = registry_commands.create_version(tx, "evaluator", EVALUATOR, spec, kinds=kinds)
    return f"{EVALUATOR}@{made.number}"


def _retire(tx: Tx, was: Correction, because: str, *, kinds: Kinds) -> Correction:
    version = was.version
    if was.state is State.ACCEPTED:
        version = _put(tx, was.agent, [(was, RETIRED)], kinds=kinds)
    now = _decided(tx, was, State.RETIRED, because=because, version=version)
    tx.record("correction.retired", now.subject, **_facts(now), because=because)
    return now


def _decided(tx: Tx, was: Correction, state: State, **changes: Any) -> Correction:
    return store.save(
        tx,
        replace(was, state=state, decided_by=tx.actor.name, decided_at=tx.now, **changes),
    )


def _get(tx: Tx, correction_id: str) -> Correction:
    found = store.correction(tx, correction_id, lock=True)
    if found is None:
        raise CorrectionNotFound(correction_id)
    return found


def _facts(one: Correction) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "agent_said": one.agent_said,
        "human_said": one.human_said,
        "category": one.category,
    }
