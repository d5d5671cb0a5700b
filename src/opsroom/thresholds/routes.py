"""Thresholds over HTTP: what confidence is worth, examining it, and what follows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.autonomy.model import Envelope, Grant, Widening
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import PRODUCTION, Examination, Settings
from .queries import Confidence, Standing

router = APIRouter(prefix="/v1/thresholds", tags=["thresholds"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationPage(Wire):
    """Newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Examination, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Wire):
    """What to examine: an agent under a contract, by its name."""

    agent: str
    contract: str
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdProposal(Wire):
    """Why the agent may act alone from its cut-off on. Bounds tighten what was granted."""

    reason: str
    max_amount: Decimal | None = None
    max_per_day: int | None = None
    spot_share: float | None = None

    @property
    def bounds(self) -> Envelope:
        return Envelope(
            max_amount=self.max_amount,
            max_per_day=self.max_per_day,
            spot_share=self.spot_share,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightening(Wire):
    """Why the agent may act alone from its cut-off on only."""

    reason: str


@router.get("")
def list_examinations(
    tx: Read,
    agent: Text | None = None,
    contract: Text | None = None,
    before: Text | None = None,
    limit: Limit = queries.PAGE,
) -> ExaminationPage:
    """What was found when agents' confidence was examined, newest first."""
    found = queries.examinations(tx, agent=agent, contract=contract, before=before, limit=limit)
    return ExaminationPage(
        items=tuple(found), next=found[-1].id if len(found) == limit else None
    )


@router.post("", status_code=201)
def examine_confidence(wanted: Wanted, tx: Write) -> Examination:
    """Look for a cut-off above which an agent errs no more than it may. Every look is kept, and
    uses up some of the confidence that all looks share.
    """
    return commands.examine(tx, wanted.agent, wanted.contract, environment=wanted.environment)


@router.get("/settings")
def show_threshold_settings(tx: Read) -> Settings:
    """What this project asks of acting alone."""
    return queries.settings(tx)


@router.put("/settings")
def set_threshold_settings(new: Settings, tx: Write) -> Settings:
    """Set the error rates to stay under, what counts as wrong, and the share of spot checks."""
    return commands.set_settings(tx, new)


@router.get("/agents/{agent}")
def show_confidence(agent: str, tx: Read, environment: Text = PRODUCTION) -> Confidence:
    """Every contract under which an agent said how sure it was."""
    return queries.confidence(tx, agent, environment=environment)


@router.get("/agents/{agent}/{contract}")
def show_standing(
    agent: str, contract: str, tx: Read, environment: Text = PRODUCTION
) -> Standing:
    """How an agent's confidence stands under one contract now: calibration, and the watch over
    what runs alone.
    """
    return queries.standing(tx, agent, contract, environment=environment)


@router.get("/{cutoff_id}")
def show_examination(cutoff_id: str, tx: Read) -> Examination:
    """One examination: its calibration, and the certified cut-off or why there is none."""
    return queries.examination(tx, cutoff_id)


@router.post("/{cutoff_id}/propose", status_code=201)
def propose_cutoff(cutoff_id: str, given: ThresholdProposal, tx: Write) -> Widening:
    """Ask that the agent may act alone from its cut-off on. Somebody else decides."""
    return commands.propose(tx, cutoff_id, reason=given.reason, bounds=given.bounds)


@router.post("/{cutoff_id}/tighten")
def tighten_cutoff(cutoff_id: str, given: Tightening, tx: Write) -> Grant:
    """Let the agent act alone from its cut-off on only, at once."""
    return commands.tighten(tx, cutoff_id, reason=given.reason)
