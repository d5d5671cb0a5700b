"""A release in words: what its state is, what will happen by itself, what the numbers say. Pure."""

from opsroom.evals.comparison import Role
from opsroom.evals.model import Scale
from opsroom.evidence import Direction, Verdict
from opsroom.evidence.model import verdict
from opsroom.web.charts import Tone
from opsroom.web.formats import number, percent

from .decide import good_needed
from .evidence import Evidence
from .judge import Alarm, Reading
from .model import Because, Hold, Release, State
from .plan import MetricRule

STATES: dict[State, tuple[str, Tone]] = {
    State.DRAFT: ("draft", "muted"),
    State.GATING: ("at the gate", "info"),
    State.SHADOWING: ("in shadow", "info"),
    State.IN_REVIEW: ("in review", "info"),
    State.CANARYING: ("in canary", "info"),
    State.PROMOTED: ("promoted", "good"),
    State.SUPERSEDED: ("superseded", "muted"),
    State.PAUSED: ("paused", "warn"),
    State.ABORTED: ("stopped", "bad"),
    State.ROLLED_BACK: ("rolled back", "bad"),
}


def moves(release: Release) -> str:
    """`customs-classifier 2 → 3`."""
    return f"{release.name} {release.baseline} → {release.number}"


def title(release: Release) -> tuple[str, Tone]:
    """The state in words, with the share of traffic where there is some."""
    word, tone = STATES[release.state]
    if release.leg is not None:
        word = f"canary {percent(release.leg.weight, 0)}"
    return word, tone


def by_itself(release: Release, decision: object, evidence: Evidence) -> str:
    """What happens next if nobody does anything, in a sentence or two."""
    match release.state:
        case State.DRAFT | State.GATING:
            return _gate_ahead(release, decision)
        case State.IN_REVIEW:
            return _review_ahead(release, evidence)
        case State.CANARYING:
            return _canary_ahead(release, decision)
        case state:
            return _AHEAD.get(state, "Nothing: this release is over.")


_AHEAD = {
    State.SHADOWING: (
        "When the time is over and the pairs are there, a random sample goes to people. "
        "A metric that is worse beyond its margin stops it at once."
    ),
    State.PAUSED: (
        "Nothing moves until somebody resumes or ends it; everybody gets the champion."
    ),
    State.PROMOTED: (
        "Nothing. It serves until another version is released or it is rolled back."
    ),
}


def concluded(found: Reading, alarm: Alarm | None) -> tuple[str, Tone]:
    """What may be said of a metric on live traffic now, `alarm` being what was raised."""
    interval = found.estimate.interval
    if _alarmed(found, alarm):
        return "worse", "bad"
    if found.holds:
        return "holds", "good"
    if interval is None:
        return "undecided", "warn"
    says = verdict(interval, direction=found.rule.direction, margin=found.rule.margin)
    if found.rule.role is Role.PRIMARY and says is Verdict.NOT_WORSE:
        return "undecided", "warn"
    return {
        Verdict.BETTER: ("better", "good"),
        Verdict.NOT_WORSE: ("not worse", "info"),
        Verdict.WORSE: ("worse", "bad"),
        Verdict.UNDECIDED: ("undecided", "warn"),
    }[says]  # type: ignore[return-value]  # the words above are tones


def harm(found: Reading, alarm: Alarm | None) -> str:
    """The evidence that a metric is worse, in words."""
    if _alarmed(found, alarm):
        if found.e is None:
            return "proof that it is worse: the interval lies beyond what is tolerated"
        if found.e < found.limit:
            return "proof that it is worse: too many of all bad ones at a planned look"
        return f"proof that it is worse: {_e(found.e)}, where {_e(found.limit)} is the alarm"
    if found.e is None:
        return "the interval alone decides"
    strength = (
        "nothing speaks against it"
        if found.e <= 1
        else "hardly anything speaks against it"
        if found.e < 5
        else "some evidence that it is worse"
        if found.e < found.limit / 4
        else "strong evidence that it is worse"
    )
    return f"{strength}: {_e(found.e)}, the alarm is at {_e(found.limit)}"


def _alarmed(found: Reading, alarm: Alarm | None) -> bool:
    mine = alarm is not None and alarm.metric == found.rule.metric
    return mine or (found.e is not None and found.e >= found.limit)


def rate(rule: MetricRule, evidence: Evidence, *, challenger: bool) -> float | None:
    """What a metric came to on one arm over the whole canary."""
    arms = [leg.challenger if challenger else leg.champion for leg in evidence.legs]
    counts = [arm.metric(rule.metric) for arm in arms]
    n = sum(one.n for one in counts)
    if n == 0:
        return None
    if rule.scale is Scale.BINARY:
        return sum(one.hits for one in counts) / n
    return sum(one.mean * one.n for one in counts) / n


def margin_line(rule: MetricRule) -> float:
    """Where the margin lies on the axis of differences, challenger − champion."""
    return rule.margin if rule.direction is Direction.LOWER else -rule.margin


def _gate_ahead(release: Release, decision: object) -> str:
    match decision:
        case Hold(code=Because.APPROVALS, because=because):
            return f"The shadow run begins once it is approved; missing: {because}."
        case _ if release.plan.gate is not None:
            return (
                f"Both versions are measured on {release.plan.gate.dataset.split('/')[-1]}. It goes on if "
                "the gate passes and it is approved, ends if the gate fails, and pauses if the gate "
                "cannot say."
            )
        case _:
            return "The shadow run begins once it is approved."


def _review_ahead(release: Release, evidence: Evidence) -> str:
    drawn = evidence.sample.drawn
    needed = good_needed(release.plan.sample, drawn)
    return (
        f"The canary begins once all {drawn} sampled answers are judged and at least {needed} "
        "of them are good. It stops as soon as that cannot happen any more."
    )


def _canary_ahead(release: Release, decision: object) -> str:
    plan = release.plan
    last = release.step + 1 == len(plan.steps)
    held = ", ".join(rule.metric for rule in plan.primaries)
    after = (
        f"it is promoted once {held} is shown to hold"
        if last
        else f"it goes to {percent(plan.steps[release.step + 1].weight, 0)}"
    )
    match decision:
        case Hold(code=Because.UNDECIDED, because=because):
            return f"It is promoted as soon as the numbers allow it. {because[:1].upper()}{because[1:]}."
        case _:
            return (
                f"When this step has its time and its requests, {after}. It rolls back by itself the "
                "moment a guardrail breaks or a metric is shown to be worse."
            )


def _e(value: float) -> str:
    return number(value, 0 if value >= 100 else 1)
