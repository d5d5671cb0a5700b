"""Deciding: policies, compiled once, put to one proposal after another.

Cedar says which policies apply; what they say together is decided in `rules`. Cedar skips a
policy that fails while it is evaluated; a forbid must not be lost that way, so any failure
denies. Only what the policies of a tool read is converted for Cedar.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from opsroom.contracts.model import ContractSpec, Tier
from opsroom.kit import cedar
from opsroom.kit.canonical import digest
from opsroom.kit.cedar import NotCedar, Policy, pst
from opsroom.kit.wire import plain
from opsroom.registry import Finding, Severity

from .errors import BrokenPolicy
from .facts import FACTS
from .model import Mode, PolicyRequest, PolicySpec, Ruling, Verdict
from .rules import ASKS, Rule, no_verdict, ruling
from .schema import (
    ACTION,
    AGENT,
    ANY,
    OBJECT,
    Arguments,
    NotExpressible,
    arguments_of,
    entities_of,
    facts_turned,
    group,
    schema_of,
)

MOST_TEXT = 256 * 1024
_STAND_INS = tuple(ContractSpec(tool=f"any {tier.value} tool", risk=tier) for tier in Tier)
_CONTEXT = pst.Var(name="context")


@dataclass(frozen=True, slots=True)
class _Read:
    """A rule, and its policy as Cedar parsed it."""

    rule: Rule
    policy: Policy


class _Slice:
    """The rules that can concern one tool, ready to be asked."""

    def __init__(self, read: Sequence[_Read], arguments: Arguments) -> None:
        self.rules = {one.rule.id: one.rule for one in read}
        self.arguments = arguments
        self.reads = _union(one.rule.arguments for one in read)
        self.facts = _union(one.rule.facts for one in read)
        self.logging = any(one.rule.log_only for one in read)
        self.all = _parsed(read)
        self.enforced = (
            _parsed([one for one in read if not one.rule.log_only])
            if self.logging
            else self.all
        )

    def asked(self, request: PolicyRequest) -> dict[str, Any]:
        """A request as Cedar reads it. Raises `NotExpressible`."""
        context = {
            "arguments": self.arguments.turned(request.arguments, self.reads),
            "facts": facts_turned(request.facts, self.facts),
            "human": request.human,
        }
        return {
            "principal": {"type": AGENT, "id": request.agent},
            "action": {"type": ACTION, "id": request.tool},
            "resource": {"type": OBJECT, "id": request.resource},
            "context": json.dumps(context),
        }

    def rulings(
        self, asked: Sequence[dict[str, Any]], entities: cedar.Entities
    ) -> list[Ruling]:
        answers = cedar.ask(asked, self.all, entities)
        return [
            self._ruling(answer, one, entities)
            for answer, one in zip(answers, asked, strict=True)
        ]

    def _ruling(
        self, answer: cedar.Answer, asked: dict[str, Any], entities: cedar.Entities
    ) -> Ruling:
        if not answer.errors:
            return ruling(self._applying(answer), logging=self.logging)
        if self.logging:
            # What failed may be a policy that only logs; that must not change the verdict.
            answer = cedar.ask([asked], self.enforced, entities)[0]
            if not answer.errors:
                said = ruling(self._applying(answer), logging=False)
                return replace(said, would=Verdict.DENY)
        failed = no_verdict("; ".join(answer.errors))
        return replace(failed, would=Verdict.DENY) if self.logging else failed

    def _applying(self, answer: cedar.Answer) -> list[Rule]:
        return [self.rules[name] for name in answer.applying]


class Bundle:
    """Policies and the contracts they may speak of. Immutable, and safe to share."""

    def __init__(
        self, policies: Sequence[tuple[str, PolicySpec]], contracts: Sequence[ContractSpec]
    ) -> None:
        self._policies = tuple(policies)
        self._contracts = {spec.tool: spec for spec in contracts}
        self._read = [one for name, spec in policies for one in _read(name, spec)]
        _all_different([one.rule for one in self._read])
        self._entities = cedar.entities(entities_of(contracts))
        self._slices: dict[str, _Slice] = {}

    @cached_property
    def digest(self) -> str:
        """Names everything that a verdict rests on beside the request."""
        return digest(
            {
                "policies": [[name, plain(spec)] for name, spec in self._policies],
                "contracts": {tool: spec.face for tool, spec in self._contracts.items()},
                "risks": {tool: spec.risk.value for tool, spec in self._contracts.items()},
            }
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the policies, given these contracts."""
        contracts = list(self._contracts.values())
        return tuple(
            one for name, spec in self._policies for one in validate(name, spec, contracts)
        )

    def reads(self, tool: str, fact: str) -> bool:
        """Whether a rule that can concern this tool may ask for this fact."""
        if tool not in self._contracts:
            return False
        asked = self._slice(tool).facts
        return asked is None or fact in asked

    def decide(self, request: PolicyRequest) -> Ruling:
        """What the policies say of one proposal. Never raises: no verdict is a denial."""
        return self.decide_many((request,))[0]

    def decide_many(self, requests: Sequence[PolicyRequest]) -> list[Ruling]:
        """What the policies say of each, in the order of the requests. Never raises."""
        rulings: list[Ruling] = [no_verdict("it was not decided")] * len(requests)
        waiting: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for place, request in enumerate(requests):
            try:
                asked = self._slice(request.tool).asked(request)
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not permit
                rulings[place] = no_verdict(_why(error))
            else:
                waiting.setdefault(request.tool, []).append((place, asked))
        for tool, group_ in waiting.items():
            for (place, _), said in zip(group_, self._rulings(tool, group_), strict=True):
                rulings[place] = said
        return rulings

    def _rulings(self, tool: str, group_: list[tuple[int, dict[str, Any]]]) -> list[Ruling]:
        """The rulings of a group. One that Cedar cannot read does not take the others along."""
        try:
            return self._slices[tool].rulings([asked for _, asked in group_], self._entities)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not permit
            if len(group_) == 1:
                return [no_verdict(_why(error))]
            return [self._rulings(tool, [one])[0] for one in group_]

    def _slice(self, tool: str) -> _Slice:
        found = self._slices.get(tool)
        if found is None:
            spec = self._contracts.get(tool)
            if spec is None:
                raise NotExpressible(f"no contract covers {tool!r}")
            known = {tool, group(spec.risk), ANY}
            mine = [
                one
                for one in self._read
                if one.rule.actions is None or known & one.rule.actions
            ]
            found = self._slices[tool] = _Slice(mine, arguments_of(spec))
        return found


