"""Reports in the browser: the questions, one of them answered, and what was sent."""

from typing import Annotated, Any, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.channels import queries as channels
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .catalog import REPORTS
from .model import LEAST, NAMES, Every, ScheduleDraft, Shape
from .routes import asked, telemetry
from .words import brief, period, said

SENT = 20
PATH = "/reports"
router = APIRouter(prefix=PATH, include_in_schema=False)
Moment = Annotated[str, Query(max_length=40)]
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
Choice = Annotated[Every, Form()]
SPANS = (("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "a year"))
EVERY = ((Every.WEEK.value, "every Monday"), (Every.MONTH.value, "on the first of the month"))
WORDS_ONLY = frozenset({Shape.TEXT, Shape.TIME})
NOTICES = {
    "report_scheduled": Notice(text="It is sent from now on; below is when it goes next."),
    "report_schedule_ended": Notice(text="It is sent no more.", tone="info"),
}


@router.get("")
def reports_page(request: Request, tx: Read, before: Text | None = None) -> Response:
    """The reports there are, what is sent by schedule, and what was sent."""
    sent = queries.copies(tx, before=before, limit=SENT + 1)
    shown = sent[:SENT]
    return _pages(request).render(
        request,
        "reports/list.html",
        reports=REPORTS.values(),
        names=NAMES,
        schedules=queries.schedules(tx),
        channels=[version.name for version, spec in channels.in_force(tx) if spec.enabled],
        every=EVERY,
        sent=shown,
        next=f"{PATH}?before={shown[-1].id}" if len(sent) > SENT else "",
        first=PATH if before else "",
        may="operate" in tx.actor.may,
    )


@router.post("/schedules")
def schedule_page(
    request: Request, tx: Write, report: Word, every: Choice, channel: Word, agent: Word = ""
) -> Response:
    """Send a report through a channel from now on."""
    draft = ScheduleDraft(report=report, every=every, channel=channel, agent=agent.strip())
    commands.set_schedule(tx, draft)
    return _pages(request).redirect(PATH, notice="report_scheduled")


@router.post("/schedules/{schedule_id}/end")
def end_page(request: Request, schedule_id: str, tx: Write) -> Response:
    """Send it no more."""
    commands.end_schedule(tx, schedule_id)
    return _pages(request).redirect(PATH, notice="report_schedule_ended")


@router.get("/copies/{copy_id}")
def copy_page(request: Request, tx: Read, copy_id: str) -> Response:
    """What was sent, exactly as it was."""
    copy, answer, whole = queries.copy(tx, copy_id)
    here = f"/v1/report-copies/{copy_id}"
    return _pages(request).render(
        request,
        "reports/report.html",
        answer=answer,
        copy=copy,
        whole=whole,
        files=_files(here, {}),
        **_words(),
    )


@router.get("/{name}")
def report_page(
    request: Request,
    actor: Caller,
    name: str,
    *,
    since: Moment = "",
    until: Moment = "",
    agent: Text = "",
    least: int = LEAST,
    after: Text = "",
) -> Response:
    """One report about a time."""
    with database(request).read(actor) as tx:
        ask = asked(tx, since, until, agent=agent.strip(), least=max(least, 1), after=after)
        answer = queries.answer(tx, name, ask, telemetry=telemetry(request))
    given = {"since": since, "until": until, "agent": agent.strip()}
    given |= {"least": str(ask.least)} if ask.least != LEAST else {}
    given = {key: value for key, value in given.items() if value}
    # Later pages are of the time that the first was about, whatever time it is by then.
    fixed = given | {"since": ask.since.isoformat(), "until": ask.until.isoformat()}
    here = f"{PATH}/{name}"
    more = urlencode(fixed | {"after": answer.next})
    return _pages(request).render(
        request,
        "reports/report.html",
        answer=answer,
        copy=None,
        files=_files(f"/v1/reports/{name}", fixed),
        here=here,
        given=given,
        spans=[
            (words, f"{here}?{urlencode(given | {'since': span, 'until': ''})}", chosen)
            for span, words in SPANS
            for chosen in [not until and span == (since or "30d")]
        ],
        least=ask.least if name == "failing-prompts" else None,
        next=f"{here}?{more}" if answer.next else "",
        first=f"{here}?{urlencode(given)}" if after else "",
        **_words(),
    )


def _files(address: str, given: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (words, f"{address}?{urlencode(given | {'format': form})}")
        for form, words in (("csv", "CSV"), ("html", "HTML, to print"), ("json", "JSON"))
    ]


def _words() -> dict[str, Any]:
    return {"said": said, "brief": brief, "period": period, "words_only": WORDS_ONLY}


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
