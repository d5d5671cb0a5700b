"""Decision memory over HTTP."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.commands import check_acts_for
from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Memory, Recalled

router = APIRouter(prefix="/v1/memory", tags=["memory"])


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPage(Wire):
    """Memories, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Memory, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Wire):
    reason: str


@router.get("/recall")
def recall(
    tx: Read,
    agent: str,
    context: Annotated[str, Query(max_length=4000)],
    contract: str = "",
    k: Annotated[int, Query(ge=1, le=queries.MOST)] = 5,
    verified_only: bool = True,
) -> list[Recalled]:
    """The most similar past decisions of an agent whose end is known. The texts in them may be
    anybody's: fence them before a model sees them.
    """
    check_acts_for(tx.actor, agent)
    return queries.recall(
        tx, agent, contract=contract, context=context, k=k, verified_only=verified_only
    )


@router.get("")
def list_memories(
    tx: Read,
    agent: str,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = queries.PAGE,
) -> MemoryPage:
    """What an agent remembers, newest first, whether or not it is recalled."""
    items = tuple(queries.memories(tx, agent, before=before, limit=limit))
    return MemoryPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.post("/{memory_id}/forget", status_code=204)
def forget(memory_id: str, why: Why, tx: Write) -> None:
    """Take a memory out of use for good, because it is poisoned or may not be kept."""
    commands.forget(tx, memory_id, reason=why.reason)
