"""Traces in the browser: the list, one trace as a waterfall, and two side by side.

Everything that was said or returned is text about text; nothing of it is ever markup.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from opsroom.access.http import Read
from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel
from opsroom.web.render import Pages

from . import heat, queries, views, words
from .errors import BadTraceFilter, TelemetryUnavailable
from .exchange import Exchange, exchange
from .model import WORDS, Filter, Span, View
from .narrowing import Narrowed, Where, Word
from .parsing import parse
from .telemetry import Traces
from .waterfall import Waterfall, arrange, beside, columns, kind_of

PAGE = 50
IN_FORM = ("agent", "tool", "served_model", "session", "user", "status")
DRAWN = 200  # rows that are there without a script
router = APIRouter(prefix="/traces", include_in_schema=False)
TraceId = Annotated[str, Path(max_length=64)]
# What other slices know about the turns of a trace.
DrawBeside = Callable[[Tx, str], Panel | None]
# What other slices offer to do about a trace as a whole.
Offer = Callable[[Tx, Exchange], Sequence[Panel]]


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    wanted: Narrowed,
    q: Where = "",
    hours: Annotated[int, Query(ge=0, le=24 * 400)] = 0,
    before: Word = "",
) -> Response:
    """Traces, newest first, narrowed down by what their spans say."""
    asked = {name: str(getattr(wanted, name)) for name in WORDS}
    since = tx.now - timedelta(hours=hours) if hours else None
    rows, away, wrong = [], "", None
    between = {
        name: moment.isoformat().replace("+00:00", "Z")
        for name in ("since", "until")
        if (moment := getattr(wanted, name)) and not (hours and name == "since")
    }
    proposals: list[words.Proposal] = []
    try:
        wanted = replace(wanted, since=since or wanted.since, where=parse(q))
        proposals = words.beginnings(_traces(request), tx.project, now=tx.now)
        rows = queries.page(
            _traces(request),
            tx.project,
            wanted,
            now=tx.now,
            before=before,
            limit=PAGE + 1,
        )
    except BadTraceFilter as error:
        wrong = error
    except TelemetryUnavailable as error:
        away = str(error)
    given = {name: value for name, value in {**asked, "q": q, **between}.items() if value}
    if hours:
        given["hours"] = str(hours)
    saved = views.views(tx)
    return _pages(request).render(
        request,
        "traces/list.html",
        rows=rows[:PAGE],
        next=rows[PAGE - 1].cursor if len(rows) > PAGE else "",
        asked=asked,
        hours=hours,
        given=given,
        before=before,
        away=away,
        q=q,
        wrong=wrong,
        proposals=proposals,
        kept={name: given[name] for name in given if name not in {*IN_FORM, "q", "hours"}},
        map=None if before or wrong or away else _map(request, tx, wanted, given),
        shown_by_itself=not (hours or between),
        views=_tabs(saved, given),
        chosen=next((one.name for one in saved if one.given == given), ""),
        may="author" in tx.actor.may,
    )


@router.get("/compare")
def compare_page(request: Request, tx: Read, a: Word, b: Word) -> Response:
    """Two traces side by side, step by step."""
    one, other = (_waterfall(request, tx, which) for which in (a, b))
    return _pages(request).render(
        request, "traces/compare.html", a=a, b=b, one=one, other=other, steps=beside(one, other)
    )


@router.get("/{trace_id}")
def show_page(request: Request, tx: Read, trace_id: TraceId, span: Word = "") -> Response:
    """One trace: what the turn was about, the waterfall, and a span of it in full."""
    found = _waterfall(request, tx, trace_id)
    spans = [row.span for row in found.rows]
    chosen = next((one for one in spans if one.span_id == span), spans[0])
    panels = _beside(request, tx, spans)
    offered = cast("Offer", request.app.state.offered_at_trace)
    return _pages(request).render(
        request,
        "traces/show.html",
        trace_id=spans[0].trace_id,
        found=found,
        rows=[(row, kind_of(row.span)) for row in found.rows[:DRAWN]],
        root=spans[0],
        chosen=chosen,
        chosen_kind=kind_of(chosen),
        panels=panels,
        offered=offered(tx, exchange(spans)),
    )


@router.get("/{trace_id}/columns")
def columns_of(request: Request, tx: Read, trace_id: TraceId) -> Response:
    """What the waterfall draws, column by column."""
    return JSONResponse(columns(_waterfall(request, tx, trace_id)))


@router.get("/{trace_id}/spans/{span_id}")
def span_part(request: Request, tx: Read, trace_id: TraceId, span_id: TraceId) -> Response:
    """One span in full, for the place beside the waterfall."""
    found = queries.span(_traces(request), tx.project, trace_id, span_id)
    return _pages(request).render(
        request, "traces/span_page.html", chosen=found, chosen_kind=kind_of(found)
    )


def _map(
    request: Request, tx: Tx, wanted: Filter, given: Mapping[str, str]
) -> heat.Heat | None:
    """When such traces began and how long they took; the list stands without it."""
    try:
        return heat.draw(_traces(request), tx.project, wanted, now=tx.now, given=given)
    except TelemetryUnavailable:
        return None


def _tabs(saved: Sequence[View], given: Mapping[str, str]) -> Sequence[tuple[str, str, bool]]:
    """Saved views as links, behind the one that shows everything; none where none is saved."""
    links = [(one.name, f"/traces?{urlencode(one.given)}", one.given == given) for one in saved]
    return [("All", "/traces", not given), *links] if links else []


def _waterfall(request: Request, tx: Tx, trace_id: str) -> Waterfall:
    return arrange(queries.trace(_traces(request), tx.project, trace_id))


def _beside(request: Request, tx: Tx, spans: Sequence[Span]) -> list[Panel]:
    turns = dict.fromkeys(one.turn for one in spans if one.turn)
    draw = cast("DrawBeside", request.app.state.beside_traces)
    return [panel for turn in list(turns)[:5] if (panel := draw(tx, turn)) is not None]


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
