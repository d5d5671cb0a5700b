"""The page that a link in a message leads to. Looking at it changes nothing: programs look too."""

from typing import Annotated, cast
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from opsroom.access.http import Read, Write
from opsroom.web.render import Pages

from . import linking

router = APIRouter(prefix="/inbox/links", include_in_schema=False)
Code = Annotated[str, Path(max_length=100)]


@router.get("/{code}")
def link_page(request: Request, tx: Read, code: Code) -> Response:
    """What the link leads to, and the button that follows it."""
    pages = cast("Pages", request.app.state.pages)
    return pages.render(request, "inbox/link.html", one=linking.check(tx, code), code=code)


@router.post("/{code}")
def follow_link(tx: Write, code: Code) -> Response:
    """Use the link up, and show the request."""
    found = linking.follow(tx, code)
    return RedirectResponse(f"/inbox?request={quote(found.id)}", 303)
