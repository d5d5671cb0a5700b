"""Drift in the browser: what moved, by how much, and examples side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Tx
from opsroom.kit.errors import Unavailable
from opsroom.traces import sampling
from opsroom.traces.sampling import Run
from opsroom.traces.telemetry import Traces
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, looking, queries
from .model import BEFORE, WINDOW, Aspect, Drift, State, Watch

PAGE = 50
PATH = "/drift"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
NOTICES = {
    "drift_accepted": Notice(text="That is the normal now. Later days are compared with it."),
    "drift_looked": Notice(text="Looked. What was found is below."),
}
STATES: dict[State, Tone] = {
    State.OPEN: "warn",
    State.SETTLED: "good",
    State.ACCEPTED: "muted",
}
NAMES = {
    Aspect.INPUT: "requests",
    Aspect.OUTPUT: "answers",
    Aspect.LENGTH: "length",
    Aspect.TOOLS: "tools",
    Aspect.COST: "cost",
    Aspect.CONFIDENCE: "confidence",
}
UNITS = {Aspect.LENGTH: "tokens", Aspect.COST: "USD"}


@dataclass(frozen=True, slots=True)
class Example:
    """A trace that shows a drift, and what it shows; None where it is not kept any more."""

    trace_id: str
    text: str | None


@router.get("")
def list_page(
    request: Request, tx: Read, *, everything: bool = False, before: Text | None = None
) -> Response:
    """What is open, and how every agent stood at its last look."""
    found = queries.drifts(tx, everything=everything, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    watches = queries.watches(tx)
    return _pages(request).render(
        request,
        "drift/list.html",
        drifts=shown,
        open=queries.count_open(tx),
        states=STATES,
        names=NAMES,
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > PAGE else "",
        agents=_agents(watches),
        moved={(one.agent, one.aspect): one.id for one in queries.drifts(tx, limit=PAGE)},
        may="operate" in tx.actor.may,
    )


@router.post("/look")
def look(
    request: Request, actor: Caller, agent: Annotated[str, Form(max_length=200)]
) -> Response:
    """Look at an agent now."""
    looking.look_at(database(request), _traces(request), actor, agent)
    return _pages(request).redirect(PATH, notice="drift_looked")


@router.get("/{drift_id}")
def drift_page(request: Request, drift_id: str, tx: Read) -> Response:
    """One drift: what moved, by how much, before and now side by side."""
    drift = queries.drift(tx, drift_id)
    try:
        before, now = _examples(request, tx, drift)
        away = ""
    except Unavailable as error:
        before, now, away = [], [], str(error)
    return _pages(request).render(
        request,
        "drift/drift.html",
        drift=drift,
        compared=drift.compared,
        name=NAMES[drift.aspect],
        tone=STATES[drift.state],
        unit=UNITS.get(drift.aspect, ""),
        before=before,
        now=now,
        away=away,
        may="operate" in tx.actor.may,
    )


@router.post("/{drift_id}/accept")
def accept(
    request: Request,
    drift_id: str,
    tx: Write,
    note: Annotated[str, Form(max_length=2000, pattern=r"\S")],
) -> Response:
    """Call what is seen now the new normal."""
    commands.accept(tx, drift_id, note=note.strip())
    return _pages(request).redirect(f"{PATH}/{drift_id}", notice="drift_accepted")


def _agents(watches: Sequence[Watch]) -> list[tuple[str, dict[Aspect, Watch]]]:
    return [
        (agent, {one.aspect: one for one in found})
        for agent, found in groupby(watches, key=lambda one: one.agent)
    ]


def _examples(request: Request, tx: Tx, drift: Drift) -> tuple[list[Example], list[Example]]:
    runs = {
        run.trace_id: run
        for run in sampling.runs_again(
            _traces(request),
            tx.project,
            drift.agent,
            [*drift.traces_before, *drift.traces_now],
            since=drift.began - BEFORE,
            until=drift.seen_at + WINDOW,
        )
    }

    def examples(traces: Sequence[str]) -> list[Example]:
        return [
            Example(one, _shows(drift.aspect, runs[one]) if one in runs else None)
            for one in traces
        ]

    return examples(drift.traces_before), examples(drift.traces_now)


def _shows(aspect: Aspect, run: Run) -> str:
    match aspect:
        case Aspect.INPUT:
            return run.asked
        case Aspect.OUTPUT:
            return run.answered
        case Aspect.TOOLS:
            return ", ".join(sorted(run.tools)) or "no tool"
        case Aspect.LENGTH:
            return f"{run.output_tokens or 0:,} tokens: {run.answered}"
        case Aspect.COST:
            return f"{run.cost or 0:.4g} USD: {run.asked}"
        case Aspect.CONFIDENCE:
            return f"{run.confidence or 0:.2f}: {run.asked}"


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
