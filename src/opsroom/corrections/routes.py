"""Corrections over HTTP: what people taught, and taking it into datasets."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire
from opsroom.registry.routes import KnownKinds

from . import commands, queries, seconds
from .commands import Accepted
from .model import Correction, State
from .queries import Ledger, Lineage

router = APIRouter(prefix="/v1/corrections", tags=["corrections"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPage(Wire):
    """Corrections, newest first. `next` is what to pass as `before` for the page after this."""

    items: tuple[Correction, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Wire):
    """Which corrections, by id: at most 500."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Wire):
    """The review queue in which they wait."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion(Wire):
    """What was asked and what would have been right; None leaves either as it is."""

    input: Any = None
    expected: Any = None


@router.get("")
def list_corrections(
    tx: Read,
    agent: Text | None = None,
    state: State | None = None,
    category: Text | None = None,
    before: Text | None = None,
    limit: Limit = queries.PAGE,
) -> CorrectionPage:
    """What people taught, newest first."""
    found = queries.corrections(
        tx, agent=agent, state=state, category=category, before=before, limit=limit
    )
    return CorrectionPage(
        items=tuple(found), next=found[-1].id if len(found) == limit else None
    )


@router.get("/ledger")
def show_ledger(tx: Read, agent: Text | None = None, version: Text | None = None) -> Ledger:
    """Reasons by how often they are given, what was said and what people said instead, and how
    often each version was corrected.
    """
    return queries.ledger(tx, agent=agent, version=version)


@router.post("/accept")
def accept(given: Chosen, tx: Write, known: KnownKinds) -> Accepted:
    """Take candidates into the datasets of their agents.

    Each is accepted or refused by itself, with the reason.
    """
    return commands.accept(tx, given.ids, kinds=known)


@router.post("/second")
def ask_for_a_second_look(given: Chosen, tx: Write) -> Asked:
    """Put candidates before somebody who does not know which answer is whose."""
    return Asked(queue=seconds.ask(tx, given.ids))


@router.get("/{correction_id}")
def show_correction(correction_id: str, tx: Read) -> Lineage:
    """One correction: who said so and why, what contradicts it, and what used it."""
    return queries.lineage(tx, correction_id)


@router.post("/{correction_id}/retire")
def retire(correction_id: str, given: Why, tx: Write, known: KnownKinds) -> Correction:
    """Let a correction teach no more."""
    return commands.retire(tx, correction_id, reason=given.reason, kinds=known)


@router.post("/{correction_id}/readmit")
def readmit(correction_id: str, given: Why, tx: Write) -> Correction:
    """Make what is in quarantine, or was retired, a candidate again."""
    return commands.readmit(tx, correction_id, reason=given.reason)


@router.post("/{correction_id}/complete")
def complete(correction_id: str, given: Completion, tx: Write) -> Correction:
    """Say what was asked, or what would have been right."""
    return commands.complete(tx, correction_id, input_=given.input, expected=given.expected)
