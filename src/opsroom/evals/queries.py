"""Reading runs and verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire, adapter

from . import store
from .gate import GateVerdict
from .gating import stored_verdict
from .model import EvalRun, Result, ResultKey

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Wire):
    """A measurement on one case: the run, what came of the case in it, and the gates (by digest)
    that rest on the same version and dataset.
    """

    run: EvalRun
    result: Result
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How many runs of a version came out well, and how many verdicts of the gate let it pass."""

    runs: int = 0
    passes: int = 0


__all__ = [
    "PAGE",
    "Proof",
    "Use",
    "first_trials",
    "proofs",
    "result_page",
    "run",
    "runs",
    "runs_between",
    "stored_verdict",
    "uses",
    "verdicts_on",
]


def run(tx: Tx, run_id: str) -> EvalRun:
    """One run, or `RunNotFound`."""
    return store.run(tx, run_id)


def runs(tx: Tx, *, before: str | None = None, limit: int = PAGE) -> list[EvalRun]:
    """Runs, newest first; go on with the last id as `before`."""
    return store.runs_page(tx, before=before, limit=limit)


def runs_between(tx: Tx, *, since: datetime, until: datetime, limit: int) -> list[EvalRun]:
    """Runs that were begun in this time and came out well, newest first."""
    return store.runs_between(tx, since, until, limit=limit)


def first_trials(tx: Tx, run_id: str, *, limit: int) -> Iterator[Result]:
    """What came of the first trial of cases of a run of this project, at most so many, as a
    stream.
    """
    store.run(tx, run_id)
    return store.results_of(tx, run_id, first=True, limit=limit)


def proofs(tx: Tx, subjects: Sequence[str]) -> dict[str, Proof]:
    """What there is of versions (some hundreds of digests); those without any are not there."""
    runs, passes = store.runs_of(tx, subjects), store.passes_of(tx, subjects)
    return {
        one: Proof(runs=runs.get(one, 0), passes=passes.get(one, 0))
        for one in (*runs, *(each for each in passes if each not in runs))
    }


def result_page(
    tx: Tx, run_id: str, *, after: ResultKey | None = None, limit: int = PAGE
) -> list[Result]:
    """Results of a run by item and trial; go on with the key of the last."""
    store.run(tx, run_id)
    return list(store.results_of(tx, run_id, after=after, limit=limit))


def verdicts_on(tx: Tx, candidate: str, *, limit: int = 20) -> list[GateVerdict]:
    """What the gate said of a version (by digest), newest first."""
    shape = adapter(GateVerdict)
    rows = store.verdicts_of(tx, candidate, limit=limit)
    return [shape.validate_json(row["verdict"]) for row in rows]


def uses(tx: Tx, datasets: Sequence[str], item: str, *, limit: int = PAGE) -> list[Use]:
    """Every measurement of a case (by content hash) in versions of datasets (by digest), newest
    first, at most `limit`.
    """
    runs = store.runs_on(tx, datasets, limit=limit)
    results = store.first_results(tx, [one.id for one in runs], item)
    measured = [one for one in runs if one.id in results]
    verdicts = {each: verdicts_on(tx, each) for each in {one.subject for one in measured}}
    return [
        Use(
            run=one,
            result=results[one.id],
            gates=tuple(
                verdict.digest
                for verdict in verdicts[one.subject]
                if verdict.evidence.candidate.dataset == one.dataset
            ),
        )
        for one in measured
    ]
