"""Every error on its way out: as JSON for programs, as a page or a notice for people."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from opsroom.gateway.completions.errors import PREFIX, refusal
from opsroom.kit.errors import Invalid, OpsroomError, Unauthenticated
from opsroom.web.errors import PageNotFound, WrongMethod, answer_error, wants_page
from opsroom.web.render import Pages

log = logging.getLogger(__name__)

# How a program that called us should end; 422 alone does not say whether the input was wrong
# or a proof did not come out.
EXIT_CODE = "Opsroom-Exit-Code"


@dataclass(eq=False)
class BadRequest(Invalid):
    code = "bad_request"
    text = "the request is not valid: {0.place}: {0.problem}"
    hint = "the shapes of requests are listed at /v1/openapi.json"
    place: str
    problem: str


@dataclass(eq=False)
class Bug(OpsroomError):
    code = "bug"
    status = 500
    exit_code = 1
    text = "opsroom made a mistake; it is in the server's log"
    hint = "please report it with the lines of the log around this moment"


def install(app: FastAPI, pages: Pages) -> None:
    """Answer every exception of `app` in the form that whoever asked can read."""

    def deliberate(request: Request, error: Exception) -> Response:
        assert isinstance(error, OpsroomError)
        return _answer(request, error, pages)

    def shapeless(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _answer(request, _shapeless(error), pages)

    def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _answer(request, _framework(request, error), pages)

    def bug(request: Request, error: Exception) -> Response:
        log.error("bug while answering %s %s", request.method, request.url.path, exc_info=error)
        return _answer(request, Bug(), pages)

    handlers: dict[type[Exception], Callable[[Request, Exception], Any]] = {
        OpsroomError: deliberate,
        RequestValidationError: shapeless,
        HTTPException: framework,
        Exception: bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _answer(request: Request, error: OpsroomError, pages: Pages) -> Response:
    if isinstance(error, Unauthenticated) and request.method == "GET" and wants_page(request):
        query = f"?{request.url.query}" if request.url.query else ""
        back = quote(request.url.path + query, safe="")
        return RedirectResponse(f"/login?next={back}", 303, {"Cache-Control": "no-store"})
    response = (
        refusal(error)
        if request.url.path.startswith(PREFIX)
        else answer_error(request, error, pages.error)
    )
    response.headers[EXIT_CODE] = str(error.exit_code)
    if error.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def _shapeless(error: RequestValidationError) -> OpsroomError:
    found = error.errors()
    if not found:
        return BadRequest("body", "unreadable")
    place = ".".join(str(part) for part in found[0]["loc"])
    return BadRequest(place, str(found[0]["msg"])[:500])


def _framework(request: Request, error: HTTPException) -> OpsroomError:
    match error.status_code:
        case 404:
            return PageNotFound(request.url.path)
        case 405:
            return WrongMethod(request.url.path, request.method)
        case _:
            return BadRequest("body", str(error.detail).lower())