def compile_bundle(
    policies: Sequence[tuple[str, PolicySpec]], contracts: Sequence[ContractSpec]
) -> Bundle:
    """Policies made ready to decide. Raises `BrokenPolicy` for what cannot be read."""
    return Bundle(policies, contracts)


def read_rules(name: str, spec: PolicySpec) -> list[Rule]:
    """The policies of a spec, in the order of its text. Raises `BrokenPolicy`."""
    rules = [one.rule for one in _read(name, spec)]
    _all_different(rules)
    return rules


def validate(name: str, spec: PolicySpec, contracts: Sequence[ContractSpec]) -> list[Finding]:
    """What Cedar's own validator says of a spec against the schema of these contracts; without
    any, against tools of every tier that take nothing.

    Rules about tools or tiers that are not among them are left out: nothing is known of those.
    """
    tools = contracts or _STAND_INS
    found = cedar.validate(spec.cedar, schema_of(tools))
    there = {ANY, *(one.tool for one in tools), *(group(one.risk) for one in tools)}
    skipped = {
        one.id
        for one in read_rules(name, spec)
        if one.actions is not None and not (one.actions <= there)
    }
    findings = [
        Finding(
            code="policy_invalid",
            severity=Severity.ERROR,
            message=one.message,
            place=f"{name}/{one.policy}",
            hint="docs/reference/policy-facts.md lists the facts; arguments are the contract's",
        )
        for one in found
    ]
    return [one for one in findings if one.place not in skipped] + _unreadable(
        name, spec, contracts
    )


def _unreadable(
    name: str, spec: PolicySpec, contracts: Sequence[ContractSpec]
) -> list[Finding]:
    """Rules that read what Cedar cannot type: a call that gives it is denied."""
    left_out = {
        one.tool: {place.split("/")[1] for place in arguments_of(one).left_out}
        for one in contracts
    }
    return [
        Finding(
            code="policy_unreadable_argument",
            severity=Severity.WARNING,
            message=f"policies cannot read the argument {argument!r} of {tool!r}",
            place=rule.id,
            hint="unions, free-form objects and lists of objects have no type in Cedar",
        )
        for rule in read_rules(name, spec)
        for tool in sorted(left_out.keys() & (rule.actions or frozenset()))
        for argument in sorted(left_out[tool] & (rule.arguments or frozenset()))
    ]


def unknown_facts(name: str, spec: PolicySpec) -> list[Finding]:
    """The facts that a spec reads and nobody computes; this needs no contract to be known."""
    return [
        Finding(
            code="policy_unknown_fact",
            severity=Severity.ERROR,
            message=f"there is no fact {fact!r}",
            place=rule.id,
            hint="docs/reference/policy-facts.md lists the facts",
        )
        for rule in read_rules(name, spec)
        for fact in sorted((rule.facts or frozenset()) - FACTS.keys())
    ]


