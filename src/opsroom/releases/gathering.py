"""Collecting what is known about a release, so that it can be decided."""

from opsroom import approvals
from opsroom.kit.db import Tx
from opsroom.registry import checklists, rules
from opsroom.registry import queries as registry

from . import store
from .evidence import Evidence, GateResult, LegCounts
from .model import Release, State


def gather(tx: Tx, release: Release) -> Evidence:
    """Everything that `decide` may look at, as it is stored now."""
    gate = store.gate(tx, release.id)
    label = registry.label(tx, release.kind, release.name, release.environment)
    return Evidence(
        champion=label.number if label else None,
        security_events=store.count_security_events(tx, release.id),
        gate=gate,
        approvals_missing=_approvals_missing(tx, release, gate),
        shadow=store.shadow(tx, release.id, release.round),
        sample=store.sample_counts(tx, [release])[release.id],
        legs=tuple(store.leg(tx, release.id, leg) for leg in release.legs if not leg.void),
        looks=tuple(_sound(release, legs) for _, legs in store.looks(tx, release.id)),
    )


def _approvals_missing(tx: Tx, release: Release, gate: GateResult | None) -> tuple[str, ...]:
    """Which approvals its criticality still asks for, and whether the bias checklist does, in
    words; asked while gating only.
    """
    if release.state is not State.GATING:
        return ()
    of = registry.artifact(tx, release.kind, release.name)
    need = registry.needs(tx, of, release.environment, first=False)
    binding = release.binding(gate.evidence if gate else "")
    standing = approvals.standing(tx, release.subject, binding)
    others = [one for one in standing if one.approver != release.version_author]
    missing = rules.missing_approvals(need, others, release.author)
    if rules.CHECKLIST in need.checks and (lack := checklists.lacking(tx, of, release.number)):
        missing.append(lack)
    return tuple(missing)


def _sound(release: Release, legs: tuple[LegCounts, ...]) -> tuple[LegCounts, ...]:
    """An earlier look, without the legs that were spoilt since."""
    void = {leg.number for leg in release.legs if leg.void}
    return tuple(leg for leg in legs if leg.leg not in void)
