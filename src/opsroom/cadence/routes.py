"""The calendar over HTTP: what is due, beginning and closing it, and the feed for calendars."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import NOBODY, Caller, Read, Write, database
from opsroom.integrations.probing import Prober
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.models import Models
from opsroom.registry import Kinds
from opsroom.traces.telemetry import Traces

from . import commands, ical, queries
from .beginning import Beginning
from .commands import Search
from .model import Answer, Kind, Occasion, Settings, Streak, end_of

router = APIRouter(prefix="/v1/cadence", tags=["cadence"])
files = APIRouter(include_in_schema=False)
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]
BACK, AHEAD = timedelta(days=90), timedelta(days=365)  # what a feed holds


@dataclass(frozen=True, slots=True, kw_only=True)
class OccasionPage(Wire):
    """Occasions, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Occasion, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due(Wire):
    """What is open or begun, the earliest due first, and how well each kind was kept."""

    now: datetime
    items: tuple[Occasion, ...]
    overdue: int
    streaks: tuple[Streak, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(Wire):
    """An answer to each question of the occasion, and a sentence about the whole."""

    answers: dict[str, Answer]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving(Wire):
    """The day (UTC) by whose end it is due now, and why."""

    to: date
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attaching(Wire):
    """A record of this project by its name, and what it shows."""

    record: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress(Wire):
    """Where calendars find the feed. Whoever has the address can read it."""

    url: str


@router.get("")
def list_occasions(
    tx: Read,
    *,
    kind: Kind | None = None,
    subject: Text = "",
    before: Text | None = None,
    limit: Limit = 50,
) -> OccasionPage:
    """Every occasion there was, newest first."""
    found = queries.occasions(tx, kind=kind, subject=subject, before=before, limit=limit)
    following = found[-1].id if len(found) == limit else None
    return OccasionPage(items=tuple(found), next=following)


@router.get("/due")
def due(tx: Read, *, kind: Kind | None = None, limit: Limit = 50) -> Due:
    """What has to be done, and by when."""
    return Due(
        now=tx.now,
        items=tuple(queries.due(tx, kind=kind, limit=limit)),
        overdue=queries.count_overdue(tx),
        streaks=tuple(queries.streaks(tx)),
    )


@router.get("/settings")
def show_settings(tx: Read) -> Settings:
    """Which occasions this project has, and how often."""
    return queries.settings(tx)


@router.put("/settings")
def set_settings(given: Settings, tx: Write) -> Settings:
    """Say which occasions this project has."""
    return commands.set_settings(tx, given)


@router.get("/calendar.ics", response_class=Response)
def download(request: Request, tx: Read) -> Response:
    """The calendar as a file (iCalendar)."""
    return _file(request, tx)


@router.post("/feed")
def make_feed(request: Request, tx: Write) -> FeedAddress:
    """An address that calendars can subscribe to. The one you had before stops working."""
    secret = commands.make_feed(tx)
    return FeedAddress(url=f"{_site(request)}/calendar/{secret}.ics")


@router.get("/{occasion_id}")
def show_occasion(occasion_id: str, tx: Read) -> Occasion:
    """One occasion with its evidence."""
    return queries.occasion(tx, occasion_id)


@router.post("/{occasion_id}/start")
def start(
    occasion_id: str, request: Request, actor: Caller, given: Search | None = None
) -> Occasion:
    """Begin an occasion: its evidence is collected, an optimisation starts its search."""
    return begin(request, actor, occasion_id, given)


@router.post("/{occasion_id}/attach")
def attach(occasion_id: str, given: Attaching, tx: Write) -> Occasion:
    """Add a record as it is now."""
    return commands.attach(tx, occasion_id, given.record, note=given.note)


@router.post("/{occasion_id}/close")
def close(occasion_id: str, given: Closing, tx: Write) -> Occasion:
    """End an occasion with an answer to each question."""
    return commands.close(tx, occasion_id, answers=given.answers, note=given.note)


@router.post("/{occasion_id}/reschedule")
def reschedule(occasion_id: str, given: Moving, tx: Write) -> Occasion:
    """Let it be due on another day."""
    return commands.reschedule(tx, occasion_id, to=last_of(given.to), because=given.because)


@files.get("/calendar/{secret}.ics")
def feed(secret: str, request: Request) -> Response:
    """The calendar for whoever holds its address, as far as its owner may look today."""
    with database(request).read(NOBODY) as tx:
        actor = queries.reader_of(tx, secret)
    with database(request).read(actor) as tx:
        return _file(request, tx)


def begin(
    request: Request, actor: Caller, occasion_id: str, search: Search | None = None
) -> Occasion:
    """Begin an occasion with what this server knows."""
    state = request.app.state
    here = Beginning(
        db=database(request),
        telemetry=cast("Traces", state.traces),
        prober=cast("Prober", state.prober),
        models=cast("Models", state.models),
        kinds=cast("Kinds", state.kinds),
    )
    return here.begin(actor, occasion_id, search=search)


def last_of(day: date) -> datetime:
    """The end of a day in UTC."""
    return end_of(datetime.combine(day, time(), tzinfo=UTC))


def _file(request: Request, tx: Tx) -> Response:
    some = queries.between(tx, tx.now - BACK, tx.now + AHEAD)
    text = ical.calendar(some, site=_site(request), project=tx.project, now=tx.now)
    return Response(
        text,
        media_type="text/calendar; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="opsroom.ics"',
            "Referrer-Policy": "no-referrer",
        },
    )


def _site(request: Request) -> str:
    return cast("str", request.app.state.settings.site)
