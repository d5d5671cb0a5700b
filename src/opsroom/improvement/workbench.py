"""The workbench of one search: trying a candidate, and asking a model beside it.

Everything that was done is kept as it is done. A search that is carried out again after a
crash proposes the same candidates in the same order, finds what was measured, and pays only
for the rest; so a search is written as if nothing ever crashed.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from opsroom.datasets import Item
from opsroom.evals import finding
from opsroom.evals.compose import composer, load_prompts
from opsroom.evals.evaluators import evaluators, found_models, metric_of, model_of
from opsroom.evals.gating import compare_runs
from opsroom.evals.measure import Measurement, cited_specs, measure
from opsroom.evals.model import MEASURED, EvalRun, Metric, Result, Scale, Totals
from opsroom.evals.queries import result_page
from opsroom.evals.queries import run as eval_run
from opsroom.evals.runner import Finished, run
from opsroom.evidence import Tally
from opsroom.kit.canonical import digest, sha256
from opsroom.kit.db import Actor, Database, Tx
from opsroom.models import (
    Message,
    Model,
    ModelRequest,
    Models,
    Output,
    Recording,
    RecordingKey,
    recordings,
)
from opsroom.prompts.kind import include_from
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry

from . import checking, commands, store
from .errors import BadPlan, BaseUnmeasured, BudgetSpent
from .metering import Meter, MeteredModels
from .model import (
    MOST_CALLS,
    MOST_CANDIDATES,
    RECORDED,
    SELECTION,
    Candidate,
    Improvement,
    Score,
    Standing,
)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """An item of the training split, answered and judged. `output` is None where it failed."""

    item: Item
    result: Result
    output: Output | None


class Workbench:
    """What a search works with. Not safe for several threads, and not meant to be."""

    def __init__(
        self,
        db: Database,
        actor: Actor,
        improvement: Improvement,
        *,
        models: Models,
        meter: Meter,
    ) -> None:
        self._db = db
        self._actor = actor
        self.improvement = improvement
        self.plan = improvement.plan
        self.meter = meter
        self._models = MeteredModels(models, meter, db.clock.now())
        with db.read(actor) as tx:
            self.base = registry.version(tx, Ref.parse(improvement.base))
            specs = cited_specs(tx, self.plan.evaluators)
            kept = store.candidates_of(tx, improvement.id, limit=MOST_CANDIDATES + 1)
        self._specs = specs
        self._metric = _deciding(self.plan.metric, [metric_of(one) for one in specs])
        self._calls_each = 1 + sum(bool(model_of(one)) for one in specs)
        self.candidates = kept

    def measure_base(self, items: int) -> Candidate:
        """The base as candidate 0. Raises `BaseUnmeasured` where an answer of it is missing."""
        if not self.candidates:
            self._measured(
                self.base, items, parent=None, change="the base", model=self.plan.model,
                variant=self.plan.variant, registered=True,
            )  # fmt: skip
        base = self.candidates[0]
        if base.reason or base.score is None:
            raise BaseUnmeasured(self.improvement.base, base.reason or "nothing was judged")
        return base

    def try_spec(
        self, spec: dict[str, Any], items: int, *, parent: int, change: str, model: str = ""
    ) -> Candidate:
        """Try a changed spec on the selection split, which has so many `items`, or say why not.

        The same spec twice is one candidate. Raises `BudgetSpent` and `SearchStopped`.
        """
        model = model or self.plan.model
        turned_down = self.refuse(spec, parent=parent, change=change)
        if turned_down is not None:
            return turned_down
        content = digest(spec)
        for known in self.candidates:
            if (known.digest, known.model) == (content, model):
                return known
        draft = replace(self.base, number=0, digest=content, spec=spec)
        return self._measured(
            draft,
            items,
            parent=parent,
            change=change,
            model=model,
            variant="",
            registered=False,
        )

    def refuse(self, spec: dict[str, Any], *, parent: int, change: str) -> Candidate | None:
        """The candidate as one that may not be tried, with the reason; None where it may."""
        with self._db.read(self._actor) as tx:
            reason = checking.refused(
                self.base.kind,
                spec,
                self.base.spec,
                include=include_from(registry.lookup(tx)),
                max_chars=max(self.plan.max_chars, _size(self.base)),
            )
        if not reason:
            return None
        content = digest(spec)
        for known in self.candidates:
            if known.digest == content and known.standing is Standing.REFUSED:
                return known
        self._check_number()
        return self._keep(
            self._candidate(
                spec, content, parent=parent, change=change, standing=Standing.REFUSED,
                reason=reason,
            )
        )  # fmt: skip

    def number_of(self, spec: dict[str, Any]) -> int:
        """The candidate that has this spec; the base where none has."""
        content = digest(spec)
        return next((one.number for one in self.candidates if one.digest == content), 0)

    @property
    def best(self) -> float:
        """What nothing is better than, as `good` counts; without end where it is a number."""
        if self._metric.scale is not Scale.BINARY:
            return float("inf")
        return 1.0 if self._metric.direction == "higher" else 0.0

    @property
    def worst(self) -> float:
        """What counts for an answer that is missing, as `good` counts."""
        return 0.0 if self._metric.direction == "higher" else -1e6

    def good(self, result: Result) -> float:
        """How good an answer is by the metric that decides; more is better."""
        value = result.value(self._metric.name)
        if value is None:
            return self.worst
        return value if self._metric.direction == "higher" else -value

    def values(self, one: Candidate) -> dict[str, float]:
        """How good the answers of a candidate are, by the content hash of the item."""
        with self._db.read(self._actor) as tx:
            results = result_page(tx, one.run, limit=MOST_CALLS)
        return {result.item: self.good(result) for result in results}

    def try_version(self, at: str, items: int) -> Candidate:
        """Try a version that the registry has: a number or a label, and after `#` a variant."""
        number, mark, variant = at.partition("#")
        with self._db.read(self._actor) as tx:
            found = registry.version(tx, Ref(self.base.kind, self.base.name, number))
        variant = variant if mark else self.plan.variant
        called = f"version {found.number}" + (f", {variant}" if variant else "")
        for known in self.candidates:
            if known.change == called:
                return known
        return self._measured(
            found, items, parent=0, change=called, model=self.plan.model, variant=variant,
            registered=True,
        )  # fmt: skip

    def rehearse(self, spec: dict[str, Any], items: Sequence[Item]) -> list[Rehearsed]:
        """Put items of the training split to a changed spec; what was asked is not asked again."""
        draft = replace(self.base, number=0, digest=digest(spec), spec=spec)
        with self._db.read(self._actor) as tx:
            prompts = load_prompts(tx, draft)
            known = recordings.of_subject(
                tx, draft.digest, [one.hash for one in items], self._own
            )
        self.meter.check(self._calls_each * (len(items) - len(known)))
        found: list[Finished] = []

        async def ask() -> Totals:
            async with self._models.opened() as find:
                judges = found_models(self._specs, find)
                return await run(
                    self.improvement.id,
                    items,
                    _Remembering(find(self.plan.model), known),
                    evaluators(self._specs, judges),
                    compose=composer(draft, prompts, variant=self._own),
                    on_results=found.extend,
                )

        asyncio.run(ask())
        fresh = [
            self._recording(draft.digest, one.result.item, one.output)
            for one in found
            if one.output is not None and one.output.error is None
        ]
        with self._holding() as tx:
            recordings.add(tx, fresh)
        by_item = {one.result.item: one for one in found}
        done = [by_item[item.hash] for item in items]
        return [
            Rehearsed(item, one.result, one.output)
            for item, one in zip(items, done, strict=True)
        ]

    def reflect(self, prompt: str) -> str:
        """What the reflecting model answers; the same question is asked once."""
        key = sha256(prompt.encode())
        with self._db.read(self._actor) as tx:
            known = recordings.of_subject(tx, key, [key], self._own)
        for output in known.values():
            return output.text
        self.meter.check(1)
        request = ModelRequest(
            messages=(Message(role="user", content=prompt),),
            subject=key,
            item=key,
            variant=self._own,
            seed=self.plan.seed,
        )

        async def ask() -> Output:
            async with self._models.opened() as find:
                name = self.plan.reflection_model or self.plan.model
                return await find(name).complete(request)

        output = asyncio.run(ask())
        with self._holding() as tx:
            recordings.add(tx, [self._recording(key, key, output)])
        return output.text

    @property
    def _own(self) -> str:
        """Under what answers are kept that no measurement has."""
        return f"#{self.improvement.id}"

    def _recording(self, subject: str, item: str, output: Output) -> Recording:
        return Recording(subject=subject, item=item, variant=self._own, output=output)

    def _measured(
        self,
        version: Version,
        items: int,
        *,
        parent: int | None,
        change: str,
        model: str,
        variant: str,
        registered: bool,
    ) -> Candidate:
        """Measure on the selection split, and keep what it came to."""
        self._check_number()
        number = len(self.candidates)
        if model != RECORDED:
            self.meter.check(items * self._calls_each)
        wanted = Measurement(
            subject=version.ref if registered else f"{self.improvement.base}+{number}",
            dataset=self.improvement.dataset,
            evaluators=self.plan.evaluators,
            split=SELECTION,
            variant=variant,
            source=model,
        )
        done = measure(
            self._db,
            self._actor,
            wanted,
            models=self._models,
            progress=self._look_up,
            draft=None if registered else version,
        )
        if self.meter.over:
            raise BudgetSpent(self.meter.over)
        with self._db.read(self._actor) as tx:
            tried = self._candidate(
                version.spec,
                version.digest,
                parent=parent,
                change=change,
                standing=Standing.TRIED,
                model=model,
                run=done.id,
                version=version.ref if registered else "",
                reason=_holes(done),
                **self._judged(tx, done),
            )
        return self._keep(tried)

    def _judged(self, tx: Tx, done: EvalRun) -> dict[str, Any]:
        """What a run came to, and how that compares with the base."""
        means = {one.metric.name: one for one in finding.means(tx, done)}
        name = self._metric.name
        one = means.get(name)
        tokens = [
            means[part].mean for part in ("input-tokens", "output-tokens") if part in means
        ]
        known = [value for value in tokens if value is not None]
        cost = means["cost"].mean if "cost" in means and not means["cost"].missing else None
        compared = None
        if self.candidates and self.candidates[0].run != done.id:
            first = eval_run(tx, self.candidates[0].run)
            compared = compare_runs(
                tx, first, done, metric=name, margin=self.plan.margin
            ).metrics[0]
        return {
            "score": None
            if one is None or one.mean is None
            else _score(name, one.metric.scale, one.mean, one.n),
            "compared": compared,
            "cost": cost,
            "tokens": sum(known) if known else None,
        }

    def _check_number(self) -> None:
        if len(self.candidates) > MOST_CANDIDATES:
            raise BudgetSpent(f"{MOST_CANDIDATES} candidates were tried")

    def _candidate(
        self,
        spec: dict[str, Any],
        content: str,
        *,
        parent: int | None,
        change: str,
        standing: Standing,
        **rest: Any,
    ) -> Candidate:
        return Candidate(
            improvement=self.improvement.id,
            number=len(self.candidates),
            parent=parent,
            change=change,
            spec=spec,
            digest=content,
            standing=standing,
            created_at=self._db.clock.now(),
            **rest,
        )

    def _keep(self, one: Candidate) -> Candidate:
        with self._holding(one) as tx:
            store.add_candidate(tx, one)
        self.candidates.append(one)
        return one

    def _look_up(self, _totals: Totals) -> None:
        """Between batches of answers: note what is spent, and see whether to stop."""
        with self._holding():
            pass

    @contextmanager
    def _holding(self, one: Candidate | None = None) -> Iterator[Tx]:
        """A transaction of whoever is at work on the search, and of nobody else."""
        with self._db.write(self._actor) as tx:
            now = commands.hold(tx, self.improvement, self.meter.unnoted, one)
            yield tx
        self.meter.noted(now.spent)
        self.improvement = now


class _Remembering:
    """A model that is not asked what it answered before."""

    def __init__(self, model: Model, known: dict[RecordingKey, Output]) -> None:
        self._model = model
        self._known = {key.item: output for key, output in known.items()}

    async def complete(self, request: ModelRequest) -> Output:
        found = self._known.get(request.item)
        return found if found is not None else await self._model.complete(request)


def _deciding(name: str, given: Sequence[Metric]) -> Metric:
    """The metric that decides. What a run measures by itself (latency, cost) may decide too."""
    if not name:
        return given[0]
    for one in (*given, *MEASURED):
        if one.name == name:
            return one
    raise BadPlan(f"no evaluator gives the metric {name!r}")


def _score(metric: str, scale: Scale, mean: float, n: int) -> Score:
    from opsroom.evidence.rates import clopper_pearson  # noqa: PLC0415  # scipy: 0.3 s

    interval = None
    if scale is Scale.BINARY and n:
        interval = clopper_pearson(Tally(n=n, hits=round(mean * n)))
    return Score(metric=metric, value=mean, n=n, interval=interval)


def _holes(done: EvalRun) -> str:
    """Why a measurement is no whole one, for then it is nothing to choose by."""
    totals = done.totals
    if totals.errors:
        return f"{totals.errors} of {totals.done} answers failed"
    return f"{totals.unjudged} answers could not be judged" if totals.unjudged else ""


def _size(version: Version) -> int:
    """How long the texts of a prompt are, so that a base is never too long for itself."""
    texts = [version.spec.get("text") or ""]
    texts += [one.get("content", "") for one in version.spec.get("messages", ())]
    return sum(map(len, texts))