def _read(name: str, spec: PolicySpec) -> list[_Read]:
    if len(spec.cedar) > MOST_TEXT:
        raise BrokenPolicy(name, f"they are longer than {MOST_TEXT // 1024} kB")
    try:
        found = cedar.read(spec.cedar)
    except NotCedar as error:
        raise BrokenPolicy(name, str(error)) from error
    log_only = spec.mode is Mode.LOG_ONLY
    return [_Read(_rule(name, one, log_only=log_only), one) for one in found]


def _rule(name: str, policy: Policy, *, log_only: bool) -> Rule:
    notes = policy.annotations
    given = notes.get("id", "")
    if not given:
        raise BrokenPolicy(name, 'every policy needs an @id("…")')
    word = notes.get("verdict")
    if word is not None and (policy.effect == "permit" or word not in ASKS):
        raise BrokenPolicy(name, f"{given!r}: @verdict is {', '.join(ASKS)}, on a forbid")
    verdict = Verdict.DENY if word is None else ASKS[word]
    if policy.effect == "permit":
        verdict = Verdict.PERMIT
    if "set" in notes and verdict is not Verdict.MODIFY:
        raise BrokenPolicy(name, f'{given!r}: @set needs @verdict("modify")')
    return Rule(
        id=f"{name}/{given}",
        verdict=verdict,
        words=notes.get("reason") or given.replace("-", " ").replace("_", " "),
        set=_set(name, given, notes.get("set", "")) if verdict is Verdict.MODIFY else {},
        log_only=log_only,
        actions=_actions(policy.action),
        arguments=_mentioned(policy.clauses, "arguments"),
        facts=_mentioned(policy.clauses, "facts"),
    )


def _set(name: str, rule: str, text: str) -> dict[str, Any]:
    pointer, equals, value = text.partition("=")
    try:
        if not equals or not pointer.startswith("/"):
            raise ValueError(text)  # noqa: TRY301  # the same complaint
        return {pointer: json.loads(value)}
    except ValueError as error:
        raise BrokenPolicy(name, f'{rule!r}: @set reads "/pointer=JSON"') from error


def _actions(scope: pst.ActionConstraint) -> frozenset[str] | None:
    match scope:
        case pst.ActionEq(entity=entity):
            return frozenset({entity.id})
        case pst.ActionIn(entities=entities):
            return frozenset(entity.id for entity in entities)
        case _:
            return None


def _mentioned(clauses: tuple[pst.Clause, ...], part: str) -> frozenset[str] | None:
    """What the clauses read of `context.PART`; None where they may read any of it."""
    found = [name for clause in clauses for name in _names(clause.expr, part)]
    return None if None in found else frozenset(name for name in found if name is not None)


def _names(node: object, part: str) -> Iterator[str | None]:
    """The names that an expression reads of `context.PART`; None for the whole of it."""
    whole = pst.GetAttr(base=_CONTEXT, attr=part)
    match node:
        case pst.GetAttr(base=base, attr=attr) if base == whole:
            yield attr
        case pst.HasAttr(base=base, attrs=attrs) if base == whole:
            yield attrs[0]
        case pst.HasAttr(base=base, attrs=attrs) if base == _CONTEXT:
            yield from attrs[1:2] if attrs[0] == part else ()
        case pst.GetAttr(base=base, attr=attr) if base == _CONTEXT and attr != part:
            return
        case pst.Var(name="context"):
            yield None
        case _:
            for one in _inside(node):
                yield from _names(one, part)


def _inside(node: object) -> Iterator[object]:
    if isinstance(node, tuple):
        yield from node
    elif isinstance(node, Mapping):
        yield from node.values()
    elif is_dataclass(node):
        for one in fields(node):
            yield getattr(node, one.name)


def _parsed(read: Sequence[_Read]) -> cedar.PolicySet:
    return cedar.together({one.rule.id: one.policy for one in read})


def _all_different(rules: Sequence[Rule]) -> None:
    known: set[str] = set()
    for rule in rules:
        if rule.id in known:
            name, _, given = rule.id.rpartition("/")
            raise BrokenPolicy(name, f"two policies are called {given!r}")
        known.add(rule.id)


def _union(parts: Iterator[frozenset[str] | None]) -> frozenset[str] | None:
    whole: frozenset[str] = frozenset()
    for one in parts:
        if one is None:
            return None
        whole |= one
    return whole


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
