"""Saving and removing views of traces in the browser; the list shows them."""

from typing import Annotated, cast
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from opsroom.access.http import Write
from opsroom.web.render import Notice, Pages

from . import views

NOTICES = {
    "view_saved": Notice(text="Saved, for everybody in this project."),
    "view_removed": Notice(text="The view is gone; the traces are not.", tone="info"),
}
router = APIRouter(prefix="/traces", include_in_schema=False)


@router.post("/views")
def save(
    request: Request,
    tx: Write,
    name: Annotated[str, Form(max_length=200)],
    given: Annotated[str, Form(max_length=20_000)],
) -> Response:
    """Keep what the address asks, and show it."""
    kept = views.save(tx, views.draft_of(name, dict(parse_qsl(given))))
    return _pages(request).redirect(f"/traces?{urlencode(kept.given)}", notice="view_saved")


@router.post("/views/{name}/remove")
def remove(request: Request, tx: Write, name: Annotated[str, Path(max_length=200)]) -> Response:
    """Forget a view."""
    views.remove(tx, name)
    return _pages(request).redirect("/traces", notice="view_removed")


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
