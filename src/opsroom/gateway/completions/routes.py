"""Models over HTTP, as OpenAI's clients ask for them; and which ones providers served."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, called
from opsroom.kit.db import Actor
from opsroom.kit.wire import Wire

from . import faces
from .door import ModelDoor
from .faces import Face
from .model import Path, read

router = APIRouter(tags=["gateway"])
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting(Wire):
    """A model that this process leaves alone for so many seconds, after so many failures."""

    model: str
    endpoint: str
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Models(Wire):
    """What providers served, newest first, and what rests."""

    served: tuple[Face, ...]
    resting: tuple[Resting, ...]


@router.post("/openai/v1/chat/completions", response_class=Response, openapi_extra=BODY)
async def complete_chat(request: Request, actor: Caller) -> Response:
    """OpenAI's Chat Completions; `model` is a route, or `agent:NAME`."""
    return await _answer(request, actor, Path.CHAT)


@router.post("/openai/v1/responses", response_class=Response, openapi_extra=BODY)
async def respond(request: Request, actor: Caller) -> Response:
    """OpenAI's Responses; `model` is a route, or `agent:NAME`."""
    return await _answer(request, actor, Path.RESPONSES)


@router.post("/openai/v1/embeddings", response_class=Response, openapi_extra=BODY)
async def embed(request: Request, actor: Caller) -> Response:
    """OpenAI's Embeddings; `model` is a route."""
    return await _answer(request, actor, Path.EMBEDDINGS)


@router.post("/openai/v1/completions", response_class=Response, openapi_extra=BODY)
async def complete_text(request: Request, actor: Caller) -> Response:
    """OpenAI's older Completions, for those who still use them; `model` is a route."""
    return await _answer(request, actor, Path.COMPLETIONS)


@router.get("/v1/gateway/models")
def list_served(
    request: Request, tx: Read, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> Models:
    """Which models providers served under the names that were asked for, when each was seen first,
    and which ones this process leaves alone after failures.
    """
    door = _door(request)
    return Models(
        served=tuple(faces.faces(tx, limit=limit)),
        resting=tuple(
            Resting(
                model=line.model, endpoint=line.endpoint, failures=failures, seconds=seconds
            )
            for line, failures, seconds in door.resting(tx.project)
        ),
    )


async def _answer(request: Request, actor: Actor, path: Path) -> Response:
    raw = await request.body()
    asked = read(path, raw, request.headers)
    return await _door(request).answer(
        asked,
        actor,
        size=len(raw),
        traceparent=request.headers.get("traceparent", ""),
        seen=lambda tx, agent: called(request, tx, agent),
    )


def _door(request: Request) -> ModelDoor:
    return cast("ModelDoor", request.app.state.model_door)
