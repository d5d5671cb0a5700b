"""What the counts say about one metric: is it worse, does it hold, is it still open?

Every answer may be asked for after every request. The chance of a false alarm is spent once,
over the whole release and over all rules of a role (Bonferroni).
"""

from dataclasses import dataclass
from math import ceil, inf

from opsroom.evals.comparison import Role
from opsroom.evals.model import Scale
from opsroom.evidence import Interval
from opsroom.evidence.guardrail import rate_ratio_e
from opsroom.evidence.means import mean_difference_sequence, mean_sequence
from opsroom.evidence.sequential import (
    difference_sequence,
    e_above,
    e_below,
    paired_sequence,
)
from opsroom.kit.wire import Wire

from . import turned
from .evidence import Evidence, PairCounts
from .looks import Look, crossed, done
from .plan import MetricRule, Plan

# How the chance of a false alarm is spent: while shadowing, at any time in the canary, and
# at the planned looks at guardrails that count failures.
SHADOW, ALWAYS, PLANNED = 0.05, 0.15, 0.8
LEAST = 20  # requests before a share of missing values means anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A metric that is worse, and what shows it."""

    metric: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Wire):
    """How far the challenger is from the champion, in the metric's own unit; None while
    there is too little.
    """

    difference: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Wire):
    """One rule and what is known about it in the canary, for people.

    `e` is the evidence that it is worse than tolerated, with an alarm at `limit`. `more` is
    about how many more requests to the challenger would show that a primary metric holds, if
    things stay as they are; None where none would.
    """

    rule: MetricRule
    champion: int
    challenger: int
    estimate: Estimate
    e: float | None
    limit: float
    holds: bool
    more: int | None


def shadow_alarm(plan: Plan, evidence: Evidence) -> Alarm | None:
    """The first metric that is worse in the shadow run."""
    for rule in plan.metrics:
        counts = evidence.shadow.metric(rule.metric)
        loss = turned.paired_loss(rule, counts)
        if loss is None or loss <= rule.margin:
            continue
        if _worse_in_shadow(plan, rule, counts):
            because = (
                f"{rule.metric}: the candidate is worse by {loss:.4g} in {counts.n:,} shadow "
                f"pairs, where {rule.margin:g} is tolerated"
            )
            return Alarm(metric=rule.metric, because=because)
    return None


def canary_alarm(plan: Plan, evidence: Evidence) -> Alarm | None:
    """The first metric that is worse on live traffic."""
    for rule in plan.metrics:
        loss = turned.loss(rule, evidence.legs)
        if loss is not None and loss > rule.margin and _worse(plan, rule, evidence):
            return Alarm(metric=rule.metric, because=_in_words(rule, evidence, loss))
    return None


def holds(plan: Plan, rule: MetricRule, evidence: Evidence) -> bool:
    """Whether it is shown that the challenger loses no more than the margin."""
    if rule.scale is Scale.NUMBER:
        interval = _interval(rule, evidence, 1 - 2 * plan.alpha)
        return interval is not None and interval.high < rule.margin
    stretches = turned.stretches(rule, evidence.legs)
    known = turned.expected(rule, evidence)
    return e_below(stretches, difference=rule.margin, expected=known) >= 1 / plan.alpha


def undecided(plan: Plan, evidence: Evidence) -> list[str]:
    """Every primary metric that is not shown to hold yet, in words."""
    words: list[str] = []
    for rule in plan.primaries:
        if holds(plan, rule, evidence):
            continue
        more = _more(plan, rule, evidence)
        says = (
            "as it stands, no number of requests will show that it holds"
            if more is None
            else f"about {more:,} more requests to the candidate would show that it holds"
        )
        words.append(f"{rule.metric} is undecided: {says}")
    return words


def missing(plan: Plan, evidence: Evidence) -> str | None:
    """The first metric of which too many values are missing, in words."""
    for rule in plan.metrics:
        if not rule.must_have_data:
            continue
        for who, gone, n in (*_gone_in_shadow(rule, evidence), *_gone_live(rule, evidence)):
            if n >= LEAST and gone > rule.max_missing * n:
                return (
                    f"{rule.metric} is missing for {gone:,} of {n:,} requests to the {who}, "
                    f"more than {rule.max_missing:.0%}"
                )
    return None


def readings(plan: Plan, evidence: Evidence) -> tuple[Reading, ...]:
    """Every rule with its numbers, for pages and people."""
    return tuple(_reading(plan, rule, evidence) for rule in plan.metrics)


def estimate(plan: Plan, rule: MetricRule, evidence: Evidence) -> Estimate:
    loss = turned.loss(rule, evidence.legs)
    if loss is None:
        return Estimate(difference=None, interval=None)
    interval = _interval(rule, evidence, 1 - plan.alpha)
    return Estimate(
        difference=turned.turn(rule, loss),
        interval=interval and turned.turn_interval(rule, interval),
    )


def _reading(plan: Plan, rule: MetricRule, evidence: Evidence) -> Reading:
    primary = rule.role is Role.PRIMARY
    held = primary and holds(plan, rule, evidence)
    found = estimate(plan, rule, evidence)
    binary = rule.scale is Scale.BINARY
    return Reading(
        rule=rule,
        champion=sum(leg.champion.metric(rule.metric).n for leg in evidence.legs),
        challenger=_served(rule, evidence),
        estimate=found,
        e=_harm(rule, evidence) if binary and found.difference is not None else None,
        limit=1 / (_at_any_time(rule) * _alpha(plan, rule)),
        holds=held,
        more=_more(plan, rule, evidence) if primary and not held else None,
    )


