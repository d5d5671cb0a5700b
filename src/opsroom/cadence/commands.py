"""What people do with occasions: begin, attach, move, close; and what the project chooses.

Beginning collects the evidence, closing takes an answer to every question. Both are done by
people; what follows from an answer (a token revoked, a search started) is in the same
transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opsroom.access import MayNot
from opsroom.access.model import fingerprint
from opsroom.agents import queries as agents
from opsroom.corrections.model import dataset_of
from opsroom.improvement import commands as improvement
from opsroom.improvement import queries as improvements
from opsroom.improvement.model import OVER, Budget, Method, Plan
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.reasons import reason as given_reason
from opsroom.kit.wire import Wire, plain
from opsroom.registry import Kinds
from opsroom.registry import queries as registry

from . import collecting, planning, records, reviewing, store
from .errors import NothingToLearnFrom, NotNow, OccasionNotFound, PeopleJudge, StillSearching
from .looking import Work
from .model import (
    LIVE,
    MOST_TEXT,
    QUESTIONS,
    Answer,
    Exhibit,
    Kind,
    Move,
    Occasion,
    Settings,
    State,
    Verdict,
    check_answers,
    check_move,
    check_settings,
)

FEED = "ocf_"
MOST_CALLS = 2_000
# What beginning does takes elsewhere, beside `review`.
ALSO_NEEDED: Mapping[Kind, str] = {
    Kind.OPTIMISATION: "author",
    Kind.JUDGE_CALIBRATION: "author",
    Kind.CONTRACT_TESTS: "operate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Wire):
    """What an optimisation looks on and with; what is empty is taken from what is known: the
    corrections of the prompt's agent, and the agent's model.
    """

    dataset: str = ""
    model: str = ""
    method: Method = Method.EXAMPLES
    max_calls: int = MOST_CALLS


def claim(tx: Tx, occasion_id: str) -> Occasion:
    """Take an occasion on before what beginning it takes and costs, so that nobody else does.
    `start` it with this, or `release` it; after an hour somebody else may.

    Raises `OccasionNotFound`, `NotNow`, `PeopleJudge`, `MayNot`.
    """
    found = _beginnable(tx, occasion_id, None)
    return store.save(tx, replace(found, started_at=tx.now, started_by=tx.actor.name))


def release(tx: Tx, claimed: Occasion) -> None:
    """Let others begin what was not begun after all."""
    found = store.occasion(tx, claimed.id, lock=True)
    if found is not None and found.state is State.OPEN and _same_claim(found, claimed):
        store.save(tx, replace(found, started_at=None, started_by=""))


def start(
    tx: Tx,
    occasion_id: str,
    *,
    kinds: Kinds,
    work: Sequence[Work] | None = None,
    search: Search | None = None,
    beside: Sequence[Exhibit] = (),
    claimed: Occasion | None = None,
) -> Occasion:
    """Begin an occasion: its evidence is collected, with what is known `beside` it, and an
    optimisation starts its search. Who `claimed` it before says so.

    Raises `OccasionNotFound`, `NotNow`, `PeopleJudge`, `MayNot`, `NothingToLearnFrom`, and what
    starting a search raises.
    """
    was = _beginnable(tx, occasion_id, claimed)
    evidence = collecting.collect(tx, was, kinds=kinds, work=work)
    questions = QUESTIONS.get(was.kind, ())
    if was.kind is Kind.ACCESS_REVIEW:
        parts = store.of_period(tx, was.kind, was.period, limit=reviewing.MOST_PARTS)
        evidence = reviewing.identities(tx, asked={q for one in parts for q in one.questions})
        if reviewing.goes_on(evidence):
            planning.come_up_again(tx, was, part=len(parts) + 1)
        questions = tuple(one.about for one in evidence if one.about)
    elif was.kind is Kind.OPTIMISATION:
        plan = _plan(tx, was, search or Search(), kinds=kinds)
        evidence = (*evidence, records.find(tx, improvement.start(tx, plan).subject))
    now = replace(
        was,
        state=State.STARTED,
        started_at=tx.now,
        started_by=tx.actor.name,
        owner=was.owner or tx.actor.name,
        questions=questions,
    ).with_evidence((*beside, *evidence))
    saved = store.save(tx, now)
    _record(tx, "cadence.started", saved, evidence=_public(saved))
    return saved


def attach(tx: Tx, occasion_id: str, record: str, *, note: str = "") -> Occasion:
    """Add a record of this project as it is now. Raises `NoSuchRecord`, `NotNow`."""
    was = _held(tx, occasion_id, "added to", *LIVE)
    one = records.find(tx, record, says=note.strip()[:MOST_TEXT])
    saved = store.save(tx, was.with_evidence([one]))
    _record(tx, "cadence.attached", saved, record=one.record, digest=one.digest)
    return saved


def close(tx: Tx, occasion_id: str, *, answers: Mapping[str, Answer], note: str) -> Occasion:
    """End an occasion with an answer to each question and a sentence about the whole.

    An access that is not confirmed is taken away. Raises `NotNow` unless it was begun,
    `Unanswered`, `ReasonMissing`, `PeopleJudge`, `MayNot`, `OwnAccess`, `StillSearching`.
    """
    why = given_reason(note, to="close an occasion")[:MOST_TEXT]
    was = _held(tx, occasion_id, "closed", State.STARTED)
    _check_may(tx, was)
    check_answers(was, answers)
    if was.kind is Kind.ACCESS_REVIEW:
        reviewing.carry_out(tx, answers)
    elif was.kind is Kind.OPTIMISATION:
        was = _with_result(tx, was)
    saved = store.save(
        tx,
        replace(
            was,
            state=State.CLOSED,
            answers=dict(answers),
            note=why,
            closed_at=tx.now,
            closed_by=tx.actor.name,
        ),
    )
    acts = [one for one, answer in answers.items() if answer.verdict is Verdict.ACT]
    _record(
        tx,
        "cadence.closed",
        saved,
        how="in time" if saved.kept else "late",
        act=acts if was.kind is not Kind.ACCESS_REVIEW else [],
        acts=len(acts),
        because=why,
    )
    return saved


def reschedule(tx: Tx, occasion_id: str, *, to: datetime, because: str) -> Occasion:
    """Let it be due at another time, saying why. What was overdue stays late.

    Raises `BadDate`, `NotNow`, `ReasonMissing`, `PeopleJudge`.
    """
    why = given_reason(because, to="move an occasion")[:MOST_TEXT]
    was = _held(tx, occasion_id, "moved", *LIVE)
    _check_person(tx)
    check_move(was, to, now=tx.now)
    moved = Move(before=was.due_at, after=to, at=tx.now, by=tx.actor.name, because=why)
    saved = store.save(tx, replace(was, due_at=to, remind_at=to, moves=(*was.moves, moved)))
    _record(tx, "cadence.rescheduled", saved, before=f"{was.due_at:%Y-%m-%d}", because=why)
    return saved


def set_settings(tx: Tx, new: Settings) -> Settings:
    """Say which occasions this project has; it holds from the next look on, within the hour.

    Raises `BadCadence`.
    """
    check_settings(new)
    was = store.settings(tx)
    store.save_settings(tx, new)
    subject = f"project/{tx.project}"
    tx.record("cadence.settings_set", subject, before=plain(was), after=plain(new))
    return new


def make_feed(tx: Tx) -> str:
    """A secret under which the person's calendar can be read; the one before it is gone."""
    _check_person(tx)
    secret = FEED + secrets.token_hex(24)
    store.renew_feed(tx, fingerprint(secret), tx.actor.name)
    tx.record("cadence.feed_made", f"user/{tx.actor.name}")
    return secret


