"""Assessing agents, prompts and the project, as of this moment."""

from collections.abc import Iterator, Sequence

from opsroom.agents import queries as retirement
from opsroom.cadence import queries as cadence
from opsroom.cadence.model import Kind
from opsroom.journal import queries as journal
from opsroom.kit.db import Tx
from opsroom.registry import Artifact
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION, Label

from . import agents, store
from .errors import NothingAssessed
from .facts import MONTH, QUARTER, Facts, gather
from .model import (
    HIGHEST,
    MOST_RECORDS,
    TITLES,
    Assessment,
    Criterion,
    Past,
    Record,
    Summary,
    assess,
)

MOST = 100  # agents, and as many prompts; what is beyond is counted
MOST_PAST = 60


def summary(tx: Tx) -> Summary:
    """Every agent that has not ended, every prompt in production, and the project."""
    facts = gather(tx)
    some = [
        one
        for one in registry.artifacts(tx, "agent", limit=MOST)
        if retirement.retired(tx, one[0].name) is None
    ]
    judged = [agents.assessed(tx, of, facts) for of, _, _ in some]
    serving = {of.ref for of, _, labels in some if _serves(labels)}
    prompts = [of for of, _, labels in _prompts(tx) if _serves(labels)]
    counts = registry.counts(tx)
    left = sum(max(counts.get(kind, 0) - MOST, 0) for kind in ("agent", "prompt"))
    return Summary(
        project=_project(tx, [one for one in judged if one.subject in serving]),
        agents=tuple(judged),
        prompts=tuple(_prompt(tx, of, facts) for of in prompts),
        at=tx.now,
        left_out=left,
    )


def assessment(tx: Tx, subject: str) -> Assessment:
    """One agent (`agent/NAME`), prompt (`prompt/NAME`) or the project (`project/NAME`).

    Raises `NothingAssessed`.
    """
    kind, _, name = subject.partition("/")
    if subject == f"project/{tx.project}":
        return summary(tx).project
    of = registry.found(tx, kind, name) if kind in {"agent", "prompt"} else None
    if of is None:
        raise NothingAssessed(subject[:200])
    facts = gather(tx)
    return agents.assessed(tx, of, facts) if kind == "agent" else _prompt(tx, of, facts)


def history(tx: Tx, subject: str) -> list[Past]:
    """How the level of a subject moved, newest first: one for each day on which it did."""
    return store.history(tx, subject, limit=MOST_PAST)


def _prompts(tx: Tx) -> list[tuple[Artifact, int, list[Label]]]:
    return registry.artifacts(tx, "prompt", limit=MOST)


def _serves(labels: Sequence[Label]) -> bool:
    return any(one.label == PRODUCTION for one in labels)


def _prompt(tx: Tx, of: Artifact, facts: Facts) -> Assessment:
    """How far a prompt has come in its life."""
    version = agents.in_production(tx, of)
    criteria = [
        *agents.known(of, version),
        *agents.measured(tx, of, version, facts),
        _reviewed(tx, of),
        agents.kept_in_time(tx, [of.ref]),
        *agents.improving(tx, of.name, [of.ref]),
    ]
    return assess(of.ref, f"/prompts/{of.name}", criteria)


def _reviewed(tx: Tx, of: Artifact) -> Criterion:
    moves = registry.label_history(tx, of.kind, of.name, PRODUCTION, limit=1)
    how = moves[0].how if moves else "not at all"
    return Criterion(
        level=3,
        name="came into production by review or release",
        met=how in {"merge", "release"},
        says=f"its last way into production: {how}",
        records=(Record(name=of.ref, page=f"/prompts/{of.name}"),),
        step="bring the next version in by a proposal that somebody else reviews",
    )


def _project(tx: Tx, serving: Sequence[Assessment]) -> Assessment:
    subject = f"project/{tx.project}"
    criteria = [*_as_weak_as(serving), *_access(tx), *_verified(tx)]
    return assess(subject, "/maturity", criteria)


def _as_weak_as(serving: Sequence[Assessment]) -> Iterator[Criterion]:
    """A project is as mature as the weakest agent that it lets work."""
    for level in range(1, HIGHEST + 1):
        below = [one for one in serving if one.level < level]
        first = below[0].next if below else None
        enough = f"all {len(serving)} agents in production are at L{level} or above"
        yield Criterion(
            level=level,
            name=f"every agent in production is {TITLES[level]}",
            met=bool(serving) and not below,
            says=f"{len(below)} of {len(serving)} are not" if below or not serving else enough,
            records=tuple(
                Record(name=one.subject, page=f"/maturity/{one.subject}")
                for one in below[:MOST_RECORDS]
            ),
            step=f"{below[0].subject}: {first.step}" if first else "register an agent",
        )


def _access(tx: Tx) -> Iterator[Criterion]:
    reviews = cadence.occasions(tx, kind=Kind.ACCESS_REVIEW, limit=MOST_RECORDS)
    kept = [one for one in reviews if one.kept and tx.now - one.due_at <= 2 * QUARTER]
    late = [one for one in reviews if one.late(tx.now)]
    yield Criterion(
        level=3,
        name="who may do what was reviewed in time",
        met=bool(kept) and not late,
        says=f"{len(kept)} reviews of access kept in half a year, {len(late)} overdue",
        records=tuple(
            Record(name=one.ref, page=f"/cadence/{one.id}") for one in (*late, *kept)
        ),
        step="close the review of access: opsroom cadence due --kind access-review",
    )


def _verified(tx: Tx) -> Iterator[Criterion]:
    found = journal.entries(tx, event="journal.verified", limit=1)
    recent = [one for one, _ in found if tx.now - one.at <= MONTH]
    yield Criterion(
        level=4,
        name="the record was verified within 30 days",
        met=bool(recent),
        says=f"verified {recent[0].at:%Y-%m-%d}" if recent else "not verified in 30 days",
        records=(Record(name="journal", page="/audit"),),
        step="verify the journal: opsroom audit verify",
    )
