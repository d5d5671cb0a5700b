"""Pages about the inbox itself: how well people look, and where they disagree with agents."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.web.render import Pages

from . import categories, drawing, otherwise, overriding, queries, rules
from .model import OverrideDraft
from .routes import visible

PAGE = 30
router = APIRouter(prefix="/inbox", include_in_schema=False)
Id = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=200_000, pattern=r"\S")]


@router.get("/oversight")
def oversight_page(
    request: Request, tx: Read, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> Response:
    """How well people watch over agents."""
    return _pages(request).render(
        request,
        "inbox/oversight.html",
        found=visible(tx, queries.watched(tx, days=days)),
        days=days,
        settings=queries.settings(tx),
        whole="audit" in tx.actor.may,
        share=drawing.share_words,
    )


@router.get("/overrides")
def overrides_page(
    request: Request,
    tx: Read,
    category: Id = "",
    agent: Id = "",
    before: Id = "",
) -> Response:
    """What people decided otherwise than agents, and why."""
    page = queries.overrides(
        tx,
        category=category or None,
        agent=agent or None,
        before=before or None,
        limit=PAGE + 1,
    )
    return _pages(request).render(
        request,
        "inbox/overrides.html",
        rows=page[:PAGE],
        categories=queries.override_categories(tx),
        category=category,
        agent=agent,
        before=before,
        next=page[PAGE - 1].id if len(page) > PAGE else "",
        may=rules.ANSWER in tx.actor.may,
        spelt=drawing.spelt,
    )


@router.post("/overrides")
def override(
    request: Request,
    actor: Caller,
    trace: Annotated[str, Form(pattern=r"^[0-9a-f]{1,64}$")],
    agent_said: Text,
    instead: Text,
    reasoning: Annotated[str, Form(max_length=4000, pattern=r"\S")],
    agent: Word = "",
    version: Word = "",
    category: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Record what a person says instead of what an agent answered in a trace."""
    draft = OverrideDraft(
        subject=f"trace/{trace}",
        agent_decision=_lines(agent_said),
        human_decision=_lines(instead),
        reasoning=_lines(reasoning),
        agent=agent,
        version=version,
        category=categories.slug(category),
        trace=trace,
    )
    draft = otherwise.with_asked(request.app.state.traces, actor.project, draft)
    with database(request).write(actor) as tx:
        overriding.override(tx, draft)
    return _pages(request).redirect(f"/traces/{trace}", notice="override_recorded")


@router.post("/overrides/{override_id}/category")
def recategorise(
    request: Request,
    override_id: str,
    tx: Write,
    category: Annotated[str, Form(max_length=60, pattern=r"\w")],
) -> Response:
    """Say what kind of disagreement it was."""
    overriding.recategorise(tx, override_id, category)
    return _pages(request).redirect("/inbox/overrides", notice="override_sorted")


def _lines(text: str) -> str:
    """A text as it was before a form sent it with its own ends of lines."""
    return text.replace("\r\n", "\n").strip()


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
