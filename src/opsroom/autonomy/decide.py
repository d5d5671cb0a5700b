"""Every decision about autonomy: what is allowed now, what was earned, what was lost. Pure.

Nothing here can widen by itself: a widening that is `Ready` still waits for a person. Missing
evidence keeps an agent where it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from opsroom.agents.model import AgentSpec, model_changed
from opsroom.contracts.model import Tier
from opsroom.evidence.model import Interval, Tally
from opsroom.evidence.sequential import rate_sequence
from opsroom.kit.wire import Wire

from .model import Allowance, Envelope, Grant, Level, Record, scopes, standard

MAX_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Wire):
    """What it takes to act alone, and when that is lost again.

    `target` is for the lower bound of agreement with people, `floor` for losing it; both
    bounds are valid however often one looks, with one-sided `confidence`.
    """

    target: float = 0.9
    floor: float = 0.8
    confidence: float = 0.95
    min_judged: int = 50
    min_days: float = 7.0
    max_corrected: float = 0.1
    max_incidents: int = 0


BOUNDED = Rules()
EXPANDED = Rules(target=0.95, floor=0.9, min_judged=200, min_days=30.0, max_corrected=0.05)


def rules_for(level: Level) -> Rules:
    return EXPANDED if level is Level.EXPANDED else BOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Wire):
    """The evidence is there; a person decides."""

    because: str
    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet(Wire):
    because: str
    kind: Literal["not_yet"] = "not_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow(Wire):
    to: Level
    because: str
    kind: Literal["narrow"] = "narrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay(Wire):
    kind: Literal["stay"] = "stay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherit(Wire):
    """The grant goes over to the new manifest."""

    because: str
    kind: Literal["inherit"] = "inherit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Wire):
    """Every action is approved again, and the evidence begins anew."""

    because: str
    kind: Literal["reset"] = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven(Wire):
    """The grant stays with the manifest that earned it; the new one is approved each time."""

    because: str
    kind: Literal["unproven"] = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the gate knows in the moment of a decision."""

    stopped: str | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict[str, Grant])
    alone: Mapping[str, int] = field(default_factory=dict[str, int])


def agreement(record: Record, *, confidence: float) -> Interval:
    """How often people agree, between bounds that each hold with `confidence`."""
    return rate_sequence(
        Tally(hits=record.agreed, n=record.judged), level=1 - 2 * (1 - confidence)
    )


def decide_widening(
    record: Record, grant: Grant, rules: Rules, now: datetime, *, to: Level
) -> Ready | NotYet:
    """Whether `grant` may be widened to the level `to`, as far as evidence goes.

    Up to `approve_each` a person sees every action anyway, so a person's word is enough. To
    act alone takes agreement that was measured on this level, one step at a time.
    """
    if not to.alone:
        return Ready(because="a person still approves every action")
    for missing in _missing(record, grant, rules, now, to):
        return NotYet(because=missing)
    bound = agreement(record, confidence=rules.confidence).low
    return Ready(
        because=f"people agreed with {record.agreed} of {record.judged} proposals: at least"
        f" {bound:.1%}, {rules.confidence:.0%} sure"
    )


def _missing(
    record: Record, grant: Grant, rules: Rules, now: datetime, to: Level
) -> Iterator[str]:
    """What is not there yet, the first thing to care for first."""
    if grant.level.rank < Level.APPROVE_EACH.rank:
        yield "people have to approve its actions for a while first"
    if to.rank > grant.level.rank + 1:
        yield f"one step at a time: not from {_said(grant.level)} to {_said(to)}"
    if record.judged < rules.min_judged:
        yield f"{record.judged} of {rules.min_judged} proposals judged by people"
    days = (now - max(grant.changed_at, record.since or now)) / timedelta(days=1)
    if days < rules.min_days:
        yield f"{max(days, 0):.1f} of {rules.min_days:g} days on this level"
    if record.incidents > rules.max_incidents:
        yield f"{record.incidents} incident(s), where {rules.max_incidents} are tolerated"
    if record.corrected > rules.max_corrected * record.judged:
        yield (
            f"people corrected {record.corrected} of {record.judged},"
            f" where {rules.max_corrected:.0%} are tolerated"
        )
    bound = agreement(record, confidence=rules.confidence).low
    if bound < rules.target:
        yield f"agreement is at least {bound:.1%}, and has to be at least {rules.target:.0%}"


