"""Candidates made of outcomes, for scorecards without a database; and an office with a database."""

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import Arm
from opsroom.evals.model import EvalRun, Metric, Result, Score
from opsroom.evals.trust import JudgeOf
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database
from opsroom.models import Find, Model, NoModelConfigured, Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft
from opsroom.registry import commands as registry
from opsroom.selection.model import Ask, Candidate, Scorecard
from opsroom.selection.scoring import Measured, draw


class NoModels:
    """Nothing can be asked live."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Find]:
        yield _nothing


def _nothing(name: str) -> Model:
    raise NoModelConfigured(name)


MODELS = NoModels()
NOW = datetime(2026, 11, 20, tzinfo=UTC)
RIGHT = Metric(name="right")


def result(
    item: str,
    right: float | None,
    *,
    trial: int = 0,
    form: float | None = None,
    cost: str | None = None,
    latency: float | None = None,
    tokens: tuple[int, int] | None = None,
) -> Result:
    """One answer; None is an error."""
    scores = {} if right is None else {"right": Score(value=right)}
    if form is not None:
        scores["form"] = Score(value=form)
    return Result(
        run_id="run",
        item=item,
        item_id=item,
        trial=trial,
        scores=scores,
        cost=None if cost is None else Decimal(cost),
        latency=latency,
        input_tokens=tokens[0] if tokens else None,
        output_tokens=tokens[1] if tokens else None,
        error="timeout" if right is None else None,
    )


def outcomes(rights: Sequence[float | None], **rest: object) -> list[Result]:
    return [result(f"i{n}", one, **rest) for n, one in enumerate(rights)]  # type: ignore[arg-type]


def measured(
    name: str,
    results: Iterable[Result],
    *,
    edge: Iterable[Result] = (),
    candidate: Candidate | None = None,
    model: str | None = None,
) -> Measured:
    run = EvalRun(
        id=f"run_{name}",
        subject=digest(name),
        subject_name=name,
        dataset="d",
        dataset_name="dataset/d@1",
        evaluators="e",
        metrics=(RIGHT, Metric(name="form")),
        created_at=NOW,
    )
    edge = list(edge)
    edge_run = replace(run, id=f"edge_{name}", split="edge") if edge else None
    return Measured(
        candidate=candidate or Candidate(subject=name),
        name=name,
        run=run,
        arm=_arm(run, results),
        edge_run=edge_run,
        edge_arm=_arm(edge_run, edge) if edge_run else None,
        model=model,
    )


def _arm(run: EvalRun, results: Iterable[Result]) -> Arm:
    return Arm(
        run.subject_name,
        version=run.subject,
        dataset=run.dataset,
        evaluators=run.evaluators,
        results=results,
    )


def drawn(*found: Measured, judge: JudgeOf | None = None, **ask: object) -> Scorecard:
    wanted = Ask(name="pick", candidates=tuple(one.candidate for one in found), **ask)  # type: ignore[arg-type]
    wanted.check()
    return draw(wanted, found, judge=judge, at=NOW)


CASES = 60
SHARES = (0.95, 0.9, 0.4)  # how often versions 1, 2 and 3 of the clerk are right


def office(db: Database, actor: Actor) -> None:
    """A clerk and a teller in three versions each, with what they answered; both datasets cite
    the same evaluator.
    """
    with db.write(actor) as tx:
        for kind, name in (("agent", "clerk"), ("agent", "teller"), ("evaluator", "right")):
            draft = ArtifactDraft(kind=kind, name=name, criticality=Criticality.ASSISTIVE)
            registry.create_artifact(tx, draft, kinds=KINDS)
        rule = VersionDraft(spec={"type": "equals", "metric": "right"})
        registry.create_version(tx, "evaluator", "right", rule, kinds=KINDS)
        for name in ("clerk", "teller"):
            items = [
                *(Item(id=f"i{n}", input=f"{name} {n}", expected="yes") for n in range(CASES)),
                *(
                    Item(id=f"e{n}", input=f"{name}, oddly {n}", expected="yes", split="edge")
                    for n in range(20)
                ),
            ]
            datasets.put(tx, name, items, kinds=KINDS, evaluators=["right"])
            for number, share in enumerate(SHARES, 1):
                manifest = VersionDraft(spec={"model": {"model": f"model-{name}-{number}"}})
                made = registry.create_version(tx, "agent", name, manifest, kinds=KINDS)
                recordings.add(tx, list(_answers(made.digest, items, number, share)))


def _answers(
    subject: str, items: Sequence[Item], number: int, share: float
) -> Iterable[Recording]:
    chance = random.Random(number)
    for item in items:
        yield Recording(
            subject=subject,
            item=item.hash,
            output=Output(
                text="yes" if chance.random() < share else "no",
                cost=Decimal(number) / 100,
                latency=1.0 + number + chance.random(),
                input_tokens=1000,
                output_tokens=100,
            ),
        )
