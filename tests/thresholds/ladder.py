"""Agents that act alone above a cut-off until the real decisions take that from them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from opsroom.autonomy.decide import BOUNDED, Narrow, decide_narrowing
from opsroom.autonomy.model import Envelope, Grant, Level, Record
from opsroom.evidence.worsening import blocks
from opsroom.thresholds.commands import WATCHED
from opsroom.thresholds.model import Lost, decide_watch

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GRANT = Grant(
    id="gra_1",
    agent="clerk",
    scope="contract/book",
    environment="production",
    level=Level.BOUNDED,
    envelope=Envelope(min_confidence=0.8, spot_share=0.1),
    changed_at=NOW,
    changed_by="ben",
)
EARNED = Record(agreed=400, corrected=10)


@dataclass(frozen=True, slots=True)
class Run:
    """When it was asked again, counted in decisions, and the errors until then that the rate
    before the shift does not explain; None and 0 where it never was.
    """

    demoted_at: int | None
    excess: float
    by: str = ""


def run(
    rng: np.random.Generator,
    *,
    decisions: int,
    rate: float,
    shift_at: int | None = None,
    shifted: float = 0.0,
    target: float = 0.05,
    found: float = 1.0,
    spot_share: float = 0.0,
) -> Run:
    """Decisions above a cut-off one by one. Of errors that ran alone, `found` are overridden;
    `spot_share` of everything is asked about by lot, and the answer is right.
    """
    shift_at = decisions if shift_at is None else shift_at
    chance = np.where(np.arange(decisions) < shift_at, rate, shifted)
    wrong = rng.random(decisions) < chance
    spot = rng.random(decisions) < spot_share
    known = wrong & (spot | (rng.random(decisions) < found))
    record = EARNED
    for at in range(decisions):
        if spot[at]:
            record = (
                replace(record, corrected=record.corrected + 1)
                if wrong[at]
                else replace(record, agreed=record.agreed + 1)
            )
        if not known[at]:
            continue
        by = _demotes(known[: at + 1], wrong[: at + 1][spot[: at + 1]], record, target)
        if by:
            excess = max(wrong[shift_at : at + 1].sum() - rate * max(at + 1 - shift_at, 0), 0.0)
            return Run(at + 1, float(excess), by)
    return Run(None, 0.0)


def _demotes(known: np.ndarray, spots: np.ndarray, record: Record, target: float) -> str:
    """Who takes the autonomy away now, if anybody: as reactions ask, on every known error."""
    if isinstance(decide_narrowing(record, GRANT, BOUNDED), Narrow):
        return "autonomy"
    newest, sample = known[-WATCHED:].tolist(), spots[-WATCHED:].tolist()
    found = decide_watch(
        blocks(newest, before=len(known) - len(newest)),
        blocks(sample, before=len(spots) - len(sample)),
        target=target,
    )
    return "watch" if isinstance(found, Lost) else ""
