"""Judges in the browser: where each may gate, where not and why, and calibrating one."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, database
from opsroom.registry import Ref
from opsroom.web.render import Notice, Pages

from . import judges
from .calibrating import Calibrating, calibrate
from .calibration import STANDARDS

router = APIRouter(prefix="/evals/judges", include_in_schema=False)
NOTICES = {"calibrated": Notice(text="Calibrated. What came out stands below.")}
Field = Annotated[str, Form(max_length=300)]


@router.get("")
def list_page(
    request: Request, tx: Read, after: Annotated[str, Query(max_length=300)] = ""
) -> Response:
    """Every judge in every domain it was calibrated in."""
    page = judges.judges(tx, after=after)
    return _pages(request).render(
        request,
        "evals/judges.html",
        rows=page.items,
        may=sum(one.may_gate for one in page.items),
        standards=STANDARDS,
        after=after,
        next=page.next,
    )


@router.post("/calibrate")
def calibrate_judge(
    request: Request, actor: Caller, evaluator: Field, dataset: Field
) -> Response:
    """Put labelled answers to a judge, and go to what came out."""
    wanted = Calibrating(evaluator=evaluator.strip(), dataset=dataset.strip())
    found = calibrate(database(request), actor, wanted, models=request.app.state.models)
    ref = Ref.parse(found.evaluator)
    return _pages(request).redirect(
        f"/evaluators/{ref.name}?at={ref.number}", notice="calibrated"
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
