"""Cedar's rules for the common subset, read from the language's description and nothing of ours.

A policy is a tree of tuples that can be written as Cedar text and be evaluated here. `Fails`
is Cedar's error: the policy is skipped by Cedar, and denies with us.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Expr = tuple[Any, ...]
_LONG = 2**63


class Fails(Exception):
    """An expression has no value."""


@dataclass(frozen=True)
class Policy:
    """`permit` or `forbid`, with the verdict that a forbid asks for, over actions or any."""

    id: str
    effect: str
    condition: Expr
    action: str = ""
    asks: str = ""

    def text(self) -> str:
        scope = f"action == Action::{json.dumps(self.action)}" if self.action else "action"
        verdict = f'@verdict("{self.asks}") ' if self.asks else ""
        return (
            f'@id("{self.id}") {verdict}{self.effect} (principal, {scope}, resource)'
            f" when {{ {written(self.condition)} }};"
        )


def written(expr: Expr) -> str:  # noqa: PLR0911  # one line a construct
    match expr:
        case ("lit", value):
            return json.dumps(value, ensure_ascii=False)
        case ("set", items):
            return f"[{', '.join(written(one) for one in items)}]"
        case ("arg", name):
            return f"context.arguments.{name}"
        case ("has", name):
            return f"context.arguments has {name}"
        case ("like", inner, pattern):
            return f"({written(inner)} like {json.dumps(pattern, ensure_ascii=False)})"
        case ("contains", whole, part):
            return f"{written(whole)}.contains({written(part)})"
        case ("!", inner):
            return f"!({written(inner)})"
        case ("if", condition, then, other):
            return f"(if {written(condition)} then {written(then)} else {written(other)})"
        case (operator, left, right):
            return f"({written(left)} {operator} {written(right)})"
        case _:
            raise AssertionError(expr)


def value(  # noqa: C901, PLR0911, PLR0912  # one case a construct
    expr: Expr, arguments: Mapping[str, Any]
) -> Any:
    match expr:
        case ("lit", plain):
            return plain
        case ("set", items):
            return frozenset(_typed(value(one, arguments)) for one in items)
        case ("arg", name):
            if name not in arguments:
                raise Fails(name)
            found = arguments[name]
            return frozenset(map(_typed, found)) if isinstance(found, list) else found
        case ("has", name):
            return name in arguments
        case ("like", inner, pattern):
            return like(_of(str, value(inner, arguments)), pattern)
        case ("contains", whole, part):
            members = _of(frozenset, value(whole, arguments))
            return _typed(value(part, arguments)) in members
        case ("!", inner):
            return not _of(bool, value(inner, arguments))
        case ("if", condition, then, other):
            chosen = then if _of(bool, value(condition, arguments)) else other
            return value(chosen, arguments)
        case ("&&", left, right):
            return _of(bool, value(left, arguments)) and _of(bool, value(right, arguments))
        case ("||", left, right):
            return _of(bool, value(left, arguments)) or _of(bool, value(right, arguments))
        case ("==", left, right):
            return _typed(value(left, arguments)) == _typed(value(right, arguments))
        case ("!=", left, right):
            return _typed(value(left, arguments)) != _typed(value(right, arguments))
        case (("<" | "<=" | ">" | ">=" | "+") as operator, left, right):
            return _numeric(operator, value(left, arguments), value(right, arguments))
        case _:
            raise AssertionError(expr)


def like(text: str, pattern: str) -> bool:
    """Whether a pattern, in which `*` stands for any text, is all of `text`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return like(text, pattern[1:]) or (bool(text) and like(text[1:], pattern))
    return bool(text) and text[0] == pattern[0] and like(text[1:], pattern[1:])


def decision(policies: Sequence[Policy], tool: str, arguments: Mapping[str, Any]) -> str:
    """What we promise: nothing without a permit, failures deny, the hardest objection wins."""
    permitted, objections = False, set[str]()
    for policy in policies:
        if policy.action and policy.action != tool:
            continue
        try:
            applies = _of(bool, value(policy.condition, arguments))
        except Fails:
            return "deny"
        if applies and policy.effect == "permit":
            permitted = True
        elif applies:
            objections.add(policy.asks or "deny")
    if not permitted:
        return "deny"
    for hardest in ("deny", "defer", "escalate"):
        if hardest in objections:
            return hardest
    return "permit"


def _typed(plain: Any) -> tuple[str, Any]:
    """Values of different types are never equal in Cedar; in Python, true is 1."""
    return type(plain).__name__, plain


def _of(kind: type[Any], found: Any) -> Any:
    if type(found) is not kind:
        raise Fails(f"{found!r} is no {kind.__name__}")
    return found


def _numeric(operator: str, left: Any, right: Any) -> Any:
    one, other = _of(int, left), _of(int, right)
    match operator:
        case "<":
            return one < other
        case "<=":
            return one <= other
        case ">":
            return one > other
        case ">=":
            return one >= other
        case _:
            total = one + other
            if not -_LONG <= total < _LONG:
                raise Fails("overflow")
            return total
