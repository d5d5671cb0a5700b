"""What a change needs before it may serve, by criticality. Pure; the tables are the rules.

advisory    the author may move it alone once lint passes
assistive   lint, a passed gate, and one reviewer who is not the author
autonomous  a full release (gate, shadow, sample, canary) and two approvals, one of them risk
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opsroom.approvals import Answer, Approval
from opsroom.kit.wire import Wire

from .model import Criticality, Environment, Proposal

PROTECTED = frozenset({"production"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs(Wire):
    """What must be there before a protected label moves."""

    checks: tuple[str, ...]
    approvals: int
    risk_approvals: int = 0
    release: bool = False


NEEDS = {
    Criticality.ADVISORY: Needs(checks=("lint",), approvals=0),
    Criticality.ASSISTIVE: Needs(checks=("lint", "gate"), approvals=1),
    Criticality.AUTONOMOUS: Needs(
        checks=("lint", "gate"), approvals=2, risk_approvals=1, release=True
    ),
}
NOTHING = Needs(checks=(), approvals=0)
CHECKLIST = "bias"
# What every version of a prompt or an agent NAME has to stand: the datasets NAMED so before it,
# of what people corrected, of what its owners keep, and of attacks.
GUARDS = ("corrections", "regressions", "attacks")
ATTACKS = GUARDS[2]
GUARDED = frozenset({"prompt", "agent"})
# What people corrected gets its versions of nobody else: with a version of their own, authors
# would set the bar that they have to pass.
CORRECTIONS = GUARDS[0]


def keeper(kind: str, name: str) -> str:
    """What alone makes versions of an artifact of that name; empty where people do."""
    return CORRECTIONS if kind == "dataset" and name.startswith(f"{CORRECTIONS}-") else ""


def strictest(one: Criticality, other: Criticality) -> Criticality:
    return max(one, other, key=list(Criticality).index)


def needs(
    criticality: Criticality,
    label: str,
    *,
    first: bool = False,
    guarded: bool = False,
    listed: bool = False,
    environment: Environment | None = None,
) -> Needs:
    """What moving `label` takes. Labels that nobody serves from are free, and so are those of an
    `environment` that is not reviewed.

    The `first` version has nothing to be compared with: people answer for it, no gate can.
    What is `guarded` by a dataset of cases that have to stay right is checked on them wherever
    it has to pass a gate. What is `listed` has a checklist that a person answers, the first
    version too.
    """
    if environment is not None and environment.reviewed:
        criticality = strictest(criticality, environment.criticality)
    elif label not in PROTECTED:
        return NOTHING
    need = NEEDS[criticality]
    if first:
        need = replace(need, checks=("lint",), release=False)
    elif guarded and "gate" in need.checks:
        need = replace(need, checks=(*need.checks, "regression"))
    return replace(need, checks=(*need.checks, CHECKLIST)) if listed else need


def missing_approvals(need: Needs, approvals: Sequence[Approval], author: str) -> list[str]:
    """What is still missing in approvals, in words. Each person counts once, the author never."""
    speak = {
        one.approver: one
        for one in approvals
        if one.answer is Answer.APPROVE and one.approver != author
    }
    missing: list[str] = []
    if len(speak) < need.approvals:
        missing.append(f"{len(speak)} of {need.approvals} approvals")
    risk = sum("risk" in one.roles or "admin" in one.roles for one in speak.values())
    if risk < need.risk_approvals:
        missing.append(f"{risk} of {need.risk_approvals} approvals by the risk role")
    return missing


def missing(proposal: Proposal, need: Needs, approvals: Sequence[Approval]) -> list[str]:
    """What keeps a proposal from being merged, in words; empty when nothing does."""
    states = {check.name: check.state for check in proposal.checks}
    reasons = [
        f"check {name!r} is {states.get(name, 'missing')}"
        for name in need.checks
        if states.get(name) != "passed"
    ]
    reasons += [
        f"check {check.name!r} failed"
        for check in proposal.checks
        if check.state == "failed" and check.name not in need.checks
    ]
    return reasons + missing_approvals(need, approvals, proposal.author)
