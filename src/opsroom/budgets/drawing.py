"""What is known of a budget as pages draw it: words, and the burn-down. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from opsroom.web.charts import Tone
from opsroom.web.formats import duration, money, number

from .forecasting import Forecast
from .model import ORIGIN, Budget, Scope, Standing, Unit
from .queries import Outlook

Place = Callable[[datetime, float], str]
WIDTH, HEIGHT = 1000, 400
ROWS = 40
_WINDOWS = {
    3600: "an hour",
    86_400: "a day",
    604_800: "a week",
    2_592_000: "30 days",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """What was left, from the beginning of the window to its end, in a box of 1000 by 400.

    `line` is what happened, `ahead` what the present rate leads to, `fan` between the rates it
    may lie.
    """

    line: str
    ahead: str
    fan: str
    now: float
    nothing: float
    soft: float | None
    top: str
    begin: datetime
    end: datetime
    summary: str
    rows: Sequence[tuple[datetime, str, str]]


def amount(unit: Unit, value: Decimal | float) -> str:
    """So much of a unit, as people write it."""
    exact = value if isinstance(value, Decimal) else Decimal(f"{value:.6g}")
    match unit:
        case Unit.USD:
            return money(exact)
        case Unit.SECONDS:
            return duration(timedelta(seconds=float(exact)))
        case Unit.TOKENS | Unit.CALLS:
            return f"{number(exact, 0 if exact == exact.to_integral() else 1)} {unit.value}"


def scope(of: Scope) -> str:
    return _SCOPES[of]


def whose(budget: Budget, key: str = "") -> str:
    """Whom a budget is for: `agent customs`, `each turn`."""
    if budget.key == "*":
        each = f"each {_SCOPES[budget.scope]}"
        return each if key in {"", "*"} else f"{each}: {key}"
    return f"{_SCOPES[budget.scope]} {budget.key.removeprefix('contract/')}"


def window(budget: Budget) -> str:
    if budget.window is None:
        return "in all"
    seconds = int(budget.window.total_seconds())
    return f"in {_WINDOWS.get(seconds) or duration(budget.window)}"


def state(standing: Standing) -> tuple[str, Tone]:
    """Where a budget stands, in a word."""
    if standing.remaining < 0:
        return "overspent", "bad"
    if standing.used_up:
        return "used up", "bad"
    if standing.soft_passed:
        return "soft limit passed", "warn"
    return "within", "good"


def expected(found: Forecast | None, standing: Standing) -> str:
    """What the forecast says, in words."""
    if standing.used_up:
        return "nothing is left" + (" until the window is over" if standing.ends_at else "")
    if found is None:
        return "too little was spent to say how it will go on"
    unit = standing.budget.unit
    rate = (
        f"{amount(unit, found.per_hour)} an hour"
        f" (between {amount(unit, found.low)} and {amount(unit, found.high)})"
    )
    until = "before the window is over" if standing.ends_at else "within ten years"
    if found.runs_out_at is None and found.earliest is None:
        return f"at {rate} it is not used up {until}"
    if found.runs_out_at is None:
        return f"at {rate} it may just be used up {until}"
    return f"at {rate} it is used up {until}"


def burn(outlook: Outlook, *, now: datetime) -> Burn | None:
    """The burn-down of a budget; None while nothing was spent."""
    standing, long = outlook.standing, timedelta(seconds=outlook.stretch)
    budget, hard = standing.budget, float(standing.budget.hard)
    if not outlook.spent or hard <= 0:
        return None
    begin = standing.since or max(outlook.spent[0].at, ORIGIN)
    end = standing.ends_at or now + max((now - begin) / 3, long)
    left, steps = standing.budget.hard, [(begin, hard)]
    rows = [(begin, "–", amount(budget.unit, left))]
    for one in outlook.spent:
        steps.append((max(one.at, begin), float(left)))
        left -= one.amount
        at = min(one.at + long, max(now, one.at))
        steps.append((at, float(left)))
        rows.append((one.at, amount(budget.unit, one.amount), amount(budget.unit, left)))
    steps.append((max(now, steps[-1][0]), float(left)))
    low = min(0.0, float(left), float(standing.remaining))

    def place(moment: datetime, value: float) -> str:
        share = min(max((moment - begin) / (end - begin), 0.0), 1.0)
        down = (hard - max(value, low)) / ((hard - low) or 1.0)
        return f"{WIDTH * share:.1f},{HEIGHT * down:.1f}"

    rest = float(left)
    ahead, fan = "", ""
    if outlook.forecast is not None and now < end:
        hours = (end - now) / timedelta(hours=1)
        rates = outlook.forecast
        ahead = f"{place(now, rest)} {_to(place, now, end, rest, rates.per_hour)}"
        fast, slow = (_to(place, now, end, rest, one) for one in (rates.high, rates.low))
        corner = place(end, low) if rates.high * hours > rest - low else ""
        fan = " ".join(one for one in (place(now, rest), fast, corner, slow) if one)
    soft = None if budget.soft is None else hard - float(budget.soft)
    return Burn(
        line=" ".join(place(moment, value) for moment, value in steps),
        ahead=ahead,
        fan=fan,
        now=WIDTH * min(max((now - begin) / (end - begin), 0.0), 1.0),
        nothing=HEIGHT * hard / ((hard - low) or 1.0),
        soft=None if soft is None else HEIGHT * (hard - soft) / ((hard - low) or 1.0),
        top=amount(budget.unit, budget.hard),
        begin=begin,
        end=end,
        summary=(
            f"Of {amount(budget.unit, budget.hard)} {amount(budget.unit, standing.settled)} is"
            f" settled and {amount(budget.unit, standing.held)} held;"
            f" {expected(outlook.forecast, standing)}."
        ),
        rows=rows[-ROWS:],
    )


def _to(place: Place, now: datetime, end: datetime, rest: float, per_hour: float) -> str:
    """Where a rate leads: down to nothing, or to what is left at the end."""
    hours = (end - now) / timedelta(hours=1)
    if per_hour > 0 and rest > 0 and rest / per_hour < hours:
        return place(now + timedelta(hours=rest / per_hour), 0.0)
    return place(end, rest - per_hour * hours if rest > 0 else rest)


_SCOPES = {
    Scope.ORG: "organisation",
    Scope.TEAM: "team",
    Scope.AGENT: "agent",
    Scope.SESSION: "session",
    Scope.TURN: "turn",
    Scope.CONTRACT: "contract",
}
