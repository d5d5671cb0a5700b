"""Measuring a version: open a run, put every case, keep the results as they come, finish.

A measurement that was interrupted is taken up where it stopped, and one that was made before
is not made again: version, dataset, evaluators, split and variant are all named by digest.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from opsroom.datasets import DEFAULT_SPLIT, DatasetSpec, Item
from opsroom.datasets import queries as datasets
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.faults import boundary
from opsroom.kit.wire import adapter, plain
from opsroom.models import (
    ModelRequest,
    Models,
    Output,
    Recording,
    RecordingKey,
    ReplayModel,
    recordings,
)
from opsroom.prompts.model import PromptSpec
from opsroom.registry import ArtifactNotFound, BadReference, Ref, Version
from opsroom.registry import queries as registry

from . import store
from .compose import composer, load_prompts
from .errors import NoEvaluators, NotMeasurable
from .evaluators import EvaluatorSpec, evaluators, evaluators_digest, found_models, metric_of
from .ledger import Finished, summed
from .model import FINAL, EvalRun, RunState, Totals
from .runner import Pace, run

RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What to measure: a version on (a split of) a dataset, judged by evaluators.

    Everything is cited as people cite it. Without `dataset`, the one with the name of the
    artifact; without `evaluators`, those that the dataset cites. `source` is `recorded`, or
    the name of a configured model that is asked anew.
    """

    subject: str
    dataset: str = ""
    evaluators: tuple[str, ...] = ()
    split: str = ""
    variant: str = ""
    trials: int = 1
    source: str = RECORDED


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that is ready to go on, and everything that it needs."""

    run: EvalRun
    items: tuple[Item, ...]
    specs: tuple[Any, ...]
    recorded: Mapping[RecordingKey, Output]
    version: Version
    prompts: Mapping[str, PromptSpec]


def measure(
    db: Database,
    actor: Actor,
    wanted: Measurement,
    *,
    models: Models,
    pace: Pace | None = None,
    progress: Callable[[Totals], None] | None = None,
    draft: Version | None = None,
) -> EvalRun:
    """Make the measurement, or find the one that was made; return its finished run.

    Results are durable in batches while it goes on. With `draft`, that is measured although
    the registry does not have it, and the run calls it what `wanted.subject` says. Raises
    `NotMeasurable` where nothing is recorded, `NoEvaluators`, and what finding the versions
    raises.
    """
    with db.write(actor) as tx:
        opened = _open(tx, wanted, draft)
        if opened.run.state in FINAL:
            return opened.run
        already = store.done(tx, opened.run.id)
    boundary("measure.opened")

    def keep(finished: list[Finished]) -> None:
        with db.write(actor) as tx:
            store.add_results(tx, [one.result for one in finished])
            if wanted.source != RECORDED:
                recordings.add(
                    tx, [recording(opened.run, one) for one in finished if one.output]
                )
        boundary("measure.kept")

    async def ask() -> Totals:
        async with models.opened() as find:
            judges = found_models(opened.specs, find)
            return await run(
                opened.run.id,
                opened.items,
                ReplayModel(opened.recorded.get)
                if wanted.source == RECORDED
                else find(wanted.source),
                evaluators(opened.specs, judges),
                compose=_composer(opened, wanted),
                on_results=keep,
                trials=opened.run.trials,
                pace=pace,
                already=already,
                progress=progress,
            )

    totals = asyncio.run(ask())
    with db.write(actor) as tx:
        return _finish(tx, opened.run.id, totals, live=wanted.source != RECORDED)


def recording(run: EvalRun, one: Finished) -> Recording:
    """What was answered in a run, so that it can be looked at and judged anew.

    The run is part of the variant: another run may well get other answers.
    """
    assert one.output is not None
    return Recording(
        subject=run.subject,
        item=one.result.item,
        variant=f"{run.variant}#{run.id}",
        trial=one.result.trial,
        output=one.output,
    )


def begun(
    tx: Tx, wanted: Measurement, draft: Version | None = None
) -> tuple[EvalRun, Version, DatasetSpec, tuple[Any, ...]]:
    """The run that this measurement would be, not stored; and the version, the dataset and the
    evaluators (as specs) that it is about.

    Raises `NoEvaluators`, and what finding the versions raises.
    """
    version = draft or find_subject(tx, wanted.subject)
    dataset, spec = datasets.dataset(tx, wanted.dataset or version.name)
    cited = wanted.evaluators or spec.evaluators
    if not cited:
        raise NoEvaluators(dataset.ref)
    specs = cited_specs(tx, cited)
    like = EvalRun(
        id=tx.ids.new("run"),
        subject=version.digest,
        subject_name=wanted.subject if draft else version.ref,
        dataset=dataset.digest,
        dataset_name=dataset.ref,
        evaluators=evaluators_digest(specs),
        metrics=tuple(metric_of(one) for one in specs),
        created_at=tx.now,
        split=wanted.split or default_split(spec),
        variant=wanted.variant,
        trials=wanted.trials,
    )
    return like, version, spec, specs


def _open(tx: Tx, wanted: Measurement, draft: Version | None) -> Opened:
    like, version, spec, specs = begun(tx, wanted, draft)
    items = tuple(datasets.items(tx, spec, split=like.split))
    recorded: Mapping[RecordingKey, Output] = {}
    if wanted.source == RECORDED:
        hashes = [item.hash for item in items]
        recorded = recordings.of_subject(tx, version.digest, hashes, wanted.variant)
        if not recorded:
            known = recordings.variants(tx, version.digest)
            names = ", ".join(repr(name) for name in known) or "none are recorded"
            raise NotMeasurable(version.ref, like.dataset_name, wanted.variant, names)
        answered = {key.item for key in recorded}
        items = tuple(item for item in items if item.hash in answered)
        like = replace(like, trials=max(key.trial for key in recorded) + 1)
    there = store.same_run(tx, like, wanted.source)
    finished = there is not None and there.state in FINAL and wanted.source == RECORDED
    if finished and there is not None and there.totals.done != len(items) * like.trials:
        there = None  # more was recorded since
    if there is None:
        there = like.start(now=tx.now)
        store.add_run(tx, there, [plain(one) for one in specs], wanted.source)
        record_start(tx, there)
    prompts = {} if wanted.source == RECORDED else load_prompts(tx, version)
    return Opened(there, items, specs, recorded, version, prompts)


def record_start(tx: Tx, run: EvalRun) -> None:
    tx.record(
        "eval.started", f"run/{run.id}", subject=run.subject_name, dataset=run.dataset_name
    )


def record_end(tx: Tx, run: EvalRun) -> None:
    tx.record(
        "eval.finished",
        f"run/{run.id}",
        state=run.state.value,
        answered=run.totals.answered,
        errors=run.totals.errors,
        cost=str(run.totals.cost),
    )


def find_subject(tx: Tx, reference: str) -> Version:
    """The version that is measured. Without a kind it may be an agent or a prompt."""
    if "/" in reference:
        ref = Ref.parse(reference)
        if ref.kind not in {"agent", "prompt"}:
            raise BadReference(reference)
        return registry.version(tx, ref)
    try:
        return registry.version(tx, Ref.parse(reference, kind="agent"))
    except ArtifactNotFound:
        return registry.version(tx, Ref.parse(reference, kind="prompt"))


def default_split(spec: DatasetSpec) -> str:
    """`test` where there is one, else the first: training items do not measure anything."""
    splits = spec.splits
    return DEFAULT_SPLIT if DEFAULT_SPLIT in splits else next(iter(splits))


def cited_specs(tx: Tx, cited: Sequence[str]) -> tuple[Any, ...]:
    """The evaluators that these references name."""
    refs = [Ref.parse(one, kind="evaluator") for one in cited]
    for ref in refs:
        if ref.kind != "evaluator":
            raise BadReference(str(ref))
    return read_specs([registry.version(tx, ref).spec for ref in refs])


def read_specs(written: Sequence[Any]) -> tuple[Any, ...]:
    """Evaluators as they were written down."""
    shape = adapter(cast("type[Any]", EvaluatorSpec))
    return tuple(shape.validate_python(one) for one in written)


def _composer(opened: Opened, wanted: Measurement) -> Callable[[Item, str, int], ModelRequest]:
    """How a case becomes a request. A recorded answer is found by its key, not by its words."""
    if wanted.source == RECORDED:
        return lambda _item, content, trial: ModelRequest(
            messages=(),
            subject=opened.run.subject,
            item=content,
            variant=opened.run.variant,
            trial=trial,
        )
    return composer(opened.version, opened.prompts, variant=opened.run.variant)


def _finish(tx: Tx, run_id: str, totals: Totals, *, live: bool) -> EvalRun:
    was = store.run(tx, run_id)
    if was.state in FINAL:
        return was
    if totals.stopped:
        return was
    if totals.skipped:
        totals = summed(store.results_of(tx, run_id))
    # What a live model did not answer may be answered next time: such a run is not found again.
    spoilt = live and totals.errors > 0
    state = RunState.SUCCESSFUL if totals.answered and not spoilt else RunState.ERROR
    done = was.finish(state, totals=totals, now=tx.now)
    store.save_run(tx, done, was=was)
    record_end(tx, done)
    return done
