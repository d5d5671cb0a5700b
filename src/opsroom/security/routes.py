"""Security events over HTTP."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read
from opsroom.journal import Entry
from opsroom.kit.wire import Wire

from . import queries

router = APIRouter(prefix="/v1/security", tags=["security"])
Limit = Annotated[int, Query(ge=1, le=200)]
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPage(Wire):
    """Events, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Entry, ...]
    next: int | None


@router.get("/events")
def list_events(
    tx: Read,
    *,
    event: Word | None = None,
    agent: Word | None = None,
    before: int | None = None,
    limit: Limit = 50,
) -> SecurityPage:
    """What was seen of attempts on agents: by detectors, and by the gate."""
    found = queries.events(
        tx, event=event or None, agent=agent or None, before=before, limit=limit
    )
    return SecurityPage(items=tuple(found), next=found[-1].seq if len(found) == limit else None)
