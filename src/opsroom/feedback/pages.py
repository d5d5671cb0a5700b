"""Feedback in the browser: whether users are served, by use case; results; the quarantine."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.web.charts import Effect, Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .figures import Cycle, Exceptions, Figures, Interventions, Lift, Phase, Satisfaction
from .model import Source, State

PATH = "/feedback"
PAGE = 50
SHOWN = 12
MOST_ROWS = 40
HALF = 0.5
WINDOWS = ((7, "7 days"), (30, "30 days"), (90, "90 days"))
NOTICES = {"feedback_released": Notice(text="What was set aside counts now.")}
TONES: dict[str, Tone] = {"higher": "info", "lower": "info", "undecided": "muted"}
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]


@router.get("")
def overview_page(
    request: Request, tx: Read, days: Annotated[int, Query(ge=1, le=3660)] = 30
) -> Response:
    """What users say, what the business saw, how the work went, and what was set aside."""
    found = queries.figures(tx, window=timedelta(days=days))
    verdict, tone = verdict_of(found)
    return _pages(request).render(
        request,
        "feedback/overview.html",
        found=found,
        days=days,
        windows=WINDOWS,
        verdict=verdict,
        tone=tone,
        use_cases=found.by_use_case[:MOST_ROWS],
        versions=found.by_version[:MOST_ROWS],
        effects=[_effect(one) for one in found.lifts[:MOST_ROWS] if one.interval],
        vague=[one for one in found.lifts[:MOST_ROWS] if one.interval is None],
        work=_work(found),
        phases=_phases(found),
        texts=queries.texts(tx, limit=SHOWN),
        voices=queries.quarantine(tx),
        said_of=_said_of,
        span=_span,
        may="operate" in tx.actor.may,
    )


@router.get("/said")
def said_page(
    request: Request,
    tx: Read,
    *,
    agent: Text = "",
    version: Text = "",
    use_case: Text = "",
    kpi: Text = "",
    by: Text = "",
    state: State | None = None,
    source: Source | None = None,
    counted: bool | None = None,
    before: Text | None = None,
) -> Response:
    """Feedback one by one, newest first."""
    asked = {
        "agent": agent,
        "version": version,
        "use_case": use_case,
        "kpi": kpi,
        "by": by,
        "state": state.value if state else "",
        "source": source.value if source else "",
        "counted": "" if counted is None else str(counted).lower(),
    }
    given = {name: value for name, value in asked.items() if value}
    found = queries.page(
        tx,
        agent=agent or None,
        version=version or None,
        use_case=use_case or None,
        kpi=kpi or None,
        by=by or None,
        state=state,
        source=source,
        counted=counted,
        before=before,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    more = urlencode({**given, "before": shown[-1].id}) if len(found) > PAGE else ""
    return _pages(request).render(
        request,
        "feedback/said.html",
        said=shown,
        given=given,
        next=f"{PATH}/said?{more}" if more else "",
        first=f"{PATH}/said?{urlencode(given)}" if before else "",
        may="operate" in tx.actor.may,
    )


@router.post("/release")
def release(
    request: Request,
    tx: Write,
    by: Annotated[str, Form(max_length=200)] = "",
    feedback_id: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Let what was set aside count: one piece of it, or all of one voice."""
    if feedback_id:
        commands.release(tx, feedback_id)
    else:
        commands.release_all(tx, by)
    return _pages(request).redirect(PATH, notice="feedback_released")


def verdict_of(found: Figures) -> tuple[str, Tone]:
    """What stands first on the page: whether users are served."""
    served_badly = sum(
        one.helpful.interval is not None and one.helpful.interval.high < HALF
        for one in found.by_use_case
    )
    if served_badly:
        plural = "use case helps" if served_badly == 1 else "use cases help"
        return f"{served_badly} {plural} less than half", "bad"
    interval = found.overall.helpful.interval
    if interval is None:
        return "no user has said anything yet", "muted"
    if interval.low > HALF:
        return "most users are helped", "good"
    return "too few have spoken to say", "muted" if interval.high > HALF else "bad"


def _effect(one: Lift) -> Effect:
    assert one.interval is not None
    return Effect(
        label=f"{one.kpi} of {one.after} after {one.before}",
        estimate=one.difference,
        low=one.interval.low,
        high=one.interval.high,
        verdict=one.verdict,
        tone=TONES[one.verdict],
        unit=one.unit,
        digits=2,
        n=one.after_moments.n,
        before=f"{one.before_moments.mean:,.2f}",
        after=f"{one.after_moments.mean:,.2f}",
        href=f"{PATH}/said?{urlencode({'agent': one.agent, 'kpi': one.kpi, 'counted': 'true'})}",
    )


def _said_of(one: Satisfaction) -> str:
    """Where the voices behind a figure are listed."""
    of = {"use_case": one.use_case, "agent": one.agent, "version": one.version}
    told = {name: value for name, value in of.items() if value}
    return f"{PATH}/said?{urlencode({**told, 'source': 'user', 'counted': 'true'})}"


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _work(
    found: Figures,
) -> Sequence[tuple[str, Cycle | None, Exceptions | None, dict[str, Interventions]]]:
    """How the work of each agent went, in one row."""
    work = found.work
    cycles = {one.agent: one for one in work.cycles}
    exceptions = {one.agent: one for one in work.exceptions}
    agents = sorted({one.agent for one in work.interventions})
    return [
        (
            agent,
            cycles.get(agent),
            exceptions.get(agent),
            {one.phase.value: one for one in work.interventions if one.agent == agent},
        )
        for agent in agents[:MOST_ROWS]
    ]


def _phases(found: Figures) -> list[str]:
    """The phases in which anybody worked."""
    there = {one.phase for one in found.work.interventions}
    return [phase.value for phase in Phase if phase in there]


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
