"""News for open pages: what happened in a project, as it happens (server-sent events).

A message only says which event concerns which subject; the page asks for the rest itself,
with its own permission. Nothing that only auditors see is told.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, database
from opsroom.kit.db import Actor, Database

from . import queries
from .model import Entry

LOOK_EVERY = 0.5
SIGN_OF_LIFE = 15.0
# The browser comes back by itself, and is asked again who it is.
LONGEST = 600.0
CONFIDENTIAL = ("user/", "token/", "oversight/")

router = APIRouter(tags=["journal"])


@router.get("/v1/events", response_class=StreamingResponse)
async def events(
    request: Request, actor: Caller, last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """What happens in this project from now on, or from the event that was seen last."""
    seen = int(last_event_id[:18]) if last_event_id.isdecimal() else None
    return StreamingResponse(
        _stream(database(request), actor, seen, request.app.state.closing),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _stream(
    db: Database, actor: Actor, seen: int | None, closing: asyncio.Event
) -> AsyncIterator[str]:
    if seen is None:
        seen = await asyncio.to_thread(_head, db, actor)
    yield "retry: 2000\n\n"
    began = last = asyncio.get_running_loop().time()
    while not closing.is_set():  # the response hears itself when the page goes away
        now = asyncio.get_running_loop().time()
        if now - began >= LONGEST:
            return
        for entry in await asyncio.to_thread(_news, db, actor, seen):
            seen = entry.seq
            if entry.project == actor.project and not entry.subject.startswith(CONFIDENTIAL):
                data = json.dumps({"event": entry.event, "subject": entry.subject})
                yield f"id: {seen}\ndata: {data}\n\n"
                last = now
        if now - last >= SIGN_OF_LIFE:
            yield ": still here\n\n"
            last = now
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), LOOK_EVERY)


def _head(db: Database, actor: Actor) -> int:
    with db.read(actor) as tx:
        return queries.head(tx).seq


def _news(db: Database, actor: Actor, seen: int) -> list[Entry]:
    with db.read(actor) as tx:
        return queries.after(tx, seen)
