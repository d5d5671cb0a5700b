"""A trace as a case of a dataset, over HTTP."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request

from opsroom.access.http import Caller, database
from opsroom.kit.wire import Wire
from opsroom.registry.routes import KnownKinds

from . import cases, queries
from .cases import Taken
from .exchange import exchange
from .telemetry import Traces

router = APIRouter(prefix="/v1/traces", tags=["traces"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase(Wire):
    """Which dataset, and what should have come out; what did come out unless said."""

    dataset: str
    expected: str | None = None


@router.post("/{trace_id}/dataset")
def add_to_dataset(
    request: Request,
    actor: Caller,
    trace_id: Annotated[str, Path(max_length=64)],
    new: NewCase,
    known: KnownKinds,
) -> Taken:
    """Make the next version of a dataset, with this trace as a candidate behind its items."""
    store = cast("Traces", request.app.state.traces)
    found = exchange(queries.trace(store, actor.project, trace_id))
    with database(request).write(actor) as tx:
        return cases.take(tx, found, new.dataset, expected=new.expected, kinds=known)
