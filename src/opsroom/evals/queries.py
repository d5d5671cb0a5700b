"""Reading runs and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire, adapter

from . import store
from .gate import GateVerdict
from .gating import stored_verdict
from .model import EvalRun, Result

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Wire):
    """A measurement on one case: the run, what came of the case in it, and the gates (by digest)
    that rest on the same version and dataset.
    """

    run: EvalRun
    result: Result
    gates: tuple[str, ...]


__all__ = ["PAGE", "Use", "result_page", "run", "runs", "stored_verdict", "uses", "verdicts_on"]


def run(tx: Tx, run_id: str) -> EvalRun:
    """One run, or `RunNotFound`."""
    return store.run(tx, run_id)


def runs(tx: Tx, *, before: str | None = None, limit: int = PAGE) -> list[EvalRun]:
    """Runs, newest first; go on with the last id as `before`."""
    return store.runs_page(tx, before=before, limit=limit)


def result_page(tx: Tx, run_id: str, *, start: int = 0, limit: int = PAGE) -> list[Result]:
    """Results of a run by item and trial."""
    store.run(tx, run_id)
    return list(islice(store.results_of(tx, run_id), start, start + limit))


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
