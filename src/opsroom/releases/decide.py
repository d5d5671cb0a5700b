"""The rulebook: what should happen to a release, given what is known.

Missing evidence holds a release back; it never lets one through. A decision depends on the
release, the evidence and the time alone, so it can be replayed from what was stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opsroom.evals.gate import Outcome
from opsroom.evidence import Stretch, Tally
from opsroom.evidence.allocation import sample_ratio_e
from opsroom.evidence.rates import lower_bound
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from . import judge
from .errors import UnknownRulebook
from .evidence import Evidence
from .model import (
    FINAL,
    Abort,
    Advance,
    AnyDecision,
    Because,
    Decision,
    Hold,
    Pause,
    Promote,
    Release,
    RollBack,
    State,
)
from .plan import SamplePlan

# Names the rules, their constants and the statistics behind them: a decision that is stored
# under this name must come out the same for ever. Who changes any of it keeps the old rules
# beside the new ones, under their name.
DECIDER = "decide/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord(Wire):
    """A decision with everything it rests on: enough to take it again, years later.

    `digest` covers all of it. `decider` names the rulebook that was in force.
    """

    id: str
    at: datetime
    release: Release
    evidence: Evidence
    decision: Decision
    digest: str
    decider: str = DECIDER


def record(
    decision_id: str,
    release: Release,
    evidence: Evidence,
    decision: AnyDecision,
    *,
    at: datetime,
) -> DecisionRecord:
    rests_on = {
        "id": decision_id,
        "at": at.isoformat(),
        "release": plain(release),
        "evidence": plain(evidence),
        "decision": plain(decision),
        "decider": DECIDER,
    }
    return DecisionRecord(
        id=decision_id,
        at=at,
        release=release,
        evidence=evidence,
        decision=decision,
        digest=digest(rests_on),
    )


def replay(found: DecisionRecord) -> AnyDecision:
    """Take a stored decision again, from what is stored with it alone.

    Raises `UnknownRulebook` for one that was taken by rules which are not here.
    """
    rules = _RULEBOOKS.get(found.decider)
    if rules is None:
        raise UnknownRulebook(found.id, found.decider)
    return rules(found.release, found.evidence, now=found.at)


def decide(release: Release, evidence: Evidence, *, now: datetime) -> AnyDecision:
    """Say what should happen to `release`, given what is known about its candidate.

    What ends a release comes first, then what stops it, then what it waits for, and only
    then what lets it go on. One that is over is left alone.
    """
    return (
        _over(release)
        or _ended(release, evidence)
        or _RULES[release.state](release, evidence, now)
    )


def _over(release: Release) -> AnyDecision | None:
    if release.state in FINAL:
        return Hold(code=Because.OVER, because=f"already {release.state.value}")
    return None


def _ended(release: Release, evidence: Evidence) -> AnyDecision | None:
    end = RollBack if release.met_traffic else Abort
    if evidence.security_events:
        because = f"{evidence.security_events} security event(s)"
        return end(code=Because.SECURITY, because=because)
    if release.active and evidence.champion != release.baseline:
        there = "nothing" if evidence.champion is None else f"version {evidence.champion}"
        because = (
            f"{release.environment} names {there} by now, and no longer version "
            f"{release.baseline}, which the candidate is compared with"
        )
        return end(code=Because.BASELINE_MOVED, because=because)
    return None


def _draft(_release: Release, _evidence: Evidence, _now: datetime) -> AnyDecision:
    return Advance(to=State.GATING, code=Because.STARTED, because="started")


def _gating(release: Release, evidence: Evidence, _now: datetime) -> AnyDecision:
    plan, gate = release.plan.gate, evidence.gate
    because = "the plan has no gate"
    if plan is not None:
        if gate is None:
            both = f"{release.candidate} and {release.champion}"
            because = f"{both} are not both measured on {plan.dataset} yet"
            return Hold(code=Because.GATE, because=because)
        because = f"the gate {_GATE[gate.outcome]}: {gate.because}"
        if gate.outcome is Outcome.FAILED:
            return Abort(code=Because.GATE, because=because)
        if gate.outcome is not Outcome.PASSED:
            return Pause(code=Because.GATE, because=because)
    if evidence.approvals_missing:
        return Hold(code=Because.APPROVALS, because="; ".join(evidence.approvals_missing))
    return Advance(to=State.SHADOWING, code=Because.PROVEN, because=because)


_GATE = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "is inconclusive",
    Outcome.ERROR: "could not be computed",
}


def _shadowing(release: Release, evidence: Evidence, now: datetime) -> AnyDecision:
    plan, pairs = release.plan, evidence.shadow.pairs
    if alarm := judge.shadow_alarm(plan, evidence):
        return Abort(code=Because.WORSE, because=alarm.because)
    if gone := judge.missing(plan, evidence):
        return Pause(code=Because.MISSING_DATA, because=gone)
    counted = f"{pairs:,} of {plan.shadow.min_pairs:,} shadow pairs"
    over = release.entered_at + plan.shadow.min_time
    if now < over:
        because = f"the shadow run lasts until {_clock(over)}; {counted}"
        return Hold(code=Because.TIME, because=because, until=over)
    if pairs < plan.shadow.min_pairs:
        return Hold(code=Because.SAMPLES, because=counted)
    because = f"{pairs:,} shadow pairs without an alarm"
    return Advance(to=State.IN_REVIEW, code=Because.PROVEN, because=because)


def _in_review(release: Release, evidence: Evidence, _now: datetime) -> AnyDecision:
    plan, sample = release.plan.sample, evidence.sample
    if plan.size == 0:
        because = "the plan asks for no sample"
        return Advance(to=State.CANARYING, code=Because.PROVEN, because=because)
    if sample.drawn < plan.size:
        because = f"only {sample.drawn} of {plan.size} shadow pairs could be drawn for review"
        return Pause(code=Because.REVIEW, because=because)
    needed = good_needed(plan, sample.drawn)
    found = f"{sample.good} of {sample.judged} judged answers are good"
    if needed is None or sample.judged - sample.good > sample.drawn - needed:
        enough = f"{needed or 'more'} of {sample.drawn} have to be"
        return Abort(code=Because.REVIEW, because=f"{found}; {enough}")
    if sample.judged < sample.drawn:
        because = f"{sample.judged} of {sample.drawn} sampled pairs are judged"
        return Hold(code=Because.REVIEW, because=because)
    return Advance(to=State.CANARYING, code=Because.PROVEN, because=found)


def good_needed(plan: SamplePlan, drawn: int) -> int | None:
    """The least number of good answers whose exact lower bound reaches what the plan asks."""
    for good in range(drawn + 1):
        tally = Tally(n=drawn, hits=good)
        if lower_bound(tally, confidence=plan.confidence) >= plan.min_pass:
            return good
    return None


def _canarying(release: Release, evidence: Evidence, now: datetime) -> AnyDecision:
    return (
        _stopped(release, evidence)
        or _waiting(release, evidence, now)
        or _step_done(release, evidence)
    )


def _stopped(release: Release, evidence: Evidence) -> AnyDecision | None:
    if mismatch := _split_broken(release, evidence):
        return Pause(code=Because.SPLIT, because=mismatch)
    if alarm := judge.canary_alarm(release.plan, evidence):
        return RollBack(code=Because.WORSE, because=alarm.because)
    if gone := judge.missing(release.plan, evidence):
        return Pause(code=Because.MISSING_DATA, because=gone)
    return None


def _waiting(release: Release, evidence: Evidence, now: datetime) -> AnyDecision | None:
    step = release.canary_step
    served = _served(release, evidence)
    counted = f"{served:,} of {step.min_n:,} requests to the candidate"
    over = release.entered_at + step.min_duration
    if now < over:
        because = f"{_where(release)} lasts until {_clock(over)}; {counted}"
        return Hold(code=Because.TIME, because=because, until=over)
    if served < step.min_n:
        return Hold(code=Because.SAMPLES, because=f"{_where(release)}: {counted}")
    return None


def _step_done(release: Release, evidence: Evidence) -> AnyDecision:
    plan = release.plan
    if release.step + 1 < len(plan.steps):
        served = _served(release, evidence)
        because = f"{_where(release)}: no alarm in {served:,} requests to the candidate"
        return Advance(
            to=State.CANARYING, step=release.step + 1, code=Because.PROVEN, because=because
        )
    if open_ := judge.undecided(plan, evidence):
        return Hold(code=Because.UNDECIDED, because="; ".join(open_))
    held = ", ".join(rule.metric for rule in plan.primaries)
    return Promote(code=Because.PROVEN, because=f"shown to hold: {held}; no alarm")


def _promoted(_release: Release, _evidence: Evidence, _now: datetime) -> AnyDecision:
    return Hold(code=Because.OVER, because="nothing is left to prove")


def _paused(release: Release, _evidence: Evidence, _now: datetime) -> AnyDecision:
    return Hold(code=Because.PERSON, because=f"paused: {release.because}")


_RULES: dict[State, Callable[[Release, Evidence, datetime], AnyDecision]] = {
    State.DRAFT: _draft,
    State.GATING: _gating,
    State.SHADOWING: _shadowing,
    State.IN_REVIEW: _in_review,
    State.CANARYING: _canarying,
    State.PROMOTED: _promoted,
    State.PAUSED: _paused,
}


def _split_broken(release: Release, evidence: Evidence) -> str | None:
    requests = [
        Stretch(
            weight=leg.weight,
            a=Tally(n=leg.champion.n, hits=0),
            b=Tally(n=leg.challenger.n, hits=0),
        )
        for leg in evidence.legs
    ]
    if sample_ratio_e(requests) < 1 / release.plan.split_alpha:
        return None
    got = sum(part.b.n for part in requests)
    due = sum(part.weight * (part.a.n + part.b.n) for part in requests)
    return (
        f"the candidate reported {got:,} requests where the split sent it about {due:,.0f}: "
        "requests are lost or doubled on one arm, so nothing can be compared"
    )


def _served(release: Release, evidence: Evidence) -> int:
    """Requests to the candidate in the present step."""
    return sum(leg.challenger.n for leg in evidence.legs if leg.step == release.step)


def _where(release: Release) -> str:
    step = f"step {release.step + 1} of {len(release.plan.steps)}"
    return f"{step} ({release.canary_step.weight:.0%})"


def _clock(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


class _Rulebook(Protocol):
    def __call__(
        self, release: Release, evidence: Evidence, *, now: datetime
    ) -> AnyDecision: ...


_RULEBOOKS: dict[str, _Rulebook] = {DECIDER: decide}
