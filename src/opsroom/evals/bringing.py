"""Answers that somebody brings: a program asks its own agent, and we judge and keep what it said.

A session (of a test runner, say) opens a run, puts answers into it as they come, from as many
processes as it has, and ends it. Opening and ending may be repeated, and the first answer to a
case is the one that counts, so that nothing is lost or counted twice when a request is sent again.
"""

import asyncio
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.evidence import Interval, Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database, Tx, alone
from opsroom.kit.wire import Wire, plain
from opsroom.models import (
    ModelRequest,
    Models,
    Output,
    ReplayModel,
    recordings,
)

from . import store
from .errors import BadRules, NotACase, NotBrought, RunMoved, RunNotWhole
from .evaluators import evaluators, found_models
from .finding import Mean, means, measured_before
from .gate import GateRules, GateVerdict
from .gating import Ask, gate_runs
from .ledger import Finished, summed
from .measure import (
    Measurement,
    begun,
    measure,
    read_specs,
    record_end,
    record_start,
    recording,
)
from .model import FINAL, EvalRun, Result, ResultKey, RunState, Scale
from .runner import Compose, run

BROUGHT = "brought:"  # how the source of such a run begins
MOST = 100  # answers in one request


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Wire):
    """What a session is about to answer; `session` is any text that is its own.

    The same session that asks for the same again gets the run it has, though labels have moved.
    """

    session: Annotated[str, Field(min_length=8, max_length=100)]
    subject: str
    dataset: str = ""
    evaluators: tuple[str, ...] = ()
    split: str = ""
    variant: str = ""
    trials: Annotated[int, Field(ge=1, le=100)] = 1

    @property
    def source(self) -> str:
        return BROUGHT + digest(plain(self))

    @property
    def measurement(self) -> Measurement:
        return Measurement(
            subject=self.subject,
            dataset=self.dataset,
            evaluators=self.evaluators,
            split=self.split,
            variant=self.variant,
            trials=self.trials,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought(Wire):
    """One answer to one case; `item` is the content hash of the case."""

    item: str
    output: Output
    trial: int = 0

    @property
    def key(self) -> ResultKey:
        return ResultKey(self.item, self.trial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Wire):
    answers: Annotated[tuple[Brought, ...], Field(min_length=1, max_length=MOST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Wire):
    """What one metric came to. A rate of independent cases has its exact 95 % interval."""

    metric: str
    n: int
    missing: int
    mean: float | None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Wire):
    """A run at its end, and what its metrics came to."""

    run: EvalRun
    metrics: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against(Wire):
    """What a run is to be compared with: a version, or an earlier run by its id."""

    baseline: str
    rules: GateRules | None = None
    ask: Ask | None = None
    proposal: str = ""


@dataclass(frozen=True, slots=True)
class _AllBut(Container[ResultKey]):
    """Everything that is not one of a few."""

    few: frozenset[ResultKey]

    def __contains__(self, key: object) -> bool:
        return key not in self.few


def begin(tx: Tx, wanted: Session) -> EvalRun:
    """Open the run of a session, or find the one that it has opened.

    Raises `NoEvaluators`, and what finding the versions raises.
    """
    alone(tx, [f"evals.brought {tx.project} {wanted.source}"])
    there = store.run_from(tx, wanted.source)
    if there is None:
        like, _, spec, specs = begun(tx, wanted.measurement)
        spec.only(like.split)  # no cases, no run
        there = like.start(now=tx.now)
        store.add_run(tx, there, [plain(one) for one in specs], wanted.source)
        record_start(tx, there)
    return there


def judge(
    db: Database, actor: Actor, run_id: str, brought: Sequence[Brought], *, models: Models
) -> list[Result]:
    """Judge answers, keep them and what came of it, and say it; in the order of the answers.

    Where a case was answered before, the result is that of the first answer. Raises `RunNotFound`,
    `NotBrought`, `RunMoved` once the run has ended, and `NotACase`.
    """
    with db.read(actor) as tx:
        one = _open(tx, run_id)
        items = _cases(tx, one, brought)
        specs = read_specs(store.specs_of(tx, run_id))
        there = store.results_for(tx, run_id, list(items))
    new = {each.key: each.output for each in reversed(brought) if each.key not in there}
    finished: list[Finished] = []

    async def ask() -> None:
        async with models.opened() as find:
            await run(
                run_id,
                items.values(),
                ReplayModel(lambda key: new.get(ResultKey(key.item, key.trial))),
                evaluators(specs, found_models(specs, find)),
                compose=_replayed(one),
                on_results=finished.extend,
                trials=one.trials,
                already=_AllBut(frozenset(new)),
            )

    if new:
        asyncio.run(ask())
    with db.write(actor) as tx:
        alone(tx, [_name(run_id)])
        _open(tx, run_id)
        recordings.keep_first(tx, [recording(one, each) for each in finished if each.output])
        store.add_results(tx, [each.result for each in finished])
        there = store.results_for(tx, run_id, list(items))
    return [there[each.key] for each in brought]


def end(tx: Tx, run_id: str) -> Ended:
    """End a run, or say how it ended. One that lacks answers is inconclusive.

    Raises `RunNotFound` and `NotBrought`.
    """
    alone(tx, [_name(run_id)])
    was = store.run(tx, run_id)
    _require_brought(tx, was)
    if was.state not in FINAL:
        totals = summed(store.results_of(tx, run_id))
        _, spec = datasets.dataset(tx, was.dataset_name)
        asked = len(spec.only(was.split)) * was.trials
        whole = totals.done == asked
        done = was.finish(
            RunState.INCONCLUSIVE
            if not whole
            else RunState.SUCCESSFUL
            if totals.answered
            else RunState.ERROR,
            totals=totals,
            now=tx.now,
            reason="" if whole else f"{totals.done} of {asked} answers were brought",
        )
        store.save_run(tx, done, was=was)
        record_end(tx, done)
        was = done
    return Ended(run=was, metrics=tuple(_rate(was, one) for one in means(tx, was)))


def gate_run(
    db: Database, actor: Actor, run_id: str, against: Against, *, models: Models
) -> GateVerdict:
    """May what gave the answers of a run replace a baseline? Decided as any gate is, and kept.

    The baseline is an earlier run by its id; or a version, by its newest run before this one on
    the same cases, evaluators and variant that was brought, or else by its recorded answers.
    Raises `RunNotWhole` for a run that has not ended well, `BadRules` for a run against itself,
    and what measuring raises.
    """
    if against.baseline == run_id:
        raise BadRules("a run is compared with another one")
    with db.read(actor) as tx:
        candidate = _whole(store.run(tx, run_id))
        _require_brought(tx, candidate)
        if against.baseline.startswith("run_"):
            baseline: EvalRun | None = _whole(store.run(tx, against.baseline))
        else:
            baseline = measured_before(tx, candidate, against.baseline, source=BROUGHT)
        cited = Measurement(
            subject=baseline.subject_name if baseline else against.baseline,
            dataset=candidate.dataset_name,
            split=candidate.split,
            variant=candidate.variant,
        )
    if baseline is None:
        baseline = measure(db, actor, cited, models=models)
    with db.write(actor) as tx:
        return gate_runs(
            tx,
            baseline,
            candidate,
            cited,
            rules=against.rules,
            ask=against.ask,
            proposal=against.proposal,
        )


def _open(tx: Tx, run_id: str) -> EvalRun:
    found = store.run(tx, run_id)
    _require_brought(tx, found)
    if found.state is not RunState.RUNNING:
        raise RunMoved(run_id, found.state.value, RunState.RUNNING.value)
    return found


def _require_brought(tx: Tx, run: EvalRun) -> None:
    if not store.source_of(tx, run.id).startswith(BROUGHT):
        raise NotBrought(run.id)


def _whole(run: EvalRun) -> EvalRun:
    if run.state is not RunState.SUCCESSFUL:
        raise RunNotWhole(run.id, run.state.value, run.reason or "it has no answers to compare")
    return run


def _cases(tx: Tx, run: EvalRun, brought: Iterable[Brought]) -> dict[str, Item]:
    """The cases that these are answers to, by content hash."""
    wanted = {one.item for one in brought}
    _, spec = datasets.dataset(tx, run.dataset_name)
    refs = tuple(one for one in spec.only(run.split) if one.hash in wanted)
    known = {ref.hash for ref in refs}
    for one in brought:
        if not 0 <= one.trial < run.trials or one.item not in known:
            raise NotACase(one.item, one.trial, run.dataset_name, run.split)
    items = datasets.items(tx, replace(spec, items=refs))
    return {ref.hash: item for ref, item in zip(refs, items, strict=True)}


def _replayed(run: EvalRun) -> Compose:
    return lambda _item, content, trial: ModelRequest(
        messages=(), subject=run.subject, item=content, trial=trial
    )


def _rate(run: EvalRun, one: Mean) -> Rate:
    interval = None
    if one.metric.scale is Scale.BINARY and one.mean is not None and run.trials == 1:
        interval = clopper_pearson(Tally(n=one.n, hits=round(one.mean * one.n)))
    return Rate(
        metric=one.metric.name, n=one.n, missing=one.missing, mean=one.mean, interval=interval
    )


def _name(run_id: str) -> str:
    return f"evals.run {run_id}"
