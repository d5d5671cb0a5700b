"""Reports of evidence over HTTP, as data or as one page that stands by itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.web.render import Pages

from . import queries
from .errors import NoPeriod
from .frameworks import FRAMEWORKS
from .model import Report
from .queries import Naming

USUAL = timedelta(days=90)
MOST_TEXT = 40

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])
Moment = Annotated[str, Query(max_length=MOST_TEXT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkInfo(Wire):
    """A framework that there can be a report for."""

    name: str
    title: str
    controls: int


@router.get("")
def frameworks(_: Read) -> list[FrameworkInfo]:
    """The frameworks that records are held against."""
    return [
        FrameworkInfo(name=name, title=one.title, controls=len(one.controls))
        for name, one in FRAMEWORKS.items()
    ]


@router.get("/{framework}", response_model=Report)
def evidence(
    request: Request,
    tx: Read,
    framework: str,
    since: Moment = "",
    until: Moment = "",
    form: Annotated[Literal["json", "html"], Query(alias="format")] = "json",
) -> Report | Response:
    """What the records of a period show for each control of a framework, every change in it,
    and that none is missing. Without a period, the last 90 days.
    """
    begin, end = period(tx, since, until)
    state = request.app.state
    site = cast("str", state.settings.site)
    called = cast("Naming", state.called)
    report = queries.report(tx, framework, since=begin, until=end, site=site, called=called)
    if form == "json":
        return report
    page = cast("Pages", state.pages).render(request, "assurance/report.html", report=report)
    name = f"evidence-{framework}-{begin:%Y%m%d}-{end:%Y%m%d}.html"
    page.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return page


def period(tx: Tx, since: str, until: str) -> tuple[datetime, datetime]:
    """The moments that somebody wrote, in UTC where they named no zone. Raises `NoPeriod`."""
    try:
        end = _moment(until) if until else tx.now
        return (_moment(since) if since else end - USUAL), end
    except (ValueError, OverflowError) as error:
        raise NoPeriod(since, until) from error


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