def _worse_in_shadow(plan: Plan, rule: MetricRule, counts: PairCounts) -> bool:
    alpha = SHADOW * _alpha(plan, rule)
    if _counts_failures(rule):
        return rate_ratio_e([turned.discordant(rule, counts)]) >= 1 / alpha
    if rule.scale is Scale.BINARY:
        low = paired_sequence(turned.pairs(rule, counts), level=1 - 2 * alpha).low
    else:
        interval = mean_sequence(turned.paired_moments(rule, counts), level=1 - 2 * alpha)
        low = -inf if interval is None else interval.low
    return low > rule.margin


def _worse(plan: Plan, rule: MetricRule, evidence: Evidence) -> bool:
    alpha = _alpha(plan, rule)
    always = _at_any_time(rule) * alpha
    if rule.scale is Scale.NUMBER:
        interval = _interval(rule, evidence, 1 - 2 * always)
        return interval is not None and interval.low > rule.margin
    if _harm(rule, evidence) >= 1 / always:
        return True
    return _counts_failures(rule) and crossed(_looks(plan, rule, evidence), PLANNED * alpha)


def _harm(rule: MetricRule, evidence: Evidence) -> float:
    """The e-value against "no worse than tolerated"."""
    stretches = turned.stretches(rule, evidence.legs)
    if _counts_failures(rule):
        return rate_ratio_e(stretches)
    known = turned.expected(rule, evidence)
    return e_above(stretches, difference=rule.margin, expected=known)


def _counts_failures(rule: MetricRule) -> bool:
    """Whether failures alone answer the question, which is then: is it worse at all?"""
    return rule.scale is Scale.BINARY and rule.role is Role.GUARDRAIL and rule.margin == 0


def _at_any_time(rule: MetricRule) -> float:
    return ALWAYS if _counts_failures(rule) else ALWAYS + PLANNED


def _alpha(plan: Plan, rule: MetricRule) -> float:
    rules = plan.primaries if rule.role is Role.PRIMARY else plan.guardrails
    return plan.alpha / len(rules)


def _looks(plan: Plan, rule: MetricRule, evidence: Evidence) -> list[Look]:
    looks: list[Look] = []
    for legs in evidence.looks:
        failures: dict[float, int] = {}
        challenger = 0
        for part in turned.stretches(rule, legs):
            failures[part.weight] = failures.get(part.weight, 0) + part.a.hits + part.b.hits
            challenger += part.b.hits
        looks.append(Look(done(plan, legs), tuple(failures.items()), challenger))
    return looks


def _interval(rule: MetricRule, evidence: Evidence, level: float) -> Interval | None:
    if rule.scale is Scale.NUMBER:
        return mean_difference_sequence(turned.moments(rule, evidence.legs), level=level)
    return difference_sequence(
        turned.stretches(rule, evidence.legs),
        level=level,
        expected=turned.expected(rule, evidence),
    )


def _more(plan: Plan, rule: MetricRule, evidence: Evidence) -> int | None:
    """About how many more requests to the challenger it takes, since intervals narrow like
    1/√n; None where the observed loss is not inside the margin.
    """
    loss, n = turned.loss(rule, evidence.legs), _served(rule, evidence)
    if loss is None:
        return plan.steps[-1].min_n
    room = rule.margin - loss
    if room <= 0:
        return None
    interval = _interval(rule, evidence, 1 - 2 * plan.alpha)
    if interval is None:
        return n
    return max(1, ceil(n * (((interval.high - loss) / room) ** 2 - 1)))


def _served(rule: MetricRule, evidence: Evidence) -> int:
    return sum(leg.challenger.metric(rule.metric).n for leg in evidence.legs)


def _in_words(rule: MetricRule, evidence: Evidence, loss: float) -> str:
    n = _served(rule, evidence)
    if rule.scale is Scale.NUMBER:
        return f"{rule.metric}: the candidate is worse by {loss:.4g} on average, {n:,} requests"
    parts = turned.stretches(rule, evidence.legs)
    bad = sum(part.b.hits for part in parts)
    fair = sum(part.weight * (part.a.hits + part.b.hits) for part in parts)
    return (
        f"{rule.metric}: {bad:,} of the candidate's {n:,} requests were bad, where its share "
        f"of all bad ones would be {fair:,.1f}"
    )


def _gone_in_shadow(rule: MetricRule, evidence: Evidence) -> list[tuple[str, int, int]]:
    counts, pairs = evidence.shadow.metric(rule.metric), evidence.shadow.pairs
    return [
        ("champion in shadow", counts.missing_champion, pairs),
        ("candidate in shadow", counts.missing_challenger, pairs),
    ]


def _gone_live(rule: MetricRule, evidence: Evidence) -> list[tuple[str, int, int]]:
    champions = [leg.champion for leg in evidence.legs]
    challengers = [leg.challenger for leg in evidence.legs]
    return [
        (who, sum(arm.metric(rule.metric).missing for arm in arms), sum(arm.n for arm in arms))
        for who, arms in (("champion", champions), ("candidate", challengers))
    ]
