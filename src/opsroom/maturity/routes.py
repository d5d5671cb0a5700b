"""Maturity over HTTP: every level with the records that it rests on."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from opsroom.access.http import Read
from opsroom.kit.wire import Wire, plain

from . import queries
from .model import Assessment, Past, Summary
from .recent import Recent
from .report import page

router = APIRouter(prefix="/v1/maturity", tags=["maturity"])
Subject = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """How far a subject has come, and how it came there (newest first)."""

    assessment: Assessment
    history: tuple[Past, ...]


@router.get("")
def show_summary(request: Request, tx: Read) -> Summary:
    """The level of the project, of every agent, and of every prompt in production."""
    site = cast("str", request.app.state.settings.site)
    return replace(recent(request).summary(tx), site=site)


@router.get("/report")
def show_report(request: Request, tx: Read) -> HTMLResponse:
    """The same as one file to read, print or pass on: no script, nothing fetched."""
    told = cast("dict[str, Any]", plain(show_summary(request, tx)))
    name = f"maturity-{tx.project}-{tx.now:%Y-%m-%d}.html"
    return HTMLResponse(
        page(told, project=tx.project),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/of")
def show_one(request: Request, tx: Read, subject: Subject) -> Standing:
    """One agent (`agent/NAME`), prompt (`prompt/NAME`) or the project (`project/NAME`)."""
    if subject == f"project/{tx.project}":
        assessment = recent(request).summary(tx).project
    else:
        assessment = queries.assessment(tx, subject)
    return Standing(
        assessment=assessment,
        history=tuple(queries.history(tx, subject)),
    )


def recent(request: Request) -> Recent:
    return cast("Recent", request.app.state.maturity)
