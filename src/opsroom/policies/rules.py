"""What several policies say together. No I/O, and nothing of Cedar: this is the rulebook.

Nothing is permitted unless a policy permits it, and a plain forbid goes before everything. A
forbid that asks is heard only where a permit applies and no plain forbid does; of several,
the hardest is. What only logs is told, and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .model import Reason, Ruling, Verdict

ASKS: Mapping[str, Verdict] = {
    "escalate": Verdict.ESCALATE,
    "defer": Verdict.DEFER,
    "modify": Verdict.MODIFY,
}
_HARDNESS = {one: number for number, one in enumerate(Verdict)}
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One policy, and what it says where it applies.

    `actions` are the tools and groups that its scope names, None where it names none.
    `arguments` and `facts` are what its conditions read; None stands for all of them.
    """

    id: str
    verdict: Verdict
    words: str
    set: Mapping[str, Any] = field(default_factory=dict[str, Any])
    log_only: bool = False
    actions: frozenset[str] | None = None
    arguments: frozenset[str] | None = None
    facts: frozenset[str] | None = None

    @property
    def reason(self) -> Reason:
        return Reason(
            policy=self.id, verdict=self.verdict, words=self.words, log_only=self.log_only
        )


def ruling(applying: Sequence[Rule], *, logging: bool) -> Ruling:
    """What the rules that apply say together. `logging` tells whether any rule of the set, applying
    or not, only logs; then `would` says what all of them would say.
    """
    said = _together([one for one in applying if not one.log_only])
    if not logging:
        return said
    told = sorted((one for one in applying if one.log_only), key=_order)
    return replace(
        said,
        reasons=(*said.reasons, *(one.reason for one in told)),
        would=_together(applying).verdict,
    )


def no_verdict(why: str) -> Ruling:
    """There is nothing to rely on, so nothing is permitted."""
    return Ruling(verdict=Verdict.DENY, error=why[:_LONGEST_ERROR])


def _together(rules: Sequence[Rule]) -> Ruling:
    permits = [one for one in rules if one.verdict is Verdict.PERMIT]
    against = sorted((one for one in rules if one.verdict is not Verdict.PERMIT), key=_order)
    reasons = tuple(one.reason for one in against)
    if not permits or (against and against[0].verdict is Verdict.DENY):
        return Ruling(verdict=Verdict.DENY, reasons=reasons)
    if not against:
        return Ruling(
            verdict=Verdict.PERMIT,
            reasons=tuple(one.reason for one in sorted(permits, key=_order)),
        )
    verdict = against[0].verdict
    merged: dict[str, Any] = {}
    for rule in against:
        for pointer, value in rule.set.items():
            if not _alike(merged.setdefault(pointer, value), value):
                # Nobody can tell which is meant: people are asked, about the call as it came.
                harder = max(verdict, Verdict.ESCALATE, key=_HARDNESS.__getitem__)
                return Ruling(verdict=harder, reasons=reasons)
    return Ruling(verdict=verdict, reasons=reasons, set=merged)


def _alike(one: Any, other: Any) -> bool:
    """Equal as JSON: to Python, true is 1."""
    return type(one) is type(other) and bool(one == other)


def _order(rule: Rule) -> tuple[int, str]:
    return -_HARDNESS[rule.verdict], rule.id
