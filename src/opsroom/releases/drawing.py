"""What is known of a release as pages draw it: bands, differences, agreement. Pure."""

from collections.abc import Sequence
from typing import Any

from opsroom.evals.model import Scale
from opsroom.web.charts import Band, Effect, Limit
from opsroom.web.formats import number, percent

from .evidence import Evidence
from .judge import Alarm, Reading
from .model import Release
from .plan import MetricRule
from .queries import Point
from .words import concluded, margin_line, rate


def plot(release: Release, rule: MetricRule, points: Sequence[Point]) -> Band | None:
    """How the difference settled, look by look."""
    known = [
        (one.n, one.difference, one.low, one.high)
        for one in points
        if one.difference is not None and one.low is not None and one.high is not None
    ]
    if len(known) < 2:
        return None
    factor, unit, digits = _scale(rule)
    n, difference, low, high = known[-1]
    confidence = percent(1 - release.plan.alpha, 0)
    said = number(difference * factor, digits, sign=True)
    return Band(
        title=f"{rule.metric}, candidate − champion",
        summary=(
            f"After {number(n)} requests to the candidate the difference is {said} {unit}, between "
            f"{number(low * factor, digits, sign=True)} and {number(high * factor, digits, sign=True)} "
            f"({confidence} sure, however often one looks)."
        ).replace("  ", " "),
        x=[one[0] for one in known],
        estimate=[one[1] * factor for one in known],
        low=[one[2] * factor for one in known],
        high=[one[3] * factor for one in known],
        x_label="requests to the candidate",
        y_label="difference",
        unit=unit,
        digits=digits,
        limits=(Limit(value=margin_line(rule) * factor, label="worse beyond this"),),
    )


def effect(found: Reading, evidence: Evidence, alarm: Alarm | None) -> Effect:
    rule, interval = found.rule, found.estimate.interval
    assert interval is not None
    assert found.estimate.difference is not None
    factor, unit, digits = _scale(rule)
    word, tone = concluded(found, alarm)
    return Effect(
        label=rule.metric,
        estimate=found.estimate.difference * factor,
        low=interval.low * factor,
        high=interval.high * factor,
        verdict=word,
        tone=tone,
        unit=unit,
        digits=digits,
        limit=margin_line(rule) * factor if rule.margin else None,
        n=found.challenger,
        before=_value(rule, rate(rule, evidence, challenger=False)),
        after=_value(rule, rate(rule, evidence, challenger=True)),
    )


def _scale(rule: MetricRule) -> tuple[float, str, int]:
    """Factor, unit and digits in which differences of a metric are written."""
    if rule.scale is Scale.BINARY:
        return 100, "pt", 1
    return 1, {"latency": "s"}.get(rule.metric, ""), 2


def _value(rule: MetricRule, found: float | None) -> str:
    if rule.scale is Scale.BINARY:
        return percent(found)
    _, unit, digits = _scale(rule)
    return f"{number(found, digits)} {unit}".strip()


def agreement(release: Release, evidence: Evidence) -> list[dict[str, Any]]:
    """Who had it in the shadow run, for every yes-or-no metric that was seen there."""
    found: list[dict[str, Any]] = []
    for name in release.plan.names:
        counts = evidence.shadow.metric(name)
        if release.plan.scale(name) is Scale.BINARY and counts.n:
            agreed = (counts.both + counts.neither) / counts.n
            found.append({"metric": name, "counts": counts, "agreed": agreed})
    return found
