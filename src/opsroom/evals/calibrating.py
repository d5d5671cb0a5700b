"""Calibrating a judge: put labelled answers to it, count, and keep what comes out for good.

Every verdict is recorded as it comes, and a verdict that is recorded is not asked for again.
So a calibration that was interrupted goes on where it stopped, and one whose verdicts were
recorded elsewhere needs no model at all.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from opsroom.datasets import Item
from opsroom.datasets import queries as datasets
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.faults import boundary
from opsroom.kit.wire import Wire, adapter
from opsroom.models import (
    Model,
    ModelRequest,
    Models,
    Output,
    Recording,
    RecordingKey,
    ReplayModel,
    recordings,
)
from opsroom.registry import BadReference, Ref
from opsroom.registry import queries as registry

from . import store
from .calibration import FAIL, PASS, Calibration, Judged, calibration_digest, counted, report
from .errors import CalibrationIncomplete, NotAJudge, NotLabelled
from .evaluators import Evaluator, EvaluatorSpec, metric_of
from .evaluators.judge import Opinion, asker, questions, subject_of
from .evaluators.reading import NoReference
from .evaluators.specs import AnyJudge
from .ledger import Finished
from .model import Score, Totals
from .runner import Pace, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrating(Wire):
    """Which judge to calibrate against which labelled dataset, both as people cite them."""

    evaluator: str
    dataset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A labelled answer: what was asked, what was answered, whether that was good."""

    label: Item
    item: Item
    output: Output
    domain: str

    @property
    def good(self) -> bool:
        return self.label.expected == PASS


@dataclass(frozen=True, slots=True)
class _Opened:
    """A calibration that is ready to go on, and everything that it needs."""

    name: str
    evaluator: str
    evaluator_digest: str
    dataset: str
    dataset_digest: str
    spec: AnyJudge
    cases: Mapping[str, Case]
    known: dict[RecordingKey, Output]


def calibrate(
    db: Database,
    actor: Actor,
    wanted: Calibrating,
    *,
    models: Models,
    pace: Pace | None = None,
    progress: Callable[[Totals], None] | None = None,
) -> Calibration:
    """Put every labelled answer to the judge, or find the calibration that was made.

    Raises `NotAJudge`, `NotLabelled`, `CalibrationIncomplete` where the model left gaps (what
    it did answer is kept), and what finding the versions raises.
    """
    with db.read(actor) as tx:
        opened, there = _open(tx, wanted)
    if there is not None:
        return there
    opinions, gap = asyncio.run(_ask(db, actor, opened, models, pace, progress))
    if gap:
        raise CalibrationIncomplete(
            opened.evaluator, opened.dataset, len(opinions), len(opened.cases), gap
        )
    boundary("calibrate.asked")
    with db.write(actor) as tx:
        return _keep(tx, opened, opinions)


def labelled(item: Item, dataset: str) -> Case:
    """Read a labelled item: `{"input", "answer"}`, and `expected` for what an answer is held to.

    The domain is the one that its metadata names, or else the name of the dataset. Raises
    `NotLabelled`.
    """
    given = item.input if isinstance(item.input, dict) else {}
    if not {"input", "answer"} <= given.keys() <= {"input", "answer", "expected"}:
        raise NotLabelled(item.id, dataset, "its input is not `input` and `answer`")
    if item.expected not in {PASS, FAIL}:
        raise NotLabelled(item.id, dataset, f"it expects {item.expected!r}, not pass or fail")
    answer = given["answer"]
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return Case(
        label=item,
        item=Item(id=item.id, input=given["input"], expected=given.get("expected")),
        output=Output(text=text),
        domain=domain_of(item, dataset),
    )


def domain_of(item: Item, dataset: str) -> str:
    """The domain that an item's metadata names, or else the name of its dataset."""
    named = item.metadata.get("domain")
    return named if isinstance(named, str) and named else dataset


def judge_spec(spec: Any, reference: str) -> AnyJudge:
    """The spec of a version as a judge's. Raises `NotAJudge`."""
    read = adapter(cast("type[Any]", EvaluatorSpec)).validate_python(spec)
    if not isinstance(read, AnyJudge):
        raise NotAJudge(reference)
    return read


