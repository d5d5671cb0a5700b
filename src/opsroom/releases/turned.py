"""Counts as the statistics want them: a hit is something bad, up is worse, and differences
are challenger − champion.
"""

from collections.abc import Sequence

from opsroom.evals.model import Scale
from opsroom.evidence import Direction, Interval, Moments, Pairs, Stretch, Tally
from opsroom.evidence.means import observed_mean_difference
from opsroom.evidence.sequential import observed_difference

from .evidence import Counts, Evidence, LegCounts, PairCounts
from .plan import MetricRule

KNOWN_FROM = 50  # so many shadow pairs say what the champion's rate is


def turn(rule: MetricRule, value: float) -> float:
    """From the metric's own direction to "up is worse", and back."""
    return value if rule.direction is Direction.LOWER else -value


def turn_interval(rule: MetricRule, found: Interval) -> Interval:
    low, high = sorted((turn(rule, found.low), turn(rule, found.high)))
    return Interval(low=low, high=high, level=found.level, method=found.method)


def stretches(rule: MetricRule, legs: Sequence[LegCounts]) -> list[Stretch]:
    return [
        Stretch(
            weight=leg.weight,
            a=_tally(rule, leg.champion.metric(rule.metric)),
            b=_tally(rule, leg.challenger.metric(rule.metric)),
        )
        for leg in legs
    ]


def moments(rule: MetricRule, legs: Sequence[LegCounts]) -> list[tuple[Moments, Moments]]:
    return [
        (
            _moments(rule, leg.champion.metric(rule.metric)),
            _moments(rule, leg.challenger.metric(rule.metric)),
        )
        for leg in legs
    ]


def loss(rule: MetricRule, legs: Sequence[LegCounts]) -> float | None:
    """How much worse the challenger was; None until both arms have values in one leg."""
    if rule.scale is Scale.BINARY:
        split = stretches(rule, legs)
        return observed_difference(split) if any(x.a.n and x.b.n for x in split) else None
    parts = moments(rule, legs)
    return observed_mean_difference(parts) if any(a.n and b.n for a, b in parts) else None


def expected(rule: MetricRule, evidence: Evidence) -> float | None:
    """The champion's bad rate as the shadow run knows it; it only narrows intervals."""
    counts = evidence.shadow.metric(rule.metric)
    if counts.n < KNOWN_FROM:
        return None
    hits = counts.both + counts.only_champion
    bad = hits if rule.direction is Direction.LOWER else counts.n - hits
    return (bad + 1) / (counts.n + 2)


def paired_loss(rule: MetricRule, counts: PairCounts) -> float | None:
    """How much worse the candidate was in the shadow run."""
    if counts.n == 0:
        return None
    if rule.scale is Scale.NUMBER:
        return turn(rule, counts.mean)
    champion, challenger = bad_alone(rule, counts)
    return (challenger - champion) / counts.n


def bad_alone(rule: MetricRule, counts: PairCounts) -> tuple[int, int]:
    """Pairs that were bad for the champion alone, and for the candidate alone."""
    if rule.direction is Direction.LOWER:
        return counts.only_champion, counts.only_challenger
    return counts.only_challenger, counts.only_champion


def discordant(rule: MetricRule, counts: PairCounts) -> Stretch:
    """Pairs that were bad on one side only, as failures split evenly: a coin per pair if the
    candidate is no worse (McNemar's argument).
    """
    champion, challenger = bad_alone(rule, counts)
    return Stretch(
        weight=0.5,
        a=Tally(n=counts.n, hits=champion),
        b=Tally(n=counts.n, hits=challenger),
    )


def pairs(rule: MetricRule, counts: PairCounts) -> Pairs:
    champion, challenger = bad_alone(rule, counts)
    agree = counts.n - champion - challenger
    return Pairs(both=agree, only_a=champion, only_b=challenger, neither=0)


def paired_moments(rule: MetricRule, counts: PairCounts) -> Moments:
    return _moments(rule, counts)


def _tally(rule: MetricRule, counts: Counts) -> Tally:
    bad = counts.hits if rule.direction is Direction.LOWER else counts.n - counts.hits
    return Tally(n=counts.n, hits=bad)


def _moments(rule: MetricRule, counts: Counts | PairCounts) -> Moments:
    return Moments(n=counts.n, mean=turn(rule, counts.mean), variance=counts.variance)
