"""A small team's files, as a workspace sends them."""

from typing import Any

from opsroom.datasets.model import Item
from opsroom.kit.db import Tx
from opsroom.registry import Criticality
from opsroom.registry import queries as registered
from opsroom.workspace.model import Base, Entry, Files, Plan

TONE = "Be kind."
ITEMS = (Item(id="a", input="Ada", expected="Hello, Ada."), Item(id="b", input={"n": 1}))


def prompt(name: str, text: str, **rest: Any) -> Entry:
    includes = rest.pop("includes", {})
    spec = {"format": "text", "text": text, "includes": includes}
    return Entry(
        kind="prompt",
        name=name,
        file=f"prompts/{name}.yaml",
        spec=spec,
        criticality=Criticality.ADVISORY,
        **rest,
    )


def entries(tone: str = TONE, **rest: Any) -> tuple[Entry, ...]:
    """What cites comes first, so that their order is somebody else's work."""
    return (
        Entry(
            kind="agent",
            name="greeter",
            file="agents/greeter.yaml",
            spec={"model": {"model": "gpt-x"}, "prompts": {"system": "greeting"}},
        ),
        Entry(
            kind="dataset",
            name="hello",
            file="datasets/hello.yaml",
            spec={"description": "greetings", "evaluators": ["exact"]},
            items=ITEMS,
        ),
        prompt("greeting", "{% include 'tone' %} Hello.", includes={"tone": "tone"}),
        prompt("tone", tone, **rest),
        Entry(
            kind="evaluator",
            name="exact",
            file="evaluators/exact.yaml",
            spec={"type": "equals"},
        ),
    )


def files(*given: Entry, **rest: Any) -> Files:
    return Files(entries=given or entries(), **rest)


def states(plan: Plan) -> dict[str, str]:
    return {one.ref: one.state.value for one in plan.files}


def base(tx: Tx, kind: str, name: str) -> Base:
    newest = registered.versions(tx, kind, name, limit=1)[0]
    return Base(number=newest.number, digest=newest.digest)
