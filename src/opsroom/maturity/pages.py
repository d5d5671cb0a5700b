"""Maturity in the browser: a bar for everything, and what is missing for the next level."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.web.charts import Tone
from opsroom.web.render import Pages

from . import queries
from .model import HIGHEST, TITLES, Assessment
from .routes import recent

PATH = "/maturity"
router = APIRouter(prefix=PATH, include_in_schema=False)


@router.get("")
def summary_page(request: Request, tx: Read) -> Response:
    """The project, its agents and its prompts, each with the one thing to do next."""
    found = recent(request).summary(tx)
    return _pages(request).render(
        request,
        "maturity/summary.html",
        found=found,
        groups=(("Agents", found.agents), ("Prompts in production", found.prompts)),
        highest=HIGHEST,
        tone=_tone,
        titles=TITLES,
        history=queries.history(tx, found.project.subject),
    )


@router.get("/{kind}/{name}")
def subject_page(request: Request, kind: str, name: str, tx: Read) -> Response:
    """One agent or prompt: each criterion, what was found, and how its level moved."""
    one = queries.assessment(tx, f"{kind}/{name}")
    return _pages(request).render(
        request,
        "maturity/subject.html",
        one=one,
        highest=HIGHEST,
        tone=_tone,
        titles=TITLES,
        history=queries.history(tx, one.subject),
    )


def _tone(one: Assessment) -> Tone:
    return "good" if one.level >= 4 else "info" if one.level >= 2 else "warn"


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
