"""Datasets over HTTP: what only they have beside the registry's addresses."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire
from opsroom.registry import Version
from opsroom.registry.routes import KnownKinds

from . import commands, queries
from .model import Item, Lineage

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItems(Wire):
    """All items of the next version, in order."""

    items: tuple[Item, ...]
    description: str = ""
    message: str = ""
    evaluators: tuple[str, ...] = ()
    source: str | None = None
    source_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage(Wire):
    """Items in order. `next` is what to pass as `start` for the page after this one."""

    version: str
    total: int
    items: tuple[Item, ...]
    next: int | None


@router.post("/{name}/versions", status_code=201)
def put_items(name: str, new: NewItems, tx: Write, known: KnownKinds) -> Version:
    """Store items as the next version; the same items give the version that is there."""
    return commands.put(
        tx,
        name,
        new.items,
        kinds=known,
        description=new.description,
        message=new.message,
        evaluators=new.evaluators,
        lineage=Lineage(
            source=new.source, source_sha256=new.source_sha256, made_by=tx.actor.name
        ),
    )


@router.get("/{name}/items")
def list_items(
    name: str,
    tx: Read,
    at: str = "latest",
    split: str | None = None,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ItemPage:
    """The items of a version, or of one split of it."""
    version, spec = queries.dataset(tx, f"{name}@{at}")
    total = len(spec.items if split is None else spec.only(split))
    items = tuple(queries.items(tx, spec, split=split, start=start, limit=limit))
    more = start + len(items)
    return ItemPage(
        version=version.ref, total=total, items=items, next=more if more < total else None
    )