def _plan(tx: Tx, occasion: Occasion, search: Search, *, kinds: Kinds) -> Plan:
    """The search of an optimisation. It sees the splits to learn from and to choose by; the
    third is held out for the gate.
    """
    name = occasion.about
    agent = next(iter(collecting.citing(tx, name, kinds=kinds)), None)
    dataset = search.dataset or next(iter(_learned(tx, name, agent)), "")
    model = search.model or (_model(tx, agent) if agent else "")
    if not dataset or not model:
        raise NothingToLearnFrom(occasion.subject)
    return Plan(
        target=occasion.subject,
        method=search.method,
        dataset=dataset,
        model=model,
        budget=Budget(max_calls=search.max_calls),
    )


def _learned(tx: Tx, prompt: str, agent: str | None) -> list[str]:
    names = [dataset_of(one) for one in dict.fromkeys((agent or prompt, prompt))]
    return [one for one in names if registry.has_versions(tx, "dataset", one)]


def _model(tx: Tx, agent: str) -> str:
    try:
        return agents.manifest(tx, agent).spec.model.model
    except OpsroomError:
        return ""


def _with_result(tx: Tx, occasion: Occasion) -> Occasion:
    """With what the search came to, which has to be over."""
    found = [one.record for one in occasion.evidence if one.record.startswith("improvement/")]
    for record in dict.fromkeys(found):
        search = improvements.improvement(tx, record.partition("/")[2])
        if search.state not in OVER:
            raise StillSearching(record, search.state.value)
        occasion = occasion.with_evidence([records.find(tx, record)])
    return occasion


def _held(tx: Tx, occasion_id: str, wanted: str, *states: State) -> Occasion:
    found = store.occasion(tx, occasion_id, lock=True)
    if found is None:
        raise OccasionNotFound(occasion_id)
    if found.state not in states:
        raise NotNow(occasion_id, found.state.value, wanted)
    return found


def _beginnable(tx: Tx, occasion_id: str, claimed: Occasion | None) -> Occasion:
    found = _held(tx, occasion_id, "started", State.OPEN)
    _check_may(tx, found)
    if found.beginning(tx.now) and not (claimed and _same_claim(found, claimed)):
        raise NotNow(occasion_id, f"being started by {found.started_by}", "started")
    return found


def _same_claim(one: Occasion, claimed: Occasion) -> bool:
    return (one.started_at, one.started_by) == (claimed.started_at, claimed.started_by)


def _check_may(tx: Tx, occasion: Occasion) -> None:
    _check_person(tx)
    if occasion.kind is Kind.ACCESS_REVIEW:
        reviewing.check_may(tx)
    needed = ALSO_NEEDED.get(occasion.kind)
    if needed is not None and needed not in tx.actor.may:
        raise MayNot(tx.actor.name, needed)


def _check_person(tx: Tx) -> None:
    if not tx.actor.human:
        raise PeopleJudge(tx.actor.name)


def _public(occasion: Occasion) -> list[dict[str, str]]:
    """What the journal keeps of evidence: names and digests, no words."""
    return [{"record": one.record, "digest": one.digest} for one in occasion.evidence]


def _record(tx: Tx, event: str, occasion: Occasion, /, **facts: object) -> None:
    tx.record(
        event,
        occasion.ref,
        title=occasion.title,
        kind=occasion.kind.value,
        about=occasion.subject,
        due=f"{occasion.due_at:%Y-%m-%d}",
        owner=occasion.owner,
        **facts,
    )
