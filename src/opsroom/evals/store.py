"""Evaluation runs, their results, and gate verdicts in the database."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    tuple_,
    update,
)

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx, Utc, insert_missing, metadata
from opsroom.kit.ids import earliest
from opsroom.kit.wire import adapter, plain

from .calibration import Calibration
from .errors import RunMoved, RunNotFound
from .gate import Outcome
from .model import EvalRun, Result, ResultKey, RunState

runs = Table(
    "eval_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("subject", String(64), nullable=False),
    Column("subject_name", String, nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("dataset_name", String, nullable=False),
    Column("evaluators", String(64), nullable=False),
    Column("specs", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("split", String, nullable=False),
    Column("variant", String, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("source", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("totals", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("started_at", Utc),
    Column("finished_at", Utc),
    Index("ix_eval_runs_subject", "project", "subject", "dataset", "evaluators"),
    Index("ix_eval_runs_dataset", "project", "dataset", "id"),
)

results = Table(
    "eval_results",
    metadata,
    Column("run_id", String, ForeignKey("eval_runs.id"), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("result", Text, nullable=False),
)

verdicts = Table(
    "gate_verdicts",
    metadata,
    Column("project", String, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("baseline", String(64), nullable=False),
    Column("candidate", String(64), nullable=False),
    Column("state", String, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", String, nullable=False),
    Index("ix_gate_verdicts_candidate", "project", "candidate", "at"),
)

calibrations = Table(
    "judge_calibrations",
    metadata,
    Column("project", String, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("evaluator_name", String, nullable=False),
    Column("evaluator", String(64), nullable=False),
    Column("calibration", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_judge_calibrations_judge", "project", "evaluator_name", "at"),
)


def add_run(tx: Tx, run: EvalRun, specs: list[dict[str, Any]], source: str) -> None:
    tx.conn.execute(
        insert(runs).values(
            id=run.id, project=tx.project, specs=specs, source=source, **_row(run)
        )
    )


def run(tx: Tx, run_id: str) -> EvalRun:
    wanted = select(runs).where(runs.c.project == tx.project, runs.c.id == run_id)
    row = tx.conn.execute(wanted).mappings().first()
    if row is None:
        raise RunNotFound(run_id)
    return read_run(row)


def specs_of(tx: Tx, run_id: str) -> list[dict[str, Any]]:
    """The evaluators of a run, as they were written down."""
    wanted = select(runs.c.specs).where(runs.c.project == tx.project, runs.c.id == run_id)
    found: list[dict[str, Any]] = tx.conn.execute(wanted).scalar_one()
    return found


def same_run(tx: Tx, like: EvalRun, source: str) -> EvalRun | None:
    """The newest run of exactly this measurement that is at work or came out well."""
    wanted = (
        select(runs)
        .where(
            runs.c.project == tx.project,
            runs.c.subject == like.subject,
            runs.c.dataset == like.dataset,
            runs.c.evaluators == like.evaluators,
            runs.c.split == like.split,
            runs.c.variant == like.variant,
            runs.c.trials == like.trials,
            runs.c.source == source,
            runs.c.state.in_([RunState.RUNNING.value, RunState.SUCCESSFUL.value]),
        )
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    row = tx.conn.execute(wanted).mappings().first()
    return read_run(row) if row else None


def run_from(tx: Tx, source: str) -> EvalRun | None:
    """The run whose answers come from a source that only one run has."""
    wanted = select(runs).where(runs.c.project == tx.project, runs.c.source == source)
    row = tx.conn.execute(wanted).mappings().first()
    return read_run(row) if row else None


def source_of(tx: Tx, run_id: str) -> str:
    wanted = select(runs.c.source).where(runs.c.project == tx.project, runs.c.id == run_id)
    return str(tx.conn.execute(wanted).scalar_one())


def results_for(tx: Tx, run_id: str, items: Sequence[str]) -> dict[ResultKey, Result]:
    """What came of some (hundred) cases in a run, every trial of them."""
    wanted = select(results.c.result).where(
        results.c.run_id == run_id, results.c.item.in_(items)
    )
    shape = adapter(Result)
    found = (shape.validate_json(text) for text in tx.conn.execute(wanted).scalars())
    return {one.key: one for one in found}


def runs_page(tx: Tx, *, before: str | None = None, limit: int) -> list[EvalRun]:
    """Runs of this project, newest first."""
    wanted = select(runs).where(runs.c.project == tx.project)
    if before is not None:
        wanted = wanted.where(runs.c.id < before)
    rows = tx.conn.execute(wanted.order_by(runs.c.id.desc()).limit(limit)).mappings()
    return [read_run(row) for row in rows]


def runs_between(tx: Tx, since: datetime, until: datetime, *, limit: int) -> list[EvalRun]:
    """Runs that were begun in this time and came out well, newest first."""
    wanted = select(runs).where(
        runs.c.project == tx.project,
        runs.c.id >= earliest("run", since),
        runs.c.id < earliest("run", until),
        runs.c.state == RunState.SUCCESSFUL.value,
    )
    rows = tx.conn.execute(wanted.order_by(runs.c.id.desc()).limit(limit)).mappings()
    return [read_run(row) for row in rows]


def runs_of(tx: Tx, subjects: Sequence[str]) -> dict[str, int]:
    """How many runs of each version (by digest) came out well."""
    wanted = select(runs.c.subject, func.count()).where(
        runs.c.project == tx.project,
        runs.c.subject.in_(subjects),
        runs.c.state == RunState.SUCCESSFUL.value,
    )
    return {row[0]: row[1] for row in tx.conn.execute(wanted.group_by(runs.c.subject))}


def passes_of(tx: Tx, candidates: Sequence[str]) -> dict[str, int]:
    """How many verdicts of the gate let each version (by digest) pass."""
    wanted = select(verdicts.c.candidate, func.count()).where(
        verdicts.c.project == tx.project,
        verdicts.c.candidate.in_(candidates),
        verdicts.c.state == Outcome.PASSED.value,
    )
    return {row[0]: row[1] for row in tx.conn.execute(wanted.group_by(verdicts.c.candidate))}


def runs_on(tx: Tx, datasets: Sequence[str], *, limit: int) -> list[EvalRun]:
    """Runs on versions of datasets (by digest), newest first."""
    if not datasets:
        return []
    wanted = select(runs).where(runs.c.project == tx.project, runs.c.dataset.in_(datasets))
    rows = tx.conn.execute(wanted.order_by(runs.c.id.desc()).limit(limit)).mappings()
    return [read_run(row) for row in rows]


def first_results(tx: Tx, run_ids: Sequence[str], item: str) -> dict[str, Result]:
    """What came of the first trial of a case in each run that has tried it."""
    wanted = select(results.c.run_id, results.c.result).where(
        results.c.run_id.in_(run_ids), results.c.item == item, results.c.trial == 0
    )
    shape = adapter(Result)
    return {run: shape.validate_json(text) for run, text in tx.conn.execute(wanted)}


def save_run(tx: Tx, run: EvalRun, *, was: EvalRun) -> None:
    """Write `run` over `was`, unless somebody else got there first."""
    done = tx.conn.execute(
        update(runs)
        .where(runs.c.id == was.id, runs.c.state == was.state.value)
        .values(_row(run))
    )
    if done.rowcount == 0:
        raise RunMoved(was.id, was.state.value, run.state.value)


def add_results(tx: Tx, new: Sequence[Result]) -> int:
    """Keep results; those that are there already are left alone. Returns how many were new."""
    rows = [
        {
            "run_id": one.run_id,
            "item": one.item,
            "trial": one.trial,
            "result": canonical(plain(one)).decode(),
        }
        for one in new
    ]
    return insert_missing(tx, results, rows)


def done(tx: Tx, run_id: str) -> set[ResultKey]:
    wanted = select(results.c.item, results.c.trial).where(results.c.run_id == run_id)
    return {ResultKey(item, trial) for item, trial in tx.conn.execute(wanted)}


def results_of(
    tx: Tx,
    run_id: str,
    *,
    after: ResultKey | None = None,
    first: bool = False,
    limit: int | None = None,
) -> Iterator[Result]:
    """Results of a run, by item and trial, as a stream: every one, or those `after` a key; with
    `first`, of each case its first trial alone.
    """
    shape = adapter(Result)
    wanted = select(results.c.result).where(results.c.run_id == run_id).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(results.c.item, results.c.trial) > tuple(after))
    if first:
        wanted = wanted.where(results.c.trial == 0)
    for text in tx.conn.execute(wanted.order_by(results.c.item, results.c.trial)).scalars():
        yield shape.validate_json(text)


def add_verdict(
    tx: Tx, digest: str, *, baseline: str, candidate: str, state: str, verdict: Any
) -> bool:
    """Keep a gate verdict under its digest; False when exactly this one is there already."""
    row = {
        "project": tx.project,
        "digest": digest,
        "baseline": baseline,
        "candidate": candidate,
        "state": state,
        "verdict": canonical(plain(verdict)).decode(),
        "at": tx.now,
        "by": tx.actor.name,
    }
    return insert_missing(tx, verdicts, [row]) == 1


def verdict(tx: Tx, digest: str) -> dict[str, Any] | None:
    wanted = select(verdicts.c.verdict).where(
        verdicts.c.project == tx.project, verdicts.c.digest == digest
    )
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else json.loads(found)


def verdicts_of(tx: Tx, candidate: str, *, limit: int) -> list[RowMapping]:
    """Gate verdicts on a candidate version (by digest), newest first."""
    wanted = select(verdicts).where(
        verdicts.c.project == tx.project, verdicts.c.candidate == candidate
    )
    return list(tx.conn.execute(wanted.order_by(verdicts.c.at.desc()).limit(limit)).mappings())


def add_calibration(tx: Tx, name: str, found: Calibration) -> bool:
    """Keep a calibration of the evaluator of that name; a second time changes nothing."""
    row = {
        "project": tx.project,
        "digest": found.digest,
        "evaluator_name": name,
        "evaluator": found.evaluator_digest,
        "calibration": canonical(plain(found)).decode(),
        "at": found.at,
    }
    return insert_missing(tx, calibrations, [row]) == 1


def calibration(tx: Tx, digest: str) -> Calibration | None:
    wanted = select(calibrations.c.calibration).where(
        calibrations.c.project == tx.project, calibrations.c.digest == digest
    )
    found = tx.conn.execute(wanted).scalar()
    return None if found is None else adapter(Calibration).validate_json(found)


def calibrations_of(
    tx: Tx, *, name: str = "", evaluator: str = "", limit: int
) -> list[Calibration]:
    """Calibrations, newest first: of all judges, or of those with that name or that digest."""
    wanted = select(calibrations.c.calibration).where(calibrations.c.project == tx.project)
    if name or evaluator:
        wanted = wanted.where(
            (calibrations.c.evaluator_name == name) | (calibrations.c.evaluator == evaluator)
        )
    newest = wanted.order_by(calibrations.c.at.desc(), calibrations.c.digest).limit(limit)
    shape = adapter(Calibration)
    return [shape.validate_json(text) for text in tx.conn.execute(newest).scalars()]


def _row(run: EvalRun) -> dict[str, Any]:
    nested = {"state", "metrics", "totals", "id"}
    values = {n: getattr(run, n) for n in EvalRun.__dataclass_fields__ if n not in nested}
    return values | {
        "state": run.state.value,
        "metrics": [plain(metric) for metric in run.metrics],
        "totals": plain(run.totals),
    }


def read_run(row: RowMapping) -> EvalRun:
    """The run that a row of the table holds."""
    known = {name: row[name] for name in EvalRun.__dataclass_fields__}
    return adapter(EvalRun).validate_python(known)