class _Remembering:
    """A model that is asked only what is not known yet, and remembers what is new."""

    def __init__(self, known: dict[RecordingKey, Output], find: Callable[[], Model]) -> None:
        self._known = known
        self._find = find
        self.new: list[Recording] = []

    async def complete(self, request: ModelRequest) -> Output:
        key = RecordingKey(request.subject, request.item, request.variant, request.trial)
        if key not in self._known:
            output = await self._find().complete(request)
            self._known[key] = output
            self.new.append(Recording(**key._asdict(), output=output))
        return self._known[key]


async def _ask(
    db: Database,
    actor: Actor,
    opened: _Opened,
    models: Models,
    pace: Pace | None,
    progress: Callable[[Totals], None] | None,
) -> tuple[Mapping[str, Opinion], str]:
    """What the judge thinks of each case, by content hash, and the first gap in words."""
    opinions: dict[str, Opinion] = {}
    gaps: list[str] = []
    cases = opened.cases
    metric = metric_of(opened.spec)
    async with models.opened() as find:
        model = _Remembering(opened.known, lambda: find(opened.spec.model))
        ask = asker(opened.spec, model)

        async def assess(item: Item, output: Output) -> Score:
            found = opinions[item.hash] = await ask(cases[item.hash].item, output)
            return found.score

        def keep(finished: list[Finished]) -> None:
            fresh, model.new = model.new, []
            with db.write(actor) as tx:
                recordings.keep_first(tx, fresh)
            boundary("calibrate.kept")
            gaps.extend(
                one.result.error or one.result.scores[metric.name].reason
                for one in finished
                if one.result.item not in opinions
            )

        await run(
            "calibration",
            [case.label for case in cases.values()],
            ReplayModel(lambda key: cases[key.item].output),
            [Evaluator(metric, assess)],
            compose=lambda _item, content, _trial: ModelRequest(
                messages=(), subject=opened.evaluator_digest, item=content
            ),
            on_results=keep,
            pace=pace,
            progress=progress,
        )
    return opinions, gaps[0] if gaps else ""


def _open(tx: Tx, wanted: Calibrating) -> tuple[_Opened, Calibration | None]:
    ref = Ref.parse(wanted.evaluator, kind="evaluator")
    if ref.kind != "evaluator":
        raise BadReference(wanted.evaluator)
    version = registry.version(tx, ref)
    spec = judge_spec(version.spec, version.ref)
    dataset, cited = datasets.dataset(tx, wanted.dataset)
    there = store.calibration(
        tx, calibration_digest(version.digest, spec.model, dataset.digest)
    )
    cases: dict[str, Case] = {}
    if there is None:
        for item in datasets.items(tx, cited):
            cases[item.hash] = labelled(item, dataset.name)
    opened = _Opened(
        name=version.name,
        evaluator=version.ref,
        evaluator_digest=version.digest,
        dataset=dataset.ref,
        dataset_digest=dataset.digest,
        spec=spec,
        cases=cases,
        known=_recorded(tx, spec, dataset.ref, list(cases.values())),
    )
    return opened, there


def _recorded(
    tx: Tx, spec: AnyJudge, dataset: str, cases: Sequence[Case]
) -> dict[RecordingKey, Output]:
    """The verdicts on these cases that are recorded already."""
    asked: set[str] = set()
    for case in cases:
        try:
            asked.update(one.item for one in questions(spec, case.item, case.output))
        except NoReference as missing:
            raise NotLabelled(case.label.id, dataset, str(missing)) from missing
    return recordings.of_subject(tx, subject_of(spec), sorted(asked))


def _keep(tx: Tx, opened: _Opened, opinions: Mapping[str, Opinion]) -> Calibration:
    judged = [
        Judged(
            item=content,
            domain=case.domain,
            good=case.good,
            said=opinions[content].good,
            cost=opinions[content].usage.cost,
            place=opinions[content].place,
            unsteady=opinions[content].unsteady,
        )
        for content, case in opened.cases.items()
    ]
    found = Calibration(
        evaluator=opened.evaluator,
        evaluator_digest=opened.evaluator_digest,
        model=opened.spec.model,
        dataset=opened.dataset,
        dataset_digest=opened.dataset_digest,
        domains=counted(judged),
        at=tx.now,
        by=tx.actor.name,
    )
    if not store.add_calibration(tx, opened.name, found):
        there = store.calibration(tx, found.digest)  # somebody else was quicker
        assert there is not None
        return there
    may = [one.counts.domain for one in report(found).domains if one.standing.may_gate]
    tx.record(
        "judge.calibrated",
        opened.evaluator,
        dataset=opened.dataset,
        digest=found.digest,
        gates="some" if may else "none",
        domains=may,
    )
    return found
