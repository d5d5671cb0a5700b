"""What can go wrong in a browser's dealings with us, and how every error is shown.

Programs get the error as JSON, people a page, and htmx a notice on the page they are on; the
words are the same in all three.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from opsroom.kit.errors import Forbidden, Invalid, NotFound, OpsroomError
from opsroom.kit.redaction import secrets_out
from opsroom.kit.texts import changed


@dataclass(eq=False)
class PageNotFound(NotFound):
    code = "page_not_found"
    text = "there is nothing at {0.path!r}"
    hint = "check the address, or start again from the overview"
    path: str


@dataclass(eq=False)
class WrongMethod(Invalid):
    code = "wrong_method"
    status = 405
    text = "{0.path!r} does not take {0.method}"
    hint = "see the reference for what this address takes"
    path: str
    method: str


@dataclass(eq=False)
class ForeignHost(Invalid):
    code = "foreign_host"
    status = 421
    text = "this server does not answer to the host name {0.host!r}"
    hint = "use the address it was started with, or add the name to the allowed hosts"
    host: str


@dataclass(eq=False)
class ForeignOrigin(Forbidden):
    code = "foreign_origin"
    text = "a request that changes something came from another site: {0.origin!r}"
    hint = "repeat it from our own pages, or use an API token"
    origin: str


def wants_page(request: Request) -> bool:
    """Whether a person in a browser is asking, rather than a program."""
    return "text/html" in request.headers.get("Accept", "")


def told(error: OpsroomError) -> dict[str, Any]:
    """An error as it leaves us. What was asked stands in it, without the secrets of whoever
    asked: errors are pasted into tickets.
    """
    found: dict[str, Any] = changed(error.as_dict(), secrets_out().clean, keys=True)
    return found


def error_body(error: OpsroomError) -> dict[str, Any]:
    """The one JSON shape of an error."""
    return {"error": told(error)}


def error_response(error: OpsroomError, **headers: str) -> Response:
    """The error for a program."""
    return JSONResponse(error_body(error), status_code=error.status, headers=headers)


ErrorPage = Callable[[Request, OpsroomError], Response]


def answer_error(request: Request, error: OpsroomError, page: ErrorPage) -> Response:
    """The error in the form that whoever asks can read."""
    if wants_page(request) or "HX-Request" in request.headers:
        return page(request, error)
    return error_response(error)
