"""Channels over HTTP: what went through them, testing one, and sending once more."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Delivery

router = APIRouter(prefix="/v1/channels", tags=["channels"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage(Wire):
    """Deliveries, newest first. `next` is what to pass as `before` for the page after this."""

    items: tuple[Delivery, ...]
    next: str | None


@router.get("/{name}/deliveries")
def list_deliveries(
    name: str, tx: Read, *, before: Text | None = None, limit: Limit = 50
) -> DeliveryPage:
    """What went through a channel, or is on its way."""
    items = tuple(queries.deliveries(tx, name, before=before, limit=limit))
    return DeliveryPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.post("/{name}/test")
def test_channel(name: str, tx: Write) -> Delivery:
    """Say through a channel that this is a test."""
    return commands.test(tx, name)


@router.post("/{name}/deliveries/{delivery_id}/repeat")
def repeat_delivery(name: str, delivery_id: str, tx: Write) -> Delivery:
    """Try a delivery that was settled once more, under its old id."""
    return commands.repeat(tx, name, delivery_id)
