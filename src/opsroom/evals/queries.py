"""Reading runs and verdicts."""

from itertools import islice

from opsroom.kit.db import Tx

from . import store
from .gate import GateVerdict
from .gating import stored_verdict
from .model import EvalRun, Result

PAGE = 100

__all__ = ["PAGE", "result_page", "run", "runs", "stored_verdict", "verdicts_on"]


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
    found = [
        stored_verdict(tx, row["digest"])
        for row in store.verdicts_of(tx, candidate, limit=limit)
    ]
    return [one for one in found if one is not None]