def decide_narrowing(record: Record, grant: Grant, rules: Rules) -> Narrow | Stay:
    """Whether what was earned is lost, by an incident or by people disagreeing."""
    if not grant.level.alone:
        return Stay()
    if record.incidents > rules.max_incidents:
        return Narrow(
            to=Level.APPROVE_EACH,
            because=f"{record.incidents} incident(s) after acting alone",
        )
    if record.judged >= rules.min_judged:
        bound = agreement(record, confidence=rules.confidence).low
        if bound < rules.floor:
            return Narrow(
                to=Level.APPROVE_EACH,
                because=f"agreement is only sure to be {bound:.1%}, under {rules.floor:.0%}",
            )
    return Stay()


def decide_inheritance(
    before: AgentSpec | None, after: AgentSpec, *, came_through_canary: bool
) -> Inherit | Reset | Unproven:
    """What a grant does when another manifest takes over."""
    if before is None:
        return Inherit(because="the first version that serves")
    if model_changed(before, after):
        return Reset(because="another model answers now")
    if came_through_canary:
        return Inherit(because="it came through its canary")
    return Unproven(because="it did not come through a canary")


def present(grant: Grant, manifest: str) -> Grant:
    """The grant as it counts for a manifest: what another one earned is approved each time."""
    if not grant.level.alone or grant.manifest in {"", manifest}:
        return grant
    reads = grant.scope == f"tier/{Tier.READ.value}"
    lowered = Level.BOUNDED if reads else Level.APPROVE_EACH
    return replace(grant, level=min(grant.level, lowered, key=lambda one: one.rank))


def allowed(
    known: Known,
    *,
    contract: str,
    tier: Tier,
    manifest: str,
    amount: Decimal | None,
    confidence: float | None,
) -> Allowance:
    """What the grants say of one proposal.

    Without a grant an agent may look, and has to ask for the rest. Outside of its envelope a
    `bounded` agent has to ask.
    """
    if known.stopped is not None:
        return Allowance(
            level=Level.SUSPENDED, inside=False, stopped=True, because=known.stopped
        )
    mine = scopes(contract, tier)
    scope = next((one for one in mine if one in known.grants), "")
    if not scope:
        level = standard(mine[1])
        return Allowance(level=level, facts={"level": level.value, "grant": ""})
    granted = known.grants[scope]
    grant = present(granted, manifest)
    because = ""
    if grant.level is not granted.level:
        because = "this manifest has not come through its canary"
    elif grant.level is Level.SUSPENDED:
        because = grant.reason[:MAX_REASON]
    outside = ""
    if grant.level is Level.BOUNDED:
        outside = _outside(grant.envelope, amount, confidence, known.alone.get(scope, 0))
    return Allowance(
        level=grant.level,
        scope=scope,
        inside=not outside and grant.level.rank > Level.SUSPENDED.rank,
        because=outside or because,
        facts={
            "level": grant.level.value,
            "grant": grant.id,
            "revision": grant.revision,
            "max_per_day": grant.envelope.max_per_day,
            "spot_share": grant.envelope.spot_share,
        },
    )


def _outside(
    envelope: Envelope, amount: Decimal | None, confidence: float | None, today: int
) -> str:
    """Why a proposal lies outside of its envelope, or nothing. What is not known is outside."""
    if envelope.max_amount is not None:
        if amount is None or not amount.is_finite():
            return f"it may spend {envelope.max_amount:f} USD alone, and this has no amount"
        if amount > envelope.max_amount:
            return f"{amount:f} USD is more than the {envelope.max_amount:f} it may spend alone"
    if envelope.min_confidence is not None:
        if confidence is None:
            return "it has to say how sure it is, and did not"
        if not confidence >= envelope.min_confidence:
            return f"it is {confidence:g} sure, and has to be {envelope.min_confidence:g}"
    if envelope.max_per_day is not None and today >= envelope.max_per_day:
        return f"it did {today} of {envelope.max_per_day} alone today"
    return ""


def _said(level: Level) -> str:
    return level.value.replace("_", " ")
