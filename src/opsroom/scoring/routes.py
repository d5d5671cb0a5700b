"""How agents are judged while they work, over HTTP."""

from fastapi import APIRouter

from opsroom.access.http import Read, Write

from . import commands
from .model import Scoring, Wanted

router = APIRouter(prefix="/v1/scorings", tags=["scorings"])


@router.get("/{agent}")
def show_scoring(agent: str, tx: Read) -> Scoring:
    """Which evaluators judge which share of what an agent does, and how far that is today."""
    return commands.scoring(tx, agent)


@router.put("/{agent}")
def decide_scoring(agent: str, wanted: Wanted, tx: Write) -> Scoring:
    """Judge an agent like this from now on."""
    return commands.decide(tx, agent, wanted)
