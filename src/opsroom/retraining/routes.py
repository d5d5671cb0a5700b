"""The retraining queue over HTTP: what is in it, what people do with it, and examples to train on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import Wire
from opsroom.registry.routes import KnownKinds

from . import commands, exporting, queries
from .exporting import Exported, Format, Wanted
from .model import Entry, Settings

router = APIRouter(prefix="/v1/retraining", tags=["retraining"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]
TRAIN = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Wire):
    """Newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Entry, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition(Wire):
    """Which agent should be made better, and why."""

    agent: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal(Wire):
    """Why nothing is to be done."""

    reason: str


@router.get("")
def list_retraining(
    tx: Read,
    agent: Text | None = None,
    *,
    everything: bool = False,
    before: Text | None = None,
    limit: Limit = queries.PAGE,
) -> EntryPage:
    """What should be made better, newest first; with `everything` also what is over."""
    found = queries.entries(tx, agent=agent, everything=everything, before=before, limit=limit)
    return EntryPage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.post("", status_code=201)
def add_retraining(given: Addition, tx: Write) -> Entry:
    """Put an agent into the queue. Where it is there already, that is one more reason."""
    return commands.add(tx, given.agent, because=given.because)


@router.get("/settings/{agent}")
def show_retraining_settings(agent: str, tx: Read) -> Settings:
    """When an agent is put into the queue, and how far that goes by itself."""
    return queries.settings(tx, agent)


@router.put("/settings/{agent}")
def set_retraining_settings(agent: str, new: Settings, tx: Write) -> Settings:
    """Set it. Whoever does answers for what is done by itself; somebody else approves it."""
    return commands.set_settings(tx, agent, new)


@router.get("/export/{agent}", response_class=StreamingResponse)
def export_corrections(
    request: Request,
    actor: Caller,
    agent: str,
    format: Format = Format.OPENAI_CHAT,  # noqa: A002  # the word people use
    split: Text = TRAIN,
) -> StreamingResponse:
    """Accepted corrections as JSON lines to train a model on: `openai-chat`, or pairs for `dpo`.

    `split` is train, selection, or both with a comma; never what is held out.
    """
    wanted = _wanted(agent, format, split)
    with database(request).read(actor) as tx:
        exporting.check(tx, wanted)
    return StreamingResponse(
        _lines(database(request), actor, wanted), media_type="application/jsonl"
    )


@router.get("/export/{agent}/count")
def count_export(
    tx: Read,
    agent: str,
    format: Format = Format.OPENAI_CHAT,  # noqa: A002  # the word people use
    split: Text = TRAIN,
) -> Exported:
    """How many lines the export has, and what is left out of it, why."""
    return exporting.count(tx, _wanted(agent, format, split))


@router.get("/{entry_id}")
def show_retraining(entry_id: str, tx: Read) -> Entry:
    """One entry: why, what it would cost, how far it is, and what it waits for."""
    return queries.entry(tx, entry_id)


@router.post("/{entry_id}/start")
def start_retraining(entry_id: str, tx: Write) -> Entry:
    """Begin the search for something better."""
    return commands.start(tx, entry_id)


@router.post("/{entry_id}/release")
def release_retraining(entry_id: str, tx: Write, known: KnownKinds) -> Entry:
    """Start the release of the agent with what was found, as its last release went."""
    return commands.release(tx, entry_id, kinds=known)


@router.post("/{entry_id}/dismiss")
def dismiss_retraining(entry_id: str, given: Dismissal, tx: Write) -> Entry:
    """End an entry without a release."""
    return commands.dismiss(tx, entry_id, reason=given.reason)


def _wanted(agent: str, format_: Format, split: str) -> Wanted:
    splits = tuple(one.strip() for one in split.split(",") if one.strip())
    return Wanted(agent=agent, format=format_, splits=splits or (TRAIN,))


def _lines(db: Database, actor: Actor, wanted: Wanted) -> Iterator[str]:
    with db.read(actor) as tx:
        yield from exporting.lines(tx, wanted)
