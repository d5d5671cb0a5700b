"""Telemetry over HTTP, to be read: traces by what their spans say, one in full, and figures."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Query, Request

from opsroom.access.http import Read
from opsroom.kit.wire import Wire

from . import queries, views, words
from .model import Span, Summary
from .narrowing import Narrowed, Where, Word
from .parsing import parse
from .telemetry import Traces

router = APIRouter(prefix="/v1/traces", tags=["traces"])
Id = Annotated[str, Path(max_length=64)]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage(Wire):
    """Traces, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Summary, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Wire):
    """What spans of one agent, tool, model … came to. Times are seconds."""

    key: str
    spans: int
    errors: int
    p50: float
    p90: float
    p95: float
    p99: float
    cost: Decimal | None
    input_tokens: int
    output_tokens: int


@router.get("")
def list_traces(
    request: Request,
    tx: Read,
    wanted: Narrowed,
    q: Where = "",
    view: Word = "",
    before: Word = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> TracePage:
    """Traces with a span for which all of this holds, and of which `q` holds: a filter such as
    `agent:claims status:error cost>0.05` (docs/how-to/traces.md). With `view`, only of what that
    saved view shows.
    """
    wanted = replace(wanted, where=parse(q))
    if view:
        wanted = views.through(views.view(tx, view), wanted, now=tx.now)
    found = queries.page(
        _traces(request), tx.project, wanted, now=tx.now, before=before, limit=limit
    )
    last = found[-1].cursor if len(found) == limit else None
    return TracePage(items=tuple(found), next=last)


@router.get("/figures")
def show_figures(
    request: Request,
    tx: Read,
    by: Literal["agent", "version", "tool", "served_model", "prompt", "release"] = "agent",
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Figures, ...]:
    """How many spans, how long they took and what they cost, of the last day unless said."""
    end = until or tx.now
    rows = queries.percentiles(
        _traces(request), tx.project, by=by, since=since or end - DAY, until=end
    )
    return tuple(_figures(row) for row in rows)


@router.get("/words")
def propose_words(request: Request, tx: Read, q: Where = "") -> tuple[words.Proposal, ...]:
    """How the last term of a filter may go on: fields, or values seen in the last week."""
    return tuple(words.propose(_traces(request), tx.project, q, now=tx.now))


@router.get("/{trace_id}")
def show_trace(request: Request, tx: Read, trace_id: Id) -> tuple[Span, ...]:
    """Every span of a trace, in the order in which they began."""
    return tuple(queries.trace(_traces(request), tx.project, trace_id))


def _figures(row: dict[str, Any]) -> Figures:
    p50, p90, p95, p99 = (float(one) for one in row["seconds"])
    return Figures(
        key=row["key"],
        spans=row["spans"],
        errors=row["errors"],
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        cost=row["cost"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
    )


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)
