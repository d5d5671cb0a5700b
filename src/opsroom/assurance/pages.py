"""The page of evidence: each control of a framework, and what the records show for it."""

from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.web.render import Pages

from . import queries
from .frameworks import FRAMEWORKS
from .model import Verdict
from .queries import Naming
from .routes import Moment, period

router = APIRouter(include_in_schema=False)
USUAL = "aiact"


@router.get("/evidence")
def evidence_page(
    request: Request,
    tx: Read,
    framework: Annotated[str, Query(max_length=40)] = USUAL,
    since: Moment = "",
    until: Moment = "",
) -> Response:
    """What was found for each control, with the report to take away."""
    begin, end = period(tx, since, until)
    state = request.app.state
    asked, of = queries.framework(framework), queries.span(tx, begin, end)
    controls = queries.controls(tx, asked, of, cast("Naming", state.called))
    chosen = {name: text for name, text in (("since", since), ("until", until)) if text}
    bounds = {"since": begin.isoformat(), "until": end.isoformat()}
    return cast("Pages", state.pages).render(
        request,
        "assurance/evidence.html",
        frameworks=[
            (
                one.short,
                f"/evidence?{urlencode({'framework': name, **chosen})}",
                name == framework,
            )
            for name, one in FRAMEWORKS.items()
        ],
        framework=framework,
        asked=asked,
        controls=controls,
        with_records=sum(one.verdict is not Verdict.NOTHING for one in controls),
        against=sum(one.verdict is Verdict.EXCEPTIONS for one in controls),
        begin=begin,
        end=end,
        chosen=chosen,
        report=f"/v1/evidence/{framework}?{urlencode(bounds)}",
    )
