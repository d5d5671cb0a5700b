"""The calendar in the browser: the month, what is overdue, and one occasion with its evidence."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write
from opsroom.improvement.model import Method
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries, reviewing
from .commands import Search
from .model import LIVE, NAMES, Answer, Kind, Occasion, Settings, State, Verdict
from .routes import begin, last_of

PATH = "/cadence"
SOON = timedelta(days=7)
MOST_IN_CELL = 4
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Word = Annotated[str, Form(max_length=200)]
Why = Annotated[str, Form(max_length=2000, pattern=r"\S")]
NOTICES = {
    "cadence_started": Notice(text="Begun. Its evidence was collected and stays as it is."),
    "cadence_attached": Notice(text="Attached, as it is now."),
    "cadence_closed": Notice(text="Closed, with your answers on record."),
    "cadence_moved": Notice(text="Moved, with your reason on record."),
    "cadence_set": Notice(text="Set. The calendar follows within the hour."),
}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the grid: what is due then, the first few, and how many more."""

    date: date
    inside: bool
    today: bool
    occasions: tuple[Occasion, ...]
    more: int


@router.get("")
def calendar_page(request: Request, tx: Read, month: Month | None = None) -> Response:
    """The month, what is overdue, what comes next, and the streaks."""
    first = _first(month, tx.now)
    weeks = _weeks(first)
    since = datetime.combine(weeks[0][0], datetime.min.time(), tzinfo=UTC)
    until = since + timedelta(days=7 * len(weeks))
    shown = queries.between(tx, since, until)
    live = queries.due(tx, until=tx.now + SOON, limit=100)
    return _pages(request).render(
        request,
        "cadence/calendar.html",
        first=first,
        before=_first("", first - timedelta(days=1)),
        after=_first("", first + timedelta(days=32)),
        weeks=_grid(weeks, first, shown, tx.now),
        overdue=[one for one in live if one.late(tx.now)],
        soon=[one for one in live if not one.late(tx.now)],
        count=queries.count_overdue(tx),
        streaks=queries.streaks(tx),
        names=NAMES,
        tone=partial(_tone, now=tx.now),
        word=partial(_word, now=tx.now),
        settings=queries.settings(tx),
        kinds=list(Kind),
        may_set="administer" in tx.actor.may,
    )


@router.get("/all")
def list_page(request: Request, tx: Read, before: Text | None = None) -> Response:
    """Every occasion there was, newest first."""
    found = queries.occasions(tx, before=before, limit=51)
    shown = found[:50]
    return _pages(request).render(
        request,
        "cadence/list.html",
        occasions=shown,
        before=before,
        next=shown[-1].id if len(found) > len(shown) else "",
        tone=partial(_tone, now=tx.now),
        word=partial(_word, now=tx.now),
    )


@router.post("/settings")
def set_settings(
    request: Request,
    tx: Write,
    kind: Annotated[Kind, Form()],
    every_months: Annotated[int, Form()],
    within_days: Annotated[int, Form()],
    owner: Word = "",
    on: Word = "",
) -> Response:
    """Say how often a kind comes up."""
    was = queries.settings(tx)
    commands.set_settings(tx, _changed(was, kind, every_months, within_days, owner, on))
    return _pages(request).redirect(PATH, notice="cadence_set")


@router.get("/{occasion_id}")
def occasion_page(request: Request, occasion_id: str, tx: Read) -> Response:
    """One occasion: what is asked, what speaks to it, and what was answered."""
    one = queries.occasion(tx, occasion_id)
    access = one.kind is Kind.ACCESS_REVIEW
    may = "review" in tx.actor.may and tx.actor.human
    if access:
        may = may and reviewing.PERMISSION in tx.actor.may
    return _pages(request).render(
        request,
        "cadence/occasion.html",
        one=one,
        tone=_tone(one, tx.now),
        word=_word(one, tx.now),
        name=NAMES[one.kind],
        access=access,
        hidden=access and reviewing.PERMISSION not in tx.actor.may,
        verdicts=(("holds", "keep"), ("act", "take away"))
        if access
        else (("holds", "holds"), ("act", "something to do")),
        live_now=one.state in LIVE,
        may=may,
        methods=[Method.EXAMPLES.value, Method.REFLECT.value],
        tomorrow=(tx.now + timedelta(days=1)).date().isoformat(),
        streaks=queries.streaks(tx, subject=one.subject),
        names=NAMES,
    )


