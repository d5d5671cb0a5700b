"""Our engine against an evaluator that was written from the language's rules alone."""

import random
from typing import Any

import cedarpy
import pytest
from tests.policies.reference import Expr, Policy, decision

from opsroom.contracts.model import ContractSpec
from opsroom.policies.engine import compile_bundle
from opsroom.policies.model import PolicyRequest, PolicySpec

FIELDS = {
    "n": {"type": "integer"},
    "m": {"type": "integer"},
    "s": {"type": "string"},
    "flag": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
}
TEXTS = ("", "a", "ab", "ba", "a*", "é", 'q"')
NUMBERS = (-1, 0, 1, 2, 2**63 - 1)
TOOLS = ("one", "two")
CONTRACTS = [
    ContractSpec(tool=tool, input={"type": "object", "properties": FIELDS}) for tool in TOOLS
]


class Source:
    """Random policies and requests. Some are ill-typed on purpose: these must deny."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def boolean(self, left: int) -> Expr:  # noqa: PLR0911  # one case a construct
        pick = self.random.choice
        if left == 0 or self.random.random() < 0.2:
            return pick(
                [("lit", True), ("lit", False), ("arg", "flag"), ("has", pick(list(FIELDS)))]
            )
        match self.random.randrange(9):
            case 0:
                return ("!", self.boolean(left - 1))
            case 1:
                return ("&&", self.boolean(left - 1), self.boolean(left - 1))
            case 2:
                return ("||", self.boolean(left - 1), self.boolean(left - 1))
            case 3:
                return ("if", *(self.boolean(left - 1) for _ in range(3)))
            case 4:
                return ("contains", pick([("arg", "tags"), self.texts()]), self.text())
            case 5:
                return ("like", self.text(), pick(["*", "a*", "*a", "b", "a*b*", ""]))
            case 6:
                return (pick(["<", "<=", ">", ">="]), self.number(), self.number())
            case 7:
                return (pick(["==", "!="]), self.any(), self.any())
            case _:
                field = pick(list(FIELDS))
                return ("&&", ("has", field), (pick(["==", "!="]), ("arg", field), self.any()))

    def number(self) -> Expr:
        pick = self.random.choice
        plain: list[Expr] = [("arg", "n"), ("arg", "m"), ("lit", pick(NUMBERS[1:]))]
        if self.random.random() < 0.2:
            return ("+", pick(plain), pick(plain))
        return pick(plain) if self.random.random() < 0.97 else ("arg", "s")

    def text(self) -> Expr:
        return self.random.choice([("arg", "s"), ("lit", self.random.choice(TEXTS))])

    def texts(self) -> Expr:
        return ("set", [self.text() for _ in range(self.random.randint(1, 3))])

    def any(self) -> Expr:
        made = (
            self.number,
            self.text,
            self.texts,
            lambda: ("arg", "flag"),
            lambda: ("arg", "tags"),
        )
        return self.random.choice(made)()

    def policies(self) -> list[Policy]:
        return [
            Policy(
                id=f"p{number}",
                effect=effect,
                condition=self.boolean(3),
                action=self.random.choice(["", "", *TOOLS]),
                asks=self.random.choice(["", "escalate", "defer"])
                if effect == "forbid"
                else "",
            )
            for number in range(self.random.randint(0, 5))
            for effect in [self.random.choice(["permit", "permit", "forbid"])]
        ]

    def arguments(self) -> dict[str, Any]:
        made = {
            "n": self.random.choice(NUMBERS),
            "m": self.random.choice(NUMBERS),
            "s": self.random.choice(TEXTS),
            "flag": self.random.random() < 0.5,
            "tags": self.random.sample(TEXTS, self.random.randint(0, 3)),
        }
        return {name: one for name, one in made.items() if self.random.random() < 0.85}


def compare(source: Source, sets: int, requests: int) -> set[str]:
    seen: set[str] = set()
    for _ in range(sets):
        policies = source.policies()
        text = "\n".join(one.text() for one in policies)
        bundle = compile_bundle([("p", PolicySpec(cedar=text))], CONTRACTS)
        asked = [
            PolicyRequest(
                agent="a", tool=source.random.choice(TOOLS), arguments=source.arguments()
            )
            for _ in range(requests)
        ]
        for request, ruling in zip(asked, bundle.decide_many(asked), strict=True):
            expected = decision(policies, request.tool, request.arguments)
            assert ruling.verdict.value == expected, (text, request, ruling)
            seen.add(expected + ("!" if ruling.error else ""))
    return seen


def test_no_difference_in_thousands() -> None:
    seen = compare(Source(20261127), sets=250, requests=16)
    assert seen == {"permit", "deny", "deny!", "escalate", "defer"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_difference_in_hundreds_of_thousands(seed: int) -> None:
    compare(Source(seed), sets=2_500, requests=20)


def test_where_nothing_asks_or_fails_cedar_itself_says_the_same() -> None:
    """A third opinion: Cedar's own combination of permits and forbids."""
    source, compared = Source(7), 0
    for _ in range(150):
        policies = [one for one in source.policies() if not one.asks]
        text = "\n".join(one.text() for one in policies)
        bundle = compile_bundle([("p", PolicySpec(cedar=text))], CONTRACTS)
        for _ in range(8):
            tool, arguments = source.random.choice(TOOLS), source.arguments()
            own = cedarpy.is_authorized(
                {
                    "principal": 'Agent::"a"',
                    "action": f'Action::"{tool}"',
                    "resource": 'Object::""',
                    "context": {"arguments": arguments},
                },
                text,
                [],
            )
            if own.diagnostics.errors:
                continue
            ruling = bundle.decide(PolicyRequest(agent="a", tool=tool, arguments=arguments))
            assert (ruling.verdict.value == "permit") is own.allowed, (text, arguments)
            compared += 1
    assert compared > 500
