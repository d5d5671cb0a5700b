"""What only policies show on their page: each rule in words, and the text that says it."""

from contextlib import suppress

from opsroom.contracts.model import ContractSpec
from opsroom.contracts.naming import stored_as
from opsroom.contracts.queries import contract
from opsroom.kit.db import Tx
from opsroom.kit.errors import NotFound
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel

from .engine import read_rules
from .model import Mode, PolicySpec, Verdict
from .testing import Outcome, run, tools_of

TONES = {Verdict.PERMIT: "good", Verdict.DENY: "bad", Verdict.MODIFY: "info"}


def draw(tx: Tx, version: Version) -> Panel:
    """The rules in the order of the text, and the tests that they come with."""
    spec = adapter(PolicySpec).validate_python(version.spec)
    rules = [
        {
            "id": rule.id.partition("/")[2],
            "verdict": rule.verdict.value,
            "tone": TONES.get(rule.verdict, "warn"),
            "words": rule.words,
            "of": ", ".join(sorted(rule.actions)) if rule.actions is not None else "every tool",
        }
        for rule in read_rules(version.name, spec)
    ]
    return Panel(
        template="policies/panel.html",
        facts={
            "spec": spec,
            "rules": rules,
            "logs": spec.mode is Mode.LOG_ONLY,
            "outcomes": _outcomes(tx, version.name, spec),
            "past": f"/policies/what-if?policy={version.name}@{version.number}",
        },
    )


def _outcomes(tx: Tx, name: str, spec: PolicySpec) -> list[Outcome]:
    """The tests, run against the contracts of today. A tool without one fails its rows."""
    known: dict[str, ContractSpec] = {}
    for tool in tools_of(spec):
        with suppress(NotFound):
            _, known[tool] = contract(tx, stored_as(tool))
    return run(name, spec, known)


PAGE = KindPage(
    kind="policy",
    path="/policies",
    plural="policies",
    question="What must agents obey?",
    absent="Until an agent cites one, the shipped policies hold: they ask before anything grave.",
    command="opsroom policy store NAME FILE.yaml",
    draw=draw,
    served=False,
)
