"""What is known of an agent's confidence as pages draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsroom.evidence.calibration import Calibration
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Version
from opsroom.registry.drawing import Panel
from opsroom.web.charts import Tone
from opsroom.web.formats import number, percent

from . import queries
from .model import Examination, Holds, Lost
from .queries import Rated

TONES: dict[str, Tone] = {
    "useful": "good",
    "nothing": "warn",
    "backwards": "bad",
    "too_little": "muted",
}
WORDS = {
    "useful": "it tells right from wrong",
    "nothing": "it tells nothing",
    "backwards": "it points the wrong way",
    "too_little": "too early to say",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A bin in the diagram, in per cent of its box; `top` is the upper end of its interval."""

    across: float
    down: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A piece of the line of the isotonic fit, in per cent of the box."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A reliability diagram: what was reported across, how often it was right upwards."""

    summary: str
    marks: Sequence[Mark]
    fit: Sequence[Step]
    calibration: Calibration


def diagram(of: Calibration) -> Diagram:
    marks = [
        Mark(
            across=_place(one.confidence),
            down=_place(1 - one.right / one.n),
            top=_place(1 - one.interval.high),
            bottom=_place(1 - one.interval.low),
        )
        for one in of.bins
    ]
    ends = [(at, one.right) for one in of.fit for at in dict.fromkeys((one.low, one.high))]
    fit = [
        Step(x1=_place(x1), y1=_place(1 - y1), x2=_place(x2), y2=_place(1 - y2))
        for (x1, y1), (x2, y2) in pairwise(ends)
    ]
    return Diagram(
        summary=(
            f"{number(of.n)} labelled decisions, {number(of.wrong)} of them wrong. Expected"
            f" calibration error {percent(of.error)}, where a perfect agent would show"
            f" {percent(of.error_by_chance)} by chance; Brier score {of.brier:.3f}, where always"
            f" saying the share that is right would have {of.brier_constant:.3f}."
        ),
        marks=marks,
        fit=fit,
        calibration=of,
    )


def share_alone(of: Examination) -> str:
    """How much of what it decides the cut-off would leave to the agent."""
    if of.cutoff is None:
        return "–"
    return f"{percent(of.alone.hits / of.alone.n, 0)} of {number(of.alone.n)}"


def watching(of: Holds | Lost | None) -> str:
    """What the watch says, in words."""
    match of:
        case None:
            return "nothing runs alone by confidence here"
        case Lost(because=because):
            return because
        case Holds(known=known, spots=spots):
            return (
                f"holds: evidence of more errors than {percent(known.rate)} is"
                f" {max(known.evidence, spots.evidence):.3g} of the {known.needed:,.0f} at which"
                " it asks people again"
            )


def panels(tx: Tx, of: Artifact, _version: Version) -> Sequence[Panel]:
    """For the page of an agent: what its confidence is worth."""
    found = queries.confidence(tx, of.name)
    return (
        Panel(
            template="thresholds/panel.html",
            facts={"agent": of.name, "rows": [_row(one) for one in found.contracts]},
        ),
    )


def _row(one: Rated) -> dict[str, object]:
    return {"rated": one, "alone": "–" if one.last is None else share_alone(one.last)}


def _place(share: float) -> float:
    return round(100 * share, 2)
