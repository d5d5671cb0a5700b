"""A trace as a case of a dataset, in the browser: what would be taken, and where to."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, database
from opsroom.registry import queries as registry
from opsroom.registry.routes import KnownKinds
from opsroom.web.render import Notice, Pages

from . import cases, queries
from .exchange import LONGEST, exchange
from .telemetry import Traces

MOST = 500
NOTICES = {
    "case_taken": Notice(text="The trace is a candidate in this version of the dataset."),
    "case_there": Notice(text="The trace is in this dataset already.", tone="info"),
}
router = APIRouter(prefix="/traces", include_in_schema=False)
TraceId = Annotated[str, Path(max_length=64)]


@router.get("/{trace_id}/dataset")
def case_page(request: Request, tx: Read, trace_id: TraceId) -> Response:
    """What would be taken from the trace, and the datasets it may go to."""
    found = exchange(queries.trace(_traces(request), tx.project, trace_id))
    offered = registry.artifacts(tx, "dataset", limit=MOST)
    return _pages(request).render(
        request,
        "traces/case.html",
        found=found,
        offered=[(one.name, one.name) for one, versions, _ in offered if versions],
        split=cases.SPLIT,
        may="author" in tx.actor.may,
    )


@router.post("/{trace_id}/dataset")
def take(
    request: Request,
    actor: Caller,
    trace_id: TraceId,
    known: KnownKinds,
    dataset: Annotated[str, Form(max_length=200)],
    expected: Annotated[str, Form(max_length=2 * LONGEST)] = "",
) -> Response:
    """Add it, and show the dataset."""
    found = exchange(queries.trace(_traces(request), actor.project, trace_id))
    # A form sends its lines with CRLF; the answer itself would not be the same any more.
    expected = expected.replace("\r\n", "\n")
    with database(request).write(actor) as tx:
        taken = cases.take(tx, found, dataset, expected=expected, kinds=known)
    notice = "case_taken" if taken.added else "case_there"
    return _pages(request).redirect(f"/datasets/{dataset}", notice=notice)


def _traces(request: Request) -> Traces:
    return cast("Traces", request.app.state.traces)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
