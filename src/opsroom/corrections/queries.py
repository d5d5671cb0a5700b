"""Looking at corrections: what waits, what was taught, how often, by whom, and what used it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opsroom.actions import queries as actions
from opsroom.datasets.model import TEST
from opsroom.evals import queries as evals
from opsroom.evals.queries import Use
from opsroom.evidence import Interval, Tally
from opsroom.evidence.agreement import Agreement
from opsroom.evidence.rates import clopper_pearson
from opsroom.inbox import queries as inbox
from opsroom.inbox.model import Override
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import queries as registry

from . import commands, seconds, store
from .errors import CorrectionNotFound
from .model import Correction, State

PAGE = 50
MOST = 100
SHOWN = 50
WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    """How many overrides, and how many corrections made of them, are about the same."""

    category: str
    overrides: int
    corrections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion(Wire):
    """How often people said one thing where agents had said another."""

    agent_said: str
    human_said: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfVersion(Wire):
    """Of how many turns of a version people decided otherwise in the last 30 days, with the
    exact 95 % interval of the share; None where no turn is known to have ended.
    """

    agent: str
    version: str
    corrected: int
    turns: int
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAgent(Wire):
    agent: str
    candidates: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Wire):
    """What people taught, in figures. `states` counts corrections; `seconds` is how far those
    agree who looked once more, without knowing who had said what.
    """

    states: dict[State, int]
    agents: tuple[OfAgent, ...]
    reasons: tuple[Reason, ...]
    confusion: tuple[Confusion, ...]
    versions: tuple[OfVersion, ...]
    seconds: Agreement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage(Wire):
    """Where a correction came from, and where it went: the overrides it rests on, what
    contradicts it, the versions of its dataset that hold it, and every measurement on it.
    """

    correction: Correction
    overrides: tuple[Override, ...]
    rivals: tuple[Correction, ...]
    datasets: tuple[str, ...]
    uses: tuple[Use, ...]


def correction(tx: Tx, correction_id: str) -> Correction:
    """Raises `CorrectionNotFound`."""
    found = store.correction(tx, correction_id)
    if found is None:
        raise CorrectionNotFound(correction_id)
    return found


def corrections(
    tx: Tx,
    *,
    agent: str | None = None,
    state: State | None = None,
    category: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Correction]:
    """Corrections, newest first; go on with the last id as `before`."""
    return store.page(
        tx, agent=agent, state=state, category=category, before=before, limit=limit
    )


def count(tx: Tx, state: State, *, agent: str | None = None) -> int:
    return store.counts(tx, agent=agent).get(state, 0)


def ledger(tx: Tx, *, agent: str | None = None, version: str | None = None) -> Ledger:
    """The figures of one agent, or of all. `version` (`agent/name@3`) narrows the confusion."""
    counted = store.counts(tx, agent=agent)
    return Ledger(
        states={state: counted.get(state, 0) for state in State},
        agents=tuple(
            OfAgent(agent=name, candidates=waiting, accepted=taken)
            for name, waiting, taken in store.agents(tx, limit=MOST)
        ),
        reasons=tuple(
            Reason(category=category, overrides=times, corrections=cases)
            for category, times, cases in store.reasons(tx, agent=agent, limit=SHOWN)
        ),
        confusion=tuple(
            Confusion(agent_said=one, human_said=other, times=times)
            for one, other, times in store.confusion(
                tx, agent=agent, version=version, limit=SHOWN
            )
        ),
        versions=_versions(tx, agent),
        seconds=seconds.agreed(tx, agent=agent),
    )


def lineage(tx: Tx, correction_id: str) -> Lineage:
    """Raises `CorrectionNotFound`."""
    one = correction(tx, correction_id)
    held = _holding(tx, one)
    return Lineage(
        correction=one,
        overrides=overrides(tx, one.id),
        rivals=tuple(commands.rivals(tx, one)),
        datasets=tuple(ref for ref, _ in held),
        uses=tuple(evals.uses(tx, [digest for _, digest in held], one.hash, limit=SHOWN)),
    )


def overrides(tx: Tx, correction_id: str) -> tuple[Override, ...]:
    """What a correction rests on, newest first, at most fifty."""
    return tuple(inbox.some_overrides(tx, store.overrides_of(tx, correction_id, limit=SHOWN)))


def held_out(tx: Tx, some: Sequence[Override]) -> frozenset[str]:
    """The ids of those whose question is a test: what is read off them proves nothing later.

    Corrections are made of overrides a moment after them, so one may have none yet.
    """
    known = store.of_overrides(tx, [one.id for one in some])

    def split(one: Override) -> str:
        there = known.get(one.id)
        if there is None:
            return commands.split_of_override(tx, one)
        return there.split if there.input else ""

    return frozenset(one.id for one in some if split(one) == TEST)


def why_not(tx: Tx, found: Lineage) -> str:
    """Why whoever looks cannot accept it, in words; empty where they can."""
    return commands.why_not_accepted(tx, found.correction)


def _holding(tx: Tx, one: Correction) -> Sequence[tuple[str, str]]:
    """The newest versions of its dataset, with their digests, from the one that took it in."""
    if not one.version or registry.found(tx, "dataset", one.dataset) is None:
        return ()
    versions = registry.versions(tx, "dataset", one.dataset, limit=SHOWN)
    return [
        (version.ref, version.digest)
        for version in versions
        if any(ref["id"] == one.id for ref in version.spec["items"])
    ]


def _versions(tx: Tx, agent: str | None) -> tuple[OfVersion, ...]:
    since = tx.now - WINDOW
    ended: dict[str, int] = {}
    for final in actions.finals(tx, since=since):
        ended[final.version] = ended.get(final.version, 0) + final.times
    found: list[OfVersion] = []
    for name, version, corrected in store.versions(tx, agent=agent, since=since, limit=SHOWN):
        # What is corrected may come from a turn that has not ended, or from a trace alone.
        turns = max(ended.get(version, 0), corrected) if version in ended else 0
        interval = clopper_pearson(Tally(n=turns, hits=corrected)) if turns else None
        found.append(
            OfVersion(
                agent=name, version=version, corrected=corrected, turns=turns, interval=interval
            )
        )
    return tuple(found)
