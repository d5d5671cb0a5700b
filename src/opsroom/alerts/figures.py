"""The figures that conditions name, from counts of turns. Pure.

Every rate comes with an interval that holds the true rate in 999 of 1,000 windows, so that a
condition on its `low` or `high` fires by chance once in a thousand looks at independent
windows at most. `usual` compares the window with windows alike (the same time of day, on days
of the same kind): `chance` is how often a quiet window is at least as far off, in either
direction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from opsroom.actions.queries import Ended
from opsroom.evidence import Tally
from opsroom.evidence.baseline import days_alike, level_deviation, rate_deviation
from opsroom.evidence.rates import clopper_pearson

LEVEL = 0.999
ALPHA = 0.0001
RATES = {"failed": True, "escalated": True, "automated": False}  # whether more is worse
NOTHING = Ended()
Windows = list[tuple[datetime, datetime]]


def recent(now: datetime, length: timedelta) -> Windows:
    """The window that ends now, and the one before it."""
    return [(now - length, now), (now - 2 * length, now - length)]


def past(now: datetime, length: timedelta) -> Windows:
    """The same window a week ago, then those of the other days of the same kind. Windows of
    more than a day overlap those of other days, so only the week ago is there.
    """
    days = [7]
    if length <= timedelta(days=1):
        days += [back for back in days_alike(now) if back != 7]
    ends = [now - timedelta(days=back) for back in days]
    return [(end - length, end) for end in ends]


def figures(
    lately: Mapping[int, Ended], before: Mapping[int, Ended], *, events: int = 0
) -> dict[str, Any]:
    """What a condition may name of one agent: `lately` are counts by place in `recent`,
    `before` by place in `past`. Where too little is known, nothing is unusual.
    """
    now = lately.get(0, NOTHING)
    alike = list(before.values())
    return {
        "now": _window(now),
        "before": _window(lately.get(1, NOTHING)),
        "week_ago": _window(before.get(0, NOTHING)),
        "usual": {
            "turns": _usual_turns(alike, now),
            **{name: _usual_rate(alike, now, name) for name in RATES},
        },
        "events": events,
    }


def hits(ended: Ended, name: str) -> int:
    """How many turns a rate counts; `automated` ones ended well without anybody being asked."""
    match name:
        case "failed":
            return ended.failed
        case "escalated":
            return ended.escalated
        case _:
            return ended.turns - ended.failed - ended.escalated


def _window(ended: Ended) -> dict[str, Any]:
    return {"turns": ended.turns, **{name: _rate(ended, name) for name in RATES}}


def _rate(ended: Ended, name: str) -> dict[str, float]:
    if not ended.turns:
        return {"hits": 0, "rate": 0.0, "low": 0.0, "high": 1.0}
    found = hits(ended, name)
    interval = clopper_pearson(Tally(n=ended.turns, hits=found), level=LEVEL)
    rate = found / ended.turns
    return {"hits": found, "rate": rate, "low": interval.low, "high": interval.high}


def _usual_rate(alike: Sequence[Ended], now: Ended, name: str) -> dict[str, Any]:
    past = [Tally(n=one.turns, hits=hits(one, name)) for one in alike]
    found = rate_deviation(past, Tally(n=now.turns, hits=hits(now, name)), alpha=ALPHA)
    if found is None:
        return {
            "rate": 0.0,
            "low": 0.0,
            "high": 1.0,
            "chance": 1.0,
            "worse": False,
            "windows": 0,
        }
    return {
        "rate": found.expected,
        "low": found.low,
        "high": found.high,
        "chance": found.p,
        "worse": found.z > 0 if RATES[name] else found.z < 0,
        "windows": found.stretches,
    }


def _usual_turns(alike: Sequence[Ended], now: Ended) -> dict[str, Any]:
    """How many turns are usual; an hour without any counts as half a one, so that it compares."""
    found = level_deviation(
        [float(one.turns) for one in alike], max(now.turns, 0.5), alpha=ALPHA
    )
    if found is None:
        return {"level": 0.0, "low": 0.0, "high": 0.0, "chance": 1.0, "windows": 0}
    return {
        "level": found.expected,
        "low": found.low,
        "high": found.high,
        "chance": found.p,
        "windows": found.stretches,
    }
