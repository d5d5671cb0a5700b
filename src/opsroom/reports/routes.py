"""Reports over HTTP: as data, as a table, as a page that stands by itself; and their schedules."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Actor, Tx
from opsroom.kit.wire import Wire
from opsroom.traces.telemetry import Traces

from . import commands, queries, writing
from .catalog import REPORTS
from .model import LEAST, Answer, Ask, Column, Copy, Schedule, ScheduleDraft, stretch

router = APIRouter(prefix="/v1/reports", tags=["reports"])
schedules = APIRouter(prefix="/v1/report-schedules", tags=["reports"])
copies = APIRouter(prefix="/v1/report-copies", tags=["reports"])
Moment = Annotated[str, Query(max_length=40)]
Text = Annotated[str, Query(max_length=200)]
Least = Annotated[int, Query(ge=1, le=1_000_000)]
Form = Annotated[Literal["json", "csv", "html"], Query(alias="format")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInfo(Wire):
    """A report that there is."""

    name: str
    title: str
    question: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPage(Wire):
    """What was sent, newest first. `next` is what to pass as `before` for the page after this."""

    items: tuple[Copy, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Wire):
    """What was sent, as it was; `whole` says that it still is what its digest names."""

    copy: Copy
    answer: Answer
    whole: bool


@router.get("")
def list_reports(_: Read) -> list[ReportInfo]:
    """The reports that there are."""
    return [
        ReportInfo(name=name, title=one.title, question=one.question, columns=one.columns)
        for name, one in REPORTS.items()
    ]


@router.get("/{name}", response_model=Answer)
def make_report(
    request: Request,
    actor: Caller,
    name: str,
    *,
    since: Moment = "",
    until: Moment = "",
    agent: Text = "",
    least: Least = LEAST,
    after: Text = "",
    form: Form = "json",
) -> Answer | Response:
    """A report about a time: `since` as `30d` before its end, or a moment; `until` as a moment.
    As JSON, two hundred rows at a time; as CSV, all of them; as an HTML file, made to be printed.
    """
    db = database(request)
    with db.read(actor) as tx:
        ask = asked(tx, since, until, agent=agent, least=least, after=after)
    return made(request, actor, name, ask, form)


def asked(tx: Tx, since: str, until: str, *, agent: str, least: int, after: str = "") -> Ask:
    """Raises `NoStretch`."""
    begin, end = stretch(since, until, now=tx.now)
    return Ask(since=begin, until=end, agent=agent, least=least, after=after)


def made(request: Request, actor: Actor, name: str, ask: Ask, form: str) -> Answer | Response:
    """A report in one of its forms. What keeps it from being made is known before it begins."""
    found = queries.pages(database(request), actor, name, ask, telemetry=telemetry(request))
    first = next(found)
    match form:
        case "csv":
            return _table(request, first, found)
        case "html":
            return document(request, first)
        case _:
            return first


def telemetry(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)


def document(request: Request, answer: Answer, *, digest: str = "") -> Response:
    return HTMLResponse(
        writing.page(answer, site=_site(request), digest=digest),
        headers=_as_file(answer, "html"),
    )


def table(request: Request, answer: Answer) -> Response:
    """As CSV, what is in an answer and no more."""
    return _table(request, answer, iter(()))


def _table(request: Request, first: Answer, rest: Iterator[Answer]) -> Response:
    return StreamingResponse(
        writing.lines(chain([first], rest), site=_site(request)),
        media_type="text/csv; charset=utf-8",
        headers=_as_file(first, "csv"),
    )


def _as_file(answer: Answer, form: str) -> dict[str, str]:
    name = f"{answer.report}-{answer.since:%Y%m%d}-{answer.until:%Y%m%d}.{form}"
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }


def _site(request: Request) -> str:
    return cast("str", request.app.state.settings.site)


@schedules.get("")
def list_schedules(tx: Read) -> list[Schedule]:
    """What is sent by schedule."""
    return queries.schedules(tx)


@schedules.post("")
def set_schedule(draft: ScheduleDraft, tx: Write) -> Schedule:
    """Send a report through a channel every week (on Monday, about the week before) or month (on
    the first, about the month before), at six in the morning, UTC.
    """
    return commands.set_schedule(tx, draft)


@schedules.put("/{schedule_id}")
def move_schedule(schedule_id: str, draft: ScheduleDraft, tx: Write) -> Schedule:
    """Let a schedule be another one from now on."""
    return commands.move_schedule(tx, schedule_id, draft)


@schedules.post("/{schedule_id}/end")
def end_schedule(schedule_id: str, tx: Write) -> Schedule:
    """Send it no more."""
    return commands.end_schedule(tx, schedule_id)


@copies.get("")
def list_copies(
    tx: Read,
    *,
    report: Text = "",
    before: Text | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = queries.PAGE,
) -> CopyPage:
    """What was sent by schedule, as long as it is kept."""
    items = tuple(queries.copies(tx, report=report, before=before, limit=limit))
    return CopyPage(items=items, next=items[-1].id if len(items) == limit else None)


@copies.get("/{copy_id}", response_model=Kept)
def show_copy(request: Request, tx: Read, copy_id: str, form: Form = "json") -> Kept | Response:
    """What was sent, exactly as it was."""
    copy, answer, whole = queries.copy(tx, copy_id)
    match form:
        case "csv":
            return table(request, answer)
        case "html":
            return document(request, answer, digest=copy.digest)
        case _:
            return Kept(copy=copy, answer=answer, whole=whole)
