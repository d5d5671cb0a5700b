"""Attacks in the browser: which techniques there are, and what runs on them came to."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.evals import queries as evals
from opsroom.web.render import Pages

from . import reporting
from .techniques import TECHNIQUES, Family

LOOKED_AT = 100  # of the newest runs
router = APIRouter(prefix="/redteam", include_in_schema=False)


@router.get("")
def list_page(request: Request, tx: Read) -> Response:
    """The latest runs on attacks, and every technique."""
    runs = [one for one in evals.runs(tx, limit=LOOKED_AT) if reporting.on_attacks(one)]
    families = {
        family: [one for one in TECHNIQUES if one.family is family] for family in Family
    }
    return _pages(request).render(
        request, "redteam/list.html", runs=runs[:20], families=families
    )


@router.get("/runs/{run_id}")
def report_page(request: Request, run_id: str, tx: Read) -> Response:
    """How often things went wrong in one run, by technique, and where."""
    return _pages(request).render(
        request, "redteam/report.html", found=reporting.report(tx, run_id)
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
