"""Coming in through a browser: the login page, the one-time link, the way out; and people.

The secret of a one-time link stands behind the `#` of its address, which browsers keep to
themselves: it reaches no log and no proxy, and a preview that fetches the address does not
use the link up. A person presses the button.
"""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.kit.errors import OpsroomError
from opsroom.web.render import Notice, Pages

from . import commands, login, queries
from .commands import SESSION_FOR
from .errors import TooManyTries, WrongCredentials
from .http import COOKIE, NOBODY, Read, database

router = APIRouter(include_in_schema=False)
WAY_OUT = "/logout"
HINT, NO_HINT = "opsroom_oidc_hint", "none"
NOTICES = {"logged-out": Notice(text="You are logged out.", tone="info")}


@router.get("/login")
def show_login(request: Request, next: str = "/") -> Response:  # noqa: A002  # the address says so
    """The form for a name and a password."""
    return _login_page(request, back=next)


@router.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """Begin a session and go on to where the person wanted to be."""
    try:
        secret = login.with_password(request, name, password)
    except (WrongCredentials, TooManyTries) as error:
        return _login_page(request, back=next, name=name, error=error)
    return welcome(request, secret, next)


@router.get("/login/once")
def one_time_link(request: Request) -> Response:
    """The page behind a one-time link. Looking at it changes nothing."""
    return _once_page(request)


@router.post("/login/once")
def follow_link(request: Request, code: Annotated[str, Form(max_length=200)]) -> Response:
    """Use a one-time link up and begin a session."""
    try:
        secret = login.with_link(request, code)
    except (WrongCredentials, TooManyTries) as error:
        return _once_page(request, error=error)
    return welcome(request, secret, "/")


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session, if there is one."""
    secret = request.cookies.get(COOKIE, "")
    with database(request).write(NOBODY) as tx:
        try:
            tx.actor = commands.actor_of_session(tx, secret)
        except WrongCredentials:
            pass  # it has ended already, and that is what was asked for
        else:
            commands.log_out(tx, secret)
    if request.cookies.get(HINT):
        # Not a redirect: browsers follow none from a form to another site (form-action 'self').
        response = _pages(request).render(request, "access/leaving.html")
        response.headers["Refresh"] = f"0; url={WAY_OUT}/oidc"
    else:
        response = _pages(request).redirect("/login", notice="logged-out")
    response.delete_cookie(COOKIE)
    return response


@router.get("/people")
def people(request: Request, tx: Read) -> Response:
    """Everybody in this project and every token."""
    return _pages(request).render(
        request,
        "access/people.html",
        people=queries.people(tx),
        tokens=queries.tokens(tx),
        now=tx.now,
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


def _login_page(
    request: Request,
    *,
    back: str,
    name: str = "",
    error: OpsroomError | None = None,
) -> Response:
    return _pages(request).render(
        request,
        "access/login.html",
        status=error.status if error else 200,
        next=back,
        name=name,
        error=error,
        provider=request.app.state.identity_provider is not None,
    )


def _once_page(
    request: Request, *, error: WrongCredentials | TooManyTries | None = None
) -> Response:
    status = error.status if error else 200
    return _pages(request).render(request, "access/once.html", status=status, error=error)


def show_refusal(request: Request, error: OpsroomError) -> Response:
    """The login page, which says why somebody did not come in by another door."""
    return _login_page(request, back="/", error=error)


def welcome(request: Request, secret: str, back: str) -> Response:
    """Send somebody who came in on to where they wanted to be, with their session."""
    response = _pages(request).redirect(back)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION_FOR.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response
