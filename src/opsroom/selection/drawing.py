"""How a scorecard is shown: tones, words, rows, and where the marks of the Pareto plot go."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10

from opsroom.evidence import Verdict
from opsroom.web.charts import Effect, Tone
from opsroom.web.formats import money, percent

from .model import Contrast, Dimension, Outcome, Place, Scorecard, Standing

OUTCOMES: dict[Outcome, Tone] = {
    Outcome.RECOMMENDED: "good",
    Outcome.UNDECIDED: "warn",
    Outcome.NOBODY: "bad",
}
VERDICTS: dict[Verdict, Tone] = {Verdict.BETTER: "good", Verdict.WORSE: "bad"}
PLACES: dict[Place, Tone] = {
    Place.FRONT: "good",
    Place.DOMINATED: "muted",
    Place.UNPLACED: "warn",
}
PLACE_WORDS = {
    Place.FRONT: "on the front",
    Place.DOMINATED: "dominated",
    Place.UNPLACED: "not placed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One candidate in the plot, in per cent of its width and height."""

    standing: Standing
    number: int
    across: float
    left: float
    right: float
    down: float
    top: float
    bottom: float
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pareto:
    """Quality against cost, with latency as the size of the mark; `front` joins the marks of
    those that nobody dominates. `cheapest` and `dearest` are the ends of the scale of cost, which
    is logarithmic, `best` and `worst` those of quality.
    """

    marks: tuple[Mark, ...]
    front: tuple[tuple[Mark, Mark], ...]
    cheapest: str
    dearest: str
    best: float
    worst: float
    summary: str


def pareto(card: Scorecard) -> Pareto | None:
    """The plot of those that have a price and a latency; None where nobody has."""
    shown = [
        one
        for one in card.standings
        if one.place is not Place.UNPLACED and one.cost.per_task is not None
    ]
    if not shown:
        return None
    ends = [max(float(at), 1e-8) for one in shown for at in (one.cost.low, one.cost.high) if at]
    low, high = log10(min(ends, default=1)), log10(max(ends, default=1))
    low, high = low - 0.1 * (high - low) - 0.05, high + 0.1 * (high - low) + 0.05
    fits = [one.measures[Dimension.FIT].interval for one in shown]
    best, worst = max(one.high for one in fits), min(one.low for one in fits)
    slowest = max(one.latency.value for one in shown if one.latency)

    def across(amount: object) -> float:
        return round(100 * (log10(max(float(str(amount)), 10**low)) - low) / (high - low), 2)

    def down(share: float) -> float:
        return round(8 + 80 * (best - share) / (best - worst), 2) if best > worst else 50.0

    def mark(number: int, one: Standing) -> Mark:
        fit = one.measures[Dimension.FIT]
        seconds = one.latency.value if one.latency else 0.0
        return Mark(
            standing=one,
            number=number,
            across=across(one.cost.per_task),
            left=across(one.cost.low),
            right=across(one.cost.high),
            down=down(fit.value),
            top=down(fit.interval.high),
            bottom=down(fit.interval.low),
            radius=round(3 + 6 * (seconds / slowest) ** 0.5, 1) if slowest else 3,
        )

    marks = tuple(
        mark(number, one) for number, one in enumerate(card.standings, 1) if one in shown
    )
    front = sorted(
        (one for one in marks if one.standing.place is Place.FRONT),
        key=lambda one: (one.across, one.down),
    )
    return Pareto(
        marks=marks,
        front=tuple(pairwise(front)),
        cheapest=f"${10**low:.2g}",
        dearest=f"${10**high:.2g}",
        best=best,
        worst=worst,
        summary=_summary(front, len(card.standings) - len(shown)),
    )


def effects(card: Scorecard) -> list[Effect]:
    """Every comparison with the one whose total is highest, and then the others."""
    called = {one.name: one.called for one in card.standings}
    return [
        Effect(
            label=f"{called[one.a]} less {called[one.b]}",
            estimate=100 * one.difference,
            low=100 * one.interval.low,
            high=100 * one.interval.high,
            verdict=_verdict(one),
            tone=VERDICTS.get(one.verdict, "muted"),
            n=one.pairs,
        )
        for one in card.contrasts
    ]


def level(contrasts: Sequence[Contrast]) -> str:
    """The level of each interval, so that all hold together."""
    return f"{100 * contrasts[0].interval.level:.4g} % interval"


def _verdict(one: Contrast) -> str:
    return {Verdict.BETTER: "better", Verdict.WORSE: "worse"}.get(one.verdict, "undecided")


def _summary(front: Sequence[Mark], unplaced: int) -> str:
    names = ", ".join(
        f"{one.standing.called} ({percent(one.standing.measures[Dimension.FIT].value)}, "
        f"{money(one.standing.cost.per_task)})"
        for one in front
    )
    said = f"On the front: {names}."
    if unplaced:
        said += f" Not shown: {unplaced}, whose quality, cost or latency is not known."
    return said
