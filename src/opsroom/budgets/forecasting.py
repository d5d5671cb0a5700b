"""When a budget will be used up if things go on like this. Pure.

What was spent is kept in stretches of equal length. The rate is the mean over the latest
complete ones, with an interval that holds however often somebody looks; so a budget that is
spent in bursts gets a wide answer instead of a wrong one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import mean, quantiles, variance

from opsroom.evidence.means import mean_sequence
from opsroom.evidence.model import Moments
from opsroom.kit.wire import Wire

from .model import Budget, Standing

LOOK_BACK = 48
ENOUGH = 6
LEVEL = 0.9
FAR = timedelta(days=3650)
_STEPS = (
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=15)),
    (timedelta(days=31), timedelta(hours=1)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Wire):
    """At the present rate. `low` and `high` bound the rate with confidence `level`; the times
    are None where nothing is used up before the window ends (or within ten years).
    """

    per_hour: float
    low: float
    high: float
    level: float
    runs_out_at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    stretches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks(Wire):
    """What the latest tasks cost: half of them less than `median`, 95 of 100 less than `p95`."""

    n: int
    mean: float
    median: float
    p95: float


def step(budget: Budget) -> timedelta:
    """How long a stretch is in which the spending of a budget is added up."""
    if budget.window is None:
        return timedelta(hours=1)
    return next((one for most, one in _STEPS if budget.window <= most), timedelta(days=1))


def stretch(budget: Budget, since: datetime, at: datetime) -> datetime:
    """The beginning of the stretch that `at` lies in; of the window, for a stepped-back clock."""
    long = step(budget)
    return since + max(at - since, timedelta()) // long * long


def forecast(
    standing: Standing, spent: Sequence[tuple[datetime, Decimal]], *, now: datetime
) -> Forecast | None:
    """When `standing` will be used up, given what was `spent` in each stretch; None while
    fewer than six complete stretches were seen since the first spending.
    """
    if not spent:
        return None
    budget, long = standing.budget, step(standing.budget)
    since = budget.since(now)
    end = stretch(budget, since, now)  # the present stretch is not complete
    begin = max(spent[0][0], end - LOOK_BACK * long)
    known = {at: float(amount) for at, amount in spent}
    values = [known.get(begin + n * long, 0.0) for n in range((end - begin) // long)]
    if len(values) < ENOUGH:
        return None
    moments = Moments(n=len(values), mean=mean(values), variance=variance(values))
    interval = mean_sequence(moments, level=LEVEL, tuned_for=LOOK_BACK)
    if interval is None:
        return None
    hours = long / timedelta(hours=1)
    rate, low, high = (
        max(one, 0.0) / hours for one in (moments.mean, interval.low, interval.high)
    )
    left = max(float(standing.remaining), 0.0)
    ends_at = standing.ends_at

    def out(per_hour: float) -> datetime | None:
        if left and (per_hour <= 0 or left / per_hour > FAR / timedelta(hours=1)):
            return None
        moment = now + timedelta(hours=left / per_hour if left else 0)
        return None if ends_at is not None and moment >= ends_at else moment

    return Forecast(
        per_hour=rate,
        low=low,
        high=high,
        level=LEVEL,
        runs_out_at=out(rate),
        earliest=out(high),
        latest=out(low),
        stretches=len(values),
    )


def tasks(costs: Sequence[float]) -> Tasks | None:
    """What tasks cost; None where there was none."""
    if not costs:
        return None
    cuts = quantiles(costs, n=20, method="inclusive") if len(costs) > 1 else [costs[0]] * 19
    return Tasks(n=len(costs), mean=mean(costs), median=cuts[9], p95=cuts[18])
