"""Prompts over HTTP: what only they have beside the registry's addresses."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import JsonValue
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire, adapter
from opsroom.registry import environments
from opsroom.registry.routes import KnownKinds

from . import commands, queries
from .commands import Pushed, PushedPrompt
from .queries import Reading
from .rendering import Rendered, render

router = APIRouter(prefix="/v1/prompts", tags=["prompts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(Wire):
    """Prompts as they stand in a folder; `message` is for those that bring none."""

    prompts: tuple[PushedPrompt, ...]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Wire):
    """Values to render a prompt with."""

    at: str = "latest"
    variables: dict[str, JsonValue]


@router.post("/push")
def push(folder: Folder, tx: Write, known: KnownKinds) -> list[Pushed]:
    """Make every prompt's latest version what is in the folder: all of them, or none."""
    return commands.push(tx, folder.prompts, message=folder.message, kinds=known)


@router.post("/compare")
def compare(folder: Folder, tx: Write, known: KnownKinds) -> list[Pushed]:
    """What a push would do, word by word. Nothing is stored."""
    return commands.compare(tx, folder.prompts, kinds=known)


@router.post("/{name}/render")
def try_out(name: str, trial: Trial, tx: Read) -> Rendered:
    """A version with these values in place."""
    environments.check_within(tx, trial.at)
    found = queries.reading(tx, queries.version(tx, name, trial.at))
    return render(found.spec, trial.variables, include=found.includes.__getitem__)


@router.get("/{name}/read", response_model=Reading)
def read(
    name: str,
    tx: Read,
    label: str = "production",
    version: Annotated[int | None, Query(ge=1)] = None,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """A version with all it includes, ready to render; 304 where the caller has it already."""
    at = label if version is None else str(version)
    environments.check_within(tx, at)
    found = queries.version(tx, name, at)
    etag = f'"{found.number}-{found.digest[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in if_none_match:
        return Response(status_code=304, headers=headers)
    shown = queries.reading(tx, found, label=label if version is None else None)
    body = adapter(Reading).dump_json(shown)
    return Response(body, headers=headers, media_type="application/json")
