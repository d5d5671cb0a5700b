"""Scorecards of real recorded runs: what the data's own documentation says must come out.

Its paired table has 15 comparisons of six models on airline tasks; which of them hold when all
are asked at once follows from its counts by McNemar's exact test under Bonferroni.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.selection.world import MODELS, drawn, measured, result

from opsroom.app.kinds import KINDS
from opsroom.datasets import Item
from opsroom.evals.evaluators import evaluator
from opsroom.evals.evaluators.specs import LastLabel
from opsroom.evals.model import Result, Score
from opsroom.importing import commands as importing
from opsroom.importing.readers import read
from opsroom.kit.db import Actor, Database
from opsroom.models import Output
from opsroom.selection.commands import draw_up
from opsroom.selection.errors import DifferentTasks
from opsroom.selection.model import Ask, Candidate, Dimension, Outcome, Scorecard
from opsroom.selection.scoring import Measured

SIX = (
    "claude-sonnet-4-5",
    "gpt-4.1-finetuned",
    "gpt-4.1",
    "gpt-4o-2024-11-20",
    "gpt-oss-120b",
    "qwen2.5-7b",
)
# Of the data's paired table: who passes alone; p ≤ 0.05 / 15.
DECIDED = {
    ("claude-sonnet-4-5", "gpt-4o-2024-11-20"),  # 15 against 2
    ("claude-sonnet-4-5", "gpt-oss-120b"),  # 18 against 1
    ("claude-sonnet-4-5", "qwen2.5-7b"),  # 27 against 0
    ("gpt-4.1-finetuned", "qwen2.5-7b"),  # 10 against 0
    ("gpt-4o-2024-11-20", "qwen2.5-7b"),  # 17 against 3
}


@pytest.fixture
def runs(sqlite_db: Database, admin: Actor, data_dir: Path) -> Database:
    """A database with what six agents did on airline tasks, and two on retail tasks."""
    folder = data_dir / "tau/runs"
    with sqlite_db.write(admin) as tx:
        for name in (*(f"airline__{one}" for one in SIX), "retail__gpt-4.1"):
            importing.take_in(tx, read("tau", folder / f"{name}.jsonl.gz"), kinds=KINDS)
    return sqlite_db


def test_six_models_on_airline_tasks(runs: Database, admin: Actor) -> None:
    ask = asked(f"airline@{one}" for one in SIX)
    kept = draw_up(runs, admin, ask, models=MODELS)
    card = kept.card
    called = {one.name: one.called.partition("@")[2] for one in card.standings}
    assert [called[one.name] for one in card.standings] == list(SIX)
    verdicts = {(called[one.a], called[one.b]): one.verdict.value for one in card.contrasts}
    assert {pair for pair, said in verdicts.items() if said == "better"} == DECIDED
    assert {said for pair, said in verdicts.items() if pair not in DECIDED} == {"undecided"}
    assert card.recommendation.outcome is Outcome.UNDECIDED
    assert [called[one] for one in card.recommendation.among] == list(SIX[:3])
    assert card.shared == 20
    assert {called[one.name] for one in card.standings if one.cost.per_task is None} == {
        "gpt-4.1-finetuned", "gpt-oss-120b", "qwen2.5-7b",
    }  # fmt: skip
    again = draw_up(runs, admin, ask, models=MODELS)
    assert again == kept
    with pytest.raises(DifferentTasks) as caught:
        draw_up(runs, admin, asked(["airline@gpt-4.1", "retail@gpt-4.1"]), models=MODELS)
    assert (caught.value.what, caught.value.of_b) == ("dataset", "dataset/retail@1")
    fifty = [f"airline@{one}" for one in (SIX[0], *SIX[3:])]
    _put_to_all_fifty(draw_up(runs, admin, asked(fifty), models=MODELS).card)


def _put_to_all_fifty(card: Scorecard) -> None:
    """Without the two that were asked 20 tasks, figures are those of the documentation."""
    said = card.recommendation
    assert said.says.startswith("the recommendation is airline@claude-sonnet-4-5")
    fits = [one.measures[Dimension.FIT].value for one in card.standings]
    assert fits == pytest.approx([0.72, 0.46, 0.38, 0.18])
    cost = card.standings[0].cost.per_task
    assert cost is not None
    assert float(cost) == pytest.approx(14.4432 / 50, rel=1e-4)
    assert [one.place.value for one in card.standings] == [
        "front", "front", "unplaced", "unplaced",
    ]  # fmt: skip


def asked(subjects: Iterable[str]) -> Ask:
    return Ask(name="airline-model", candidates=tuple(Candidate(subject=s) for s in subjects))


def test_repeated_trials_say_how_steady_an_agent_is(data_dir: Path) -> None:
    """airline_v1 has four trials of each task: half of it passes all four that passes one."""
    steady = measured("gpt-4o", _tau(data_dir / "tau/runs/airline_v1__gpt-4o.jsonl.gz"))
    other = measured("coin", [replace(one, scores=_coin(one)) for one in _all(steady)])
    card = drawn(steady, other)
    by = {one.name: one for one in card.standings}
    agreed = by["gpt-4o"].measures[Dimension.CONSISTENCY]
    # 1 - 2 (0.42 - 0.2733): pass^1 and pass^2 of the data's documentation
    assert agreed.value == pytest.approx(1 - 2 * (0.42 - 0.2733), abs=1e-3)
    assert agreed.interval.low < agreed.value < agreed.interval.high


def test_dated_versions_of_two_models(data_dir: Path) -> None:
    """llmdrift: 0.840 > 0.680 > 0.518 and 0.502; the last two cannot be told apart among four."""
    label = evaluator(LastLabel(type="last-label", labels=("yes", "no")))
    found: dict[str, list[Result]] = {}
    for line in _lines(data_dir / "llmdrift/prime_full.jsonl.gz"):
        item = Item(id="q", input=line["query"], expected=line["reference"])
        score = label.assess(item, Output(text=line["answer"]))
        assert isinstance(score, Score)
        one = result(
            item.hash, score.value, cost=repr(line["cost_usd"]), latency=line["latency_s"]
        )
        found.setdefault(line["model"], []).append(one)
    card = drawn(*(measured(name, results) for name, results in found.items()))
    assert [one.name for one in card.standings] == [
        "gpt-4-0314", "gpt-3.5-turbo-0613", "gpt-3.5-turbo-0301", "gpt-4-0613",
    ]  # fmt: skip
    fits = [one.measures[Dimension.FIT].value for one in card.standings]
    assert fits == pytest.approx([0.840, 0.680, 0.518, 0.502], abs=5e-4)
    assert card.recommendation.outcome is Outcome.RECOMMENDED
    assert card.recommendation.among == ("gpt-4-0314",)
    undecided = [(one.a, one.b) for one in card.contrasts if one.verdict == "undecided"]
    assert undecided == [("gpt-3.5-turbo-0301", "gpt-4-0613")]
    alone = drawn(*(measured(name, found[name]) for name in undecided[0]))
    assert alone.recommendation.outcome is Outcome.RECOMMENDED  # 34 against 18, p = 0.036


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _tau(path: Path) -> list[Result]:
    return [
        result(str(one["task_id"]), float(one["reward"] >= 1), trial=one["trial"])
        for one in _lines(path)
    ]


def _all(one: Measured) -> list[Result]:
    return [each for some in one.arm.results.values() for each in some]


def _coin(one: Result) -> dict[str, Score]:
    return {"right": Score(value=float((int(one.item) + one.trial) % 2))}