@router.post("/{occasion_id}/start")
def start(
    request: Request,
    occasion_id: str,
    actor: Caller,
    dataset: Word = "",
    model: Word = "",
    method: Annotated[Method, Form()] = Method.EXAMPLES,
) -> Response:
    """Begin an occasion."""
    search = Search(dataset=dataset.strip(), model=model.strip(), method=method)
    begin(request, actor, occasion_id, search)
    return _pages(request).redirect(f"{PATH}/{occasion_id}", notice="cadence_started")


@router.post("/{occasion_id}/attach")
def attach(
    request: Request, occasion_id: str, tx: Write, record: Word, note: Word = ""
) -> Response:
    """Add a record."""
    commands.attach(tx, occasion_id, record.strip(), note=note)
    return _pages(request).redirect(f"{PATH}/{occasion_id}", notice="cadence_attached")


@router.post("/{occasion_id}/close")
def close(
    request: Request,
    occasion_id: str,
    tx: Write,
    question: Annotated[list[str], Form()],
    verdict: Annotated[list[Verdict], Form()],
    because: Annotated[list[str], Form()],
    note: Why,
) -> Response:
    """End an occasion."""
    answers = {
        asked: Answer(verdict=said, because=why.strip())
        for asked, said, why in zip(question, verdict, because, strict=False)
    }
    commands.close(tx, occasion_id, answers=answers, note=note)
    return _pages(request).redirect(f"{PATH}/{occasion_id}", notice="cadence_closed")


@router.post("/{occasion_id}/reschedule")
def reschedule(
    request: Request, occasion_id: str, tx: Write, to: Annotated[date, Form()], because: Why
) -> Response:
    """Let it be due on another day."""
    commands.reschedule(tx, occasion_id, to=last_of(to), because=because)
    return _pages(request).redirect(f"{PATH}/{occasion_id}", notice="cadence_moved")


def _changed(
    was: Settings, kind: Kind, every_months: int, within_days: int, owner: str, on: str
) -> Settings:
    rule = replace(
        was.rule(kind),
        on=bool(on),
        every_months=every_months,
        within_days=within_days,
        owner=owner.strip(),
    )
    name = kind.value.replace("-", "_")
    return replace(was, **{name: rule})


def _first(month: str | None, at: datetime) -> datetime:
    """The first of a month, or of the month that `at` lies in."""
    if month:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _weeks(first: datetime) -> list[list[date]]:
    return calendar.Calendar().monthdatescalendar(first.year, first.month)


def _grid(
    weeks: Sequence[Sequence[date]], first: datetime, some: Sequence[Occasion], now: datetime
) -> list[list[Day]]:
    by_day: dict[date, list[Occasion]] = {}
    for one in some:
        by_day.setdefault(one.due_at.astimezone(UTC).date(), []).append(one)

    def day(of: date) -> Day:
        due = by_day.get(of, [])
        return Day(
            date=of,
            inside=of.month == first.month,
            today=of == now.astimezone(UTC).date(),
            occasions=tuple(due[:MOST_IN_CELL]),
            more=max(len(due) - MOST_IN_CELL, 0),
        )

    return [[day(of) for of in week] for week in weeks]


def _tone(one: Occasion, now: datetime) -> Tone:
    if one.late(now) or one.state is State.MISSED:
        return "bad"
    if one.state is State.CLOSED:
        return "good" if one.kept else "warn"
    return "muted" if one.state is State.CANCELLED else "info"


def _word(one: Occasion, now: datetime) -> str:
    if one.late(now):
        return "overdue"
    if one.state is State.CLOSED:
        return "done in time" if one.kept else "done late"
    return one.state.value


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
