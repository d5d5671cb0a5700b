"""Finding what was measured, without measuring anything: pages only look.

A measurement is found again by what it consists of: version, dataset, evaluators, split and
variant, all by digest. The newest run of it that came out well is the one that counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select

from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.models import Output, RecordingKey, recordings

from . import store
from .evaluators import evaluators_digest
from .gate import ArmEvidence, GateVerdict
from .measure import Measurement, cited_specs, default_split, find_subject
from .model import MEASURED, EvalRun, Metric, Result, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One case as both sides of a comparison answered it."""

    item: Item | None
    a: Sequence[Result]
    b: Sequence[Result]
    outputs_a: Sequence[Output]
    outputs_b: Sequence[Output]


def measured(tx: Tx, wanted: Measurement) -> EvalRun | None:
    """The run of this measurement, if it was made.

    Raises what finding the version, the dataset or the evaluators raises.
    """
    version = find_subject(tx, wanted.subject)
    dataset, spec = datasets.dataset(tx, wanted.dataset or version.name)
    cited = wanted.evaluators or spec.evaluators
    if not cited:
        return None
    return _newest(
        tx,
        store.runs.c.subject == version.digest,
        store.runs.c.dataset == dataset.digest,
        store.runs.c.evaluators == evaluators_digest(cited_specs(tx, cited)),
        store.runs.c.split == (wanted.split or default_split(spec)),
        store.runs.c.variant == wanted.variant,
        store.runs.c.source == wanted.source,
    )


def measured_before(tx: Tx, run: EvalRun, reference: str, *, source: str) -> EvalRun | None:
    """The newest run of a version, older than `run` and like it in all but that, whose source
    begins with these words.
    """
    return _newest(
        tx,
        store.runs.c.subject == find_subject(tx, reference).digest,
        store.runs.c.dataset == run.dataset,
        store.runs.c.evaluators == run.evaluators,
        store.runs.c.split == run.split,
        store.runs.c.variant == run.variant,
        store.runs.c.source.startswith(source, autoescape=True),
        store.runs.c.id < run.id,
    )


def run_behind(tx: Tx, side: ArmEvidence) -> EvalRun | None:
    """A run that the evidence of a gate verdict may rest on."""
    return _newest(
        tx,
        store.runs.c.subject == side.version,
        store.runs.c.dataset == side.dataset,
        store.runs.c.evaluators == side.evaluators,
    )


def runs_of(tx: Tx, subject: str, *, limit: int) -> list[EvalRun]:
    """What a version (by digest) was measured on, newest first."""
    wanted = select(store.runs).where(
        store.runs.c.project == tx.project, store.runs.c.subject == subject
    )
    rows = tx.conn.execute(wanted.order_by(store.runs.c.id.desc()).limit(limit)).mappings()
    return [store.read_run(row) for row in rows]


def results_after(tx: Tx, run_id: str, *, after: str = "", limit: int) -> list[Result]:
    """Results of a run by item; go on with the last item as `after`. Trials stay together."""
    items = (
        select(store.results.c.item)
        .where(store.results.c.run_id == run_id, store.results.c.item > after)
        .group_by(store.results.c.item)
        .order_by(store.results.c.item)
        .limit(limit)
    )
    wanted = select(store.results.c.result).where(
        store.results.c.run_id == run_id, store.results.c.item.in_(items.scalar_subquery())
    )
    ordered = wanted.order_by(store.results.c.item, store.results.c.trial)
    shape = adapter(Result)
    return [shape.validate_json(text) for text in tx.conn.execute(ordered).scalars()]


def answered(tx: Tx, a: EvalRun, b: EvalRun, item: str) -> Answered:
    """What was asked in one case (by content hash), and what both sides answered."""
    return Answered(
        item=_item(tx, a, item),
        a=_results(tx, a, item),
        b=_results(tx, b, item),
        outputs_a=outputs(tx, a, item),
        outputs_b=outputs(tx, b, item),
    )


def _item(tx: Tx, run: EvalRun, item: str) -> Item | None:
    _, spec = datasets.dataset(tx, run.dataset_name)
    chosen = replace(spec, items=tuple(ref for ref in spec.items if ref.hash == item))
    return next(iter(datasets.items(tx, chosen)), None)


def _results(tx: Tx, run: EvalRun, item: str) -> list[Result]:
    wanted = select(store.results.c.result).where(
        store.results.c.run_id == run.id, store.results.c.item == item
    )
    rows = tx.conn.execute(wanted.order_by(store.results.c.trial)).scalars()
    return [adapter(Result).validate_json(text) for text in rows]


def outputs(tx: Tx, run: EvalRun, item: str) -> list[Output]:
    """The recorded answers; those of a live run are kept under the run's own variant."""
    for variant in (f"{run.variant}#{run.id}", run.variant):
        found = recordings.of_subject(tx, run.subject, [item], variant)
        if found:
            return [found[key] for key in sorted(found, key=_trial)]
    return []


def _trial(key: RecordingKey) -> int:
    return key.trial


def _newest(tx: Tx, *conditions: ColumnElement[bool]) -> EvalRun | None:
    wanted = select(store.runs).where(
        store.runs.c.project == tx.project,
        store.runs.c.state == RunState.SUCCESSFUL.value,
        *conditions,
    )
    row = tx.conn.execute(wanted.order_by(store.runs.c.id.desc()).limit(1)).mappings().first()
    return store.read_run(row) if row else None


def recent_verdicts(tx: Tx, *, limit: int) -> list[tuple[datetime, GateVerdict]]:
    """What the gate said last, newest first."""
    wanted = (
        select(store.verdicts.c.at, store.verdicts.c.verdict)
        .where(store.verdicts.c.project == tx.project)
        .order_by(store.verdicts.c.at.desc(), store.verdicts.c.digest)
        .limit(limit)
    )
    shape = adapter(GateVerdict)
    return [(at, shape.validate_json(text)) for at, text in tx.conn.execute(wanted)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """What one metric of a run came to, over the answers that have it."""

    metric: Metric
    n: int
    missing: int
    mean: float | None


def means(tx: Tx, run: EvalRun) -> list[Mean]:
    """Every metric of a run, and what was measured on the way."""
    metrics = (*run.metrics, *MEASURED)
    totals = [[0, 0, 0.0] for _ in metrics]
    for result in store.results_of(tx, run.id):
        for metric, total in zip(metrics, totals, strict=True):
            value = result.value(metric.name)
            if value is None:
                total[1] += 1
            else:
                total[0] += 1
                total[2] += value
    return [
        Mean(metric=metric, n=int(n), missing=int(missing), mean=of / n if n else None)
        for metric, (n, missing, of) in zip(metrics, totals, strict=True)
        if n or metric not in MEASURED
    ]
