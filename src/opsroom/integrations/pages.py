"""Integrations in the browser: which of them keep their word, what changed, whom it hurts."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import checking, commands, drawing, queries
from .errors import IntegrationNotFound
from .model import IntegrationSpec, McpServer, OpenApi, Outcome, Source, State
from .queries import Overview
from .routes import Probing

PAGE = 50
RUNS = 10
PATH = "/integrations"
router = APIRouter(prefix=PATH, include_in_schema=False)
NOTICES = {
    "integration_passed": Notice(text="Checked. It says and answers what it promised."),
    "integration_changed": Notice(text="Checked. It promises something else now.", tone="warn"),
    "integration_failed": Notice(text="Checked. Not everything was as promised.", tone="bad"),
    "integration_accepted": Notice(text="Accepted. It is held to this from now on."),
}
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An integration of the list, written out."""

    name: str
    state: State
    tone: Tone
    because: str
    rate: str
    p99: str
    calls: int
    next_at: datetime


@router.get("")
def list_page(request: Request, tx: Read, after: Text = "") -> Response:
    """Every integration: how it stands, and why."""
    found = queries.overviews(tx, after=after, limit=PAGE + 1)
    rows = [_row(one) for one in found[:PAGE]]
    return _pages(request).render(
        request,
        "integrations/list.html",
        rows=rows,
        subjects=[f"integration/{one.name}" for one in rows],
        after=after,
        next=rows[-1].name if len(found) > PAGE else "",
    )


@router.post("/{name}/check")
def check_page(name: str, actor: Caller, request: Request, probing: Probing) -> Response:
    """Check it now, and go back to what that found."""
    run = checking.check(database(request), actor, name, prober=probing)
    outcome = Outcome.PASSED if run is None else run.outcome
    return _pages(request).redirect(f"{PATH}/{name}", notice=f"integration_{outcome.value}")


@router.post("/{name}/accept")
def accept_page(
    request: Request,
    name: str,
    tx: Write,
    document: Annotated[str, Form(max_length=100)],
    reason: Annotated[str, Form(max_length=2000, pattern=r"\S")],
) -> Response:
    """Hold it to what it promises now."""
    commands.accept(tx, name, document, reason=reason.strip())
    return _pages(request).redirect(f"{PATH}/{name}", notice="integration_accepted")


def draw(tx: Tx, version: Version) -> Panel:
    """How an integration stands, what changed, whom it hurts, and how it is checked."""
    spec = adapter(IntegrationSpec).validate_python(version.spec)
    facts: dict[str, Any] = {
        "name": version.name,
        "here": f"{PATH}/{version.name}",
        "spec": spec,
        "source": _source(spec.source),
        "hours_between": spec.every / 3600,
        "tests": [
            (one, "" if one.schema is None else json.dumps(one.schema, indent=2))
            for one in spec.tests
        ],
        "may": "operate" in tx.actor.may,
    }
    try:
        standing = queries.standing_of(tx, version.name)
    except IntegrationNotFound:  # stored a moment ago: nobody has looked yet
        return Panel(template="integrations/panel.html", facts={**facts, "standing": None})
    runs = queries.runs(tx, version.name, limit=RUNS)
    last = runs[0] if runs else None
    seen = queries.health_of(tx, standing)
    return Panel(
        template="integrations/panel.html",
        facts={
            **facts,
            "standing": standing,
            "tone": drawing.TONES[standing.state],
            "health": seen,
            "rate": drawing.rate(seen),
            "rate_tone": drawing.rate_tone(seen),
            "p50": drawing.seconds(seen.p50),
            "p99": drawing.seconds(seen.p99),
            "hours": drawing.hours(queries.by_hour(tx, standing), now=tx.now),
            "last": last,
            "changes": drawing.changes(last.changes) if last and standing.level else [],
            "runs": [
                (one, drawing.OUTCOMES[one.outcome], drawing.summary(one)) for one in runs
            ],
            "seconds": drawing.seconds,
            "affected": tuple(queries.affected(tx, version.name)),
        },
    )


def _row(one: Overview) -> Row:
    standing = one.standing
    return Row(
        name=standing.name,
        state=standing.state,
        tone=drawing.TONES[standing.state],
        because=standing.because,
        rate=drawing.rate(one.health),
        p99=drawing.seconds(one.health.p99),
        calls=one.health.calls,
        next_at=standing.next_at,
    )


def _source(source: Source) -> str:
    match source:
        case OpenApi(url=url):
            return f"an OpenAPI document at {url}"
        case McpServer(url=url):
            return f"the tools of the MCP server at {url}"
        case _:
            return "nothing; only the contract tests say what it promises"


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


PAGE_OF_KIND = KindPage(
    kind="integration",
    path=PATH,
    plural="integrations",
    question="Do the systems that agents reach keep their word?",
    absent="Write down where a system is and what describes it; it is checked every day.",
    command="opsroom integration store NAME integration.yaml",
    draw=draw,
    served=False,
    cited="is checked in its newest version, or in the one that production names",
)
