"""Arms for gate tests: made from outcomes, or read from the recorded data."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsroom.evals.comparison import Arm
from opsroom.evals.model import Result, Score
from opsroom.kit.canonical import digest

Outcomes = Mapping[str, Sequence[float | None]]


def result(item: str, value: float | None, *, trial: int = 0, metric: str = "passed") -> Result:
    """One result; None is an error."""
    if value is None:
        return Result(run_id="run_1", item=item, item_id=item, trial=trial, error="timeout")
    return Result(
        run_id="run_1",
        item=item,
        item_id=item,
        trial=trial,
        scores={metric: Score(value=value)},
    )


def arm(
    name: str, results: Iterable[Result], *, dataset: str = "d", evaluators: str = "e"
) -> Arm:
    return Arm(
        name, version=digest(name), dataset=dataset, evaluators=evaluators, results=results
    )


def arms(
    outcomes: Sequence[tuple[float | None, float | None]], metric: str = "passed"
) -> tuple[Arm, Arm]:
    """Baseline and candidate from pairs of values, one item each."""
    return (
        arm("a@1", [result(f"i{n}", a, metric=metric) for n, (a, _) in enumerate(outcomes)]),
        arm("a@2", [result(f"i{n}", b, metric=metric) for n, (_, b) in enumerate(outcomes)]),
    )


def counts(
    *, both: int, only_a: int, only_b: int, neither: int
) -> list[tuple[float | None, float | None]]:
    return [
        *[(1.0, 1.0)] * both,
        *[(1.0, 0.0)] * only_a,
        *[(0.0, 1.0)] * only_b,
        *[(0.0, 0.0)] * neither,
    ]


def recorded(
    path: Path,
    name: str,
    *,
    of: Callable[[dict[str, Any]], bool],
    content: Callable[[dict[str, Any]], Any],
    value: Callable[[dict[str, Any]], float],
) -> Arm:
    """An arm from a recorded file: the lines it is made `of`, by content, with their value."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [one for one in map(json.loads, lines) if of(one)]
    return arm(name, [result(digest(content(one)), value(one)) for one in records])
