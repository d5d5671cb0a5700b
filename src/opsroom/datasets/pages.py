"""What only datasets show on their page: splits, where the items came from, the first of them."""

from typing import Any

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel

from . import queries
from .model import DatasetSpec, Item

FIRST = 15
SHOWN = 240


def draw(tx: Tx, version: Version) -> Panel:
    """How many items each split has, and the first ones as they are."""
    spec = adapter(DatasetSpec).validate_python(version.spec)
    return Panel(
        template="datasets/panel.html",
        facts={
            "version": version,
            "spec": spec,
            "total": len(spec.items),
            "items": [_shown(item) for item in queries.items(tx, spec, limit=FIRST)],
        },
    )


def _shown(item: Item) -> dict[str, Any]:
    """An item in one line; long ones are cut, and say so."""
    return {
        "id": item.id,
        "split": item.split,
        "trace": str(item.metadata.get("trace", "")),
        "input": cut(item.input),
        "expected": "" if item.expected is None else cut(item.expected),
    }


def cut(value: Any, most: int = SHOWN) -> str:
    """A value in one line, at most so long; an object of texts reads as what it says."""
    text = _line(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _line(value: Any) -> str:
    if isinstance(value, str):
        return value
    if (
        isinstance(value, dict)
        and value
        and all(isinstance(one, str) for one in value.values())
    ):
        return "; ".join(f"{name}: {one}" for name, one in value.items())
    return canonical(value).decode()


PAGE = KindPage(
    kind="dataset",
    path="/datasets",
    plural="datasets",
    question="What are agents measured on?",
    absent="A dataset is a file of cases, with what should come out where that is known.",
    command="opsroom dataset import NAME FILE.jsonl",
    draw=draw,
    served=False,
)
