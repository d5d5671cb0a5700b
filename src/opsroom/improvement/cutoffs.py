"""From which confidence on an agent need not ask, searched on decisions that people answered.

Half of the decisions, drawn by their ids, chooses: cut-offs are walked from strict to lax, each
tested by itself, and the laxest that is shown to hold is chosen. The other half chooses nothing
and says how often what lies above was wrong there, with the exact 95 % interval. Only decisions
that people were asked about count, as for every cut-off; see `opsroom.thresholds`.

Each search is a look of its own. What an agent is granted rests on examinations, which share one
confidence among all looks.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opsroom.agents import AgentSpec
from opsroom.evidence import Tally
from opsroom.evidence.thresholds import Cutoff, certify
from opsroom.kit.canonical import digest, sha256
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter, plain
from opsroom.registry import Ref, Version
from opsroom.thresholds import queries as thresholds
from opsroom.thresholds.model import Decision

from .errors import BadPlan
from .model import Candidate, Choice, Improvement, Plan, Score, Standing

CUTOFFS = tuple(step / 20 for step in range(20, -1, -1))
CONFIDENCE = (
    "confidence"  # of a manifest's thresholds: from which on it need not ask, by contract
)
WRONG, ALONE = "wrong above it", "decided alone"


def check_labels(tx: Tx, plan: Plan) -> None:
    """Raises `BadPlan` where there is nothing to search on, and what finding the agent raises."""
    if not _labelled(tx, plan):
        raise BadPlan(
            f"people answered no decision under {plan.contract!r} of which the agent said how"
            " sure it was"
        )


def search_cutoffs(
    tx: Tx, search: Improvement, base: Version
) -> tuple[list[Candidate], Choice]:
    """Every cut-off as a candidate, the base first, and which to propose, if any."""
    plan, decisions = search.plan, _labelled(tx, search.plan)
    if not decisions:
        return [], Choice(None, "people answered no decision")
    target = plan.max_error or thresholds.target(tx, decisions[0])
    choosing, held_out = halves(decisions)
    found = certify(
        [one.confidence for one in choosing],
        [bool(one.wrong) for one in choosing],
        target=target,
        cutoffs=CUTOFFS,
    )
    spec = adapter(AgentSpec).validate_python(base.spec)
    now = _present(spec, plan.contract)
    tried = {now: _candidate(tx, search, 0, base.spec, now, choosing)}
    for value in CUTOFFS:
        if value not in tried:
            changed = _with(spec, plan.contract, value)
            tried[value] = _candidate(tx, search, len(tried), changed, value, choosing)
    if found is not None:
        seen = wrong_above(held_out, found.value)
        tried[found.value] = replace(tried[found.value], held_out=seen)
    choice = _choice(None if found is None else tried[found.value], found, target)
    return list(tried.values()), choice


def halves(decisions: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """The half that chooses, and the half that is held out; a decision is always in the same."""
    parts: tuple[list[Decision], list[Decision]] = ([], [])
    for one in decisions:
        parts[int(sha256(one.action.encode())[0], 16) % 2].append(one)
    return parts


def wrong_above(decisions: Sequence[Decision], cutoff: float) -> Score | None:
    """The share that was wrong at this confidence or more; None where nothing lies there."""
    above = [one for one in decisions if one.confidence >= cutoff]
    return _share(WRONG, sum(bool(one.wrong) for one in above), len(above))


def _choice(best: Candidate | None, found: Cutoff | None, target: float) -> Choice:
    if best is None or found is None:
        return Choice(None, f"no cut-off is shown to keep errors below {target:.1%}")
    said = (
        f"at {found.value:g} or more, {found.errors} of {found.decided} were wrong on the half"
        f" that chose, at most {found.error_bound:.1%}"
    )
    if best.number == 0:
        return Choice(None, f"the base has the best cut-off already: {said}")
    seen = best.held_out
    if seen is None or seen.interval is None:
        return Choice(None, f"nothing of the held-out half lies above it: {said}")
    between = seen.interval
    said += (
        f"; on the held-out half {seen.value:.1%} [{between.low:.1%}, {between.high:.1%}] of"
        f" {seen.n} were"
    )
    if between.low > target:
        return Choice(
            None, f"the held-out half contradicts it ({target:.1%} were asked): {said}"
        )
    return Choice(best, said)


def _candidate(
    tx: Tx,
    search: Improvement,
    number: int,
    spec: dict[str, Any],
    cutoff: float | None,
    choosing: Sequence[Decision],
) -> Candidate:
    return Candidate(
        improvement=search.id,
        number=number,
        parent=None if number == 0 else 0,
        change="the base" if number == 0 else f"asks below a confidence of {cutoff:g}",
        spec=spec,
        digest=digest(spec),
        standing=Standing.TRIED,
        created_at=tx.now,
        score=None if cutoff is None else wrong_above(choosing, cutoff),
        alone=None
        if cutoff is None
        else _share(ALONE, sum(one.confidence >= cutoff for one in choosing), len(choosing)),
    )


def _labelled(tx: Tx, plan: Plan) -> list[Decision]:
    agent = Ref.parse(plan.target).name
    return thresholds.labelled(tx, agent, plan.contract, environment=plan.environment)


def _present(spec: AgentSpec, contract: str) -> float | None:
    """The cut-off of a manifest; None where it says none, so that everything is asked about."""
    found = spec.thresholds.get(CONFIDENCE)
    value = found.get(contract) if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _with(spec: AgentSpec, contract: str, value: float) -> dict[str, Any]:
    was = spec.thresholds.get(CONFIDENCE)
    cutoffs = {**(was if isinstance(was, dict) else {}), contract: value}
    changed: dict[str, Any] = plain(spec)
    changed["thresholds"] = {**changed["thresholds"], CONFIDENCE: cutoffs}
    return changed


def _share(metric: str, hits: int, n: int) -> Score | None:
    from opsroom.evidence.rates import clopper_pearson  # noqa: PLC0415  # scipy: 0.3 s

    if not n:
        return None
    return Score(
        metric=metric, value=hits / n, n=n, interval=clopper_pearson(Tally(n=n, hits=hits))
    )
