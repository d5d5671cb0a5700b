"""Plain search: examples from the training split, a grid of parameters, versions that exist.

A search only proposes; whether something is better is read off what the workbench measured.
With the same seed and the same answers it proposes the same again, which is what lets it be
taken up after a crash.
"""

import random
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import product
from operator import itemgetter
from typing import Any

from pydantic import JsonValue

from opsroom.agents import AgentSpec
from opsroom.datasets import Item
from opsroom.kit.canonical import canonical
from opsroom.kit.wire import adapter, plain
from opsroom.prompts.model import Parameters, read_spec

from .errors import BadPlan
from .examples import usable, with_examples
from .material import Material
from .model import Candidate, beats
from .workbench import Workbench

MODEL = "model"
MOST_LEARNT = 200
_OWN = frozenset(Parameters.__dataclass_fields__) - {"name", "extra"}


def by_examples(bench: Workbench, material: Material) -> None:
    """Greedy forward selection: add a handful of training cases, keep what helps, go on.

    Cases that the base gets wrong come first. Every round tries a few ways of adding, drawn by
    the seed and spread over the answers that occur, and goes on from the best of them unless
    it is worse than what was there. It ends then, at the most examples, or with the cases.
    """
    plan = bench.plan
    pool = usable(material.train)[:MOST_LEARNT]
    if not pool:
        raise BadPlan("no item of the training split can be an example")
    draw = random.Random(plan.seed)  # noqa: S311  # repeatable on purpose
    done = bench.rehearse(bench.base.spec, pool)
    wrong = {one.item.hash for one in done if bench.good(one.result) < bench.best}
    base = read_spec(bench.base.spec)
    best, have = bench.candidates[0], list[Item]()
    while len(have) < plan.max_examples:
        left = [one for one in pool if one not in have]
        size = min(plan.step, plan.max_examples - len(have), len(left))
        if not size:
            return
        ways: list[tuple[Candidate, list[Item]]] = []
        for _ in range(plan.breadth):
            more = _spread(left, draw, first=wrong)[:size]
            named = ", ".join(one.id for one in more)
            tried = bench.try_spec(
                plain(with_examples(base, [*have, *more])),
                len(material.selection),
                parent=best.number,
                change=f"{len(have) + size} examples, with {named[:300]}",
            )
            ways.append((tried, more))
        first, more = ways[0]
        for other, others in ways[1:]:
            if beats(other, first):
                first, more = other, others
        if first.score is None or beats(best, first):
            return
        best, have = first, [*have, *more]


def by_parameters(bench: Workbench, material: Material) -> None:
    """Every combination of the grid. What a model is called is a parameter like any other."""
    for combination in _combinations(bench.plan.grid):
        changed = _with_parameters(bench.base.kind, bench.base.spec, combination)
        said = ", ".join(
            f"{name} {value if isinstance(value, str) else canonical(value).decode()}"
            for name, value in combination.items()
        )
        model = combination.get(MODEL, "")
        bench.try_spec(
            changed, len(material.selection), parent=0, change=said, model=str(model)
        )


def by_versions(bench: Workbench, material: Material) -> None:
    """Versions that are there already, on what they answered then or on what they answer now."""
    for at in bench.plan.versions:
        bench.try_version(at, len(material.selection))


def _spread(items: Sequence[Item], draw: random.Random, *, first: Container[str]) -> list[Item]:
    """The items in a random order in which every answer comes as early as it can, those whose
    hash is among `first` before the others.
    """
    mixed = list(items)
    draw.shuffle(mixed)
    mixed.sort(key=lambda one: one.hash not in first)
    turns: dict[bytes, int] = {}
    placed: list[tuple[bool, int, int, Item]] = []
    for number, one in enumerate(mixed):
        answer = canonical(one.expected)
        turn = turns[answer] = turns.get(answer, -1) + 1
        placed.append((one.hash not in first, turn, number, one))
    return [one for *_, one in sorted(placed, key=itemgetter(0, 1, 2))]


def _combinations(
    grid: Mapping[str, Sequence[JsonValue]],
) -> Iterator[dict[str, JsonValue]]:
    names = sorted(grid)
    for values in product(*(grid[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _with_parameters(
    kind: str, spec: dict[str, Any], chosen: Mapping[str, JsonValue]
) -> dict[str, Any]:
    """The spec with these parameters. What it says of none of them stays."""
    changed: dict[str, Any]
    if kind == "agent":
        changed = plain(adapter(AgentSpec).validate_python(spec))
        route = changed["model"]
        for name, value in chosen.items():
            if name == MODEL:
                route["model"] = value
            else:
                route["parameters"][name] = value
        return changed
    changed = plain(read_spec(spec))
    asked = changed["model"]
    for name, value in chosen.items():
        if name == MODEL:
            asked["name"] = value
        elif name in _OWN:
            asked[name] = value
        else:
            asked["extra"][name] = value
    return changed
