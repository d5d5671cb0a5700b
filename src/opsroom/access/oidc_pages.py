"""The way out to the identity provider, and the way back.

Logging out goes there as well, where the provider offers it: otherwise whoever comes to this browser
next logs in as the same person with one click. The ID token that it wants for that stays with the
browser, in a cookie for that one way.

The state is bound to the browser that set out by a cookie, so that nobody is logged in as
somebody else by a link, and is used up before the code is redeemed, so that nothing is replayed.
"""

import hmac
from contextlib import suppress
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from opsroom.kit.errors import OpsroomError

from . import signing_in
from .commands import SESSION_FOR
from .errors import NoProvider, OidcRefused
from .http import NOBODY, database
from .oidc import Person, UnknownKey, authorization_url, logout_url, person_of
from .pages import HINT, NO_HINT, WAY_OUT, show_refusal, welcome
from .provider import Provider
from .signing_in import LOGIN_FOR, UnderWay

PATH = "/login/oidc"
STATE = "opsroom_oidc"
LONGEST_HINT = 3500  # characters; browsers keep no cookie much beyond 4,096 bytes
router = APIRouter(prefix=PATH, include_in_schema=False)
way_out = APIRouter(prefix=f"{WAY_OUT}/oidc", include_in_schema=False)


@router.get("")
def leave(request: Request, next: str = "/") -> Response:  # noqa: A002  # the address says so
    """Send the browser to the identity provider."""
    provider = _provider(request)
    try:
        at = provider.endpoints()
        with database(request).write(NOBODY) as tx:
            out = signing_in.begin(tx, next[:2000])
    except OpsroomError as error:
        return show_refusal(request, error)
    address = authorization_url(
        provider.of,
        at,
        redirect=_redirect(request),
        state=out.state,
        nonce=out.nonce,
        verifier=out.verifier,
    )
    response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        STATE,
        out.state,
        max_age=int(LOGIN_FOR.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.get("/back")
def come_back(
    request: Request, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """Finish a login: redeem the code, check the token, begin a session."""
    provider = _provider(request)
    try:
        out = _taken_up(request, state)
        secret, token = _signed_in(request, provider, out, code=code, error=error, iss=iss)
    except OpsroomError as refused:
        response = show_refusal(request, refused)
    else:
        response = welcome(request, secret, out.back)
        response.set_cookie(
            HINT,
            token if len(token) <= LONGEST_HINT else NO_HINT,
            max_age=int(SESSION_FOR.total_seconds()),
            path=WAY_OUT,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    response.delete_cookie(STATE, path=PATH)
    return response


@way_out.get("")
def log_out_there(request: Request) -> Response:
    """Send the browser to the provider to log out there as well, once it is logged out here."""
    found = cast("Provider | None", request.app.state.identity_provider)
    hint = request.cookies.get(HINT, "")
    address = "/login?notice=logged-out"
    if found is not None and hint:
        with suppress(OidcRefused):  # one that is away must keep nobody from leaving
            if (at := found.endpoints()).logout:
                back = f"{request.app.state.settings.site.rstrip('/')}/login"
                address = logout_url(
                    found.of, at, back=back, hint="" if hint == NO_HINT else hint
                )
    response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
    response.delete_cookie(HINT, path=WAY_OUT)
    return response


def _taken_up(request: Request, state: str) -> UnderWay:
    mine = request.cookies.get(STATE, "")
    if not mine or not hmac.compare_digest(mine.encode(), state.encode("utf-8", "replace")):
        raise OidcRefused("it did not begin in this browser")
    with database(request).write(NOBODY) as tx:
        return signing_in.take_up(tx, state)


def _signed_in(
    request: Request, provider: Provider, out: UnderWay, *, code: str, error: str, iss: str
) -> tuple[str, str]:
    """The secret of a new session, and the ID token that it was begun by."""
    db, project = database(request), provider.of.project
    try:
        if error or not code:
            raise OidcRefused(f"the provider said {error[:100]!r}" if error else "no code came")
        if iss and iss != provider.of.issuer:
            raise OidcRefused("the answer is of another provider")
        token = provider.redeem(code, verifier=out.verifier, redirect=_redirect(request))
        person = _person(request, provider, token, out.nonce)
        with db.write(NOBODY) as tx:
            secret = signing_in.sign_in(tx, person, project)
        if secret is None:
            raise OidcRefused("none of your groups has a role here")
    except OpsroomError as refused:
        with db.write(NOBODY) as tx:
            signing_in.refuse(tx, project, str(refused))
        raise
    else:
        return secret, token


def _person(request: Request, provider: Provider, token: str, nonce: str) -> Person:
    now = database(request).clock.now()
    for newer in (False, True):
        try:
            return person_of(
                provider.of, token, provider.keys(newer=newer), nonce=nonce, now=now
            )
        except UnknownKey:
            continue
    raise OidcRefused("the provider does not know the key that the token is signed by")


def _provider(request: Request) -> Provider:
    found = cast("Provider | None", request.app.state.identity_provider)
    if found is None:
        raise NoProvider
    return found


def _redirect(request: Request) -> str:
    return f"{request.app.state.settings.site.rstrip('/')}{PATH}/back"
