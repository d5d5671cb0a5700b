"""The way out to the identity provider, and the way back.

The state is bound to the browser that set out by a cookie, so that nobody is logged in as
somebody else by a link, and is used up before the code is redeemed, so that nothing is replayed.
"""

import hmac
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from opsroom.kit.errors import OpsroomError

from . import signing_in
from .errors import NoProvider, OidcRefused
from .http import NOBODY, database
from .oidc import Person, UnknownKey, authorization_url, person_of
from .pages import show_refusal, welcome
from .provider import Provider
from .signing_in import LOGIN_FOR, UnderWay

PATH = "/login/oidc"
STATE = "opsroom_oidc"
router = APIRouter(prefix=PATH, include_in_schema=False)


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
        secret = _signed_in(request, provider, out, code=code, error=error, iss=iss)
    except OpsroomError as refused:
        response = show_refusal(request, refused)
    else:
        response = welcome(request, secret, out.back)
    response.delete_cookie(STATE, path=PATH)
    return response


def _taken_up(request: Request, state: str) -> UnderWay:
    mine = request.cookies.get(STATE, "")
    if not mine or not hmac.compare_digest(mine.encode(), state.encode("utf-8", "replace")):
        raise OidcRefused("it did not begin in this browser")
    with database(request).write(NOBODY) as tx:
        return signing_in.take_up(tx, state)


def _signed_in(
    request: Request, provider: Provider, out: UnderWay, *, code: str, error: str, iss: str
) -> str:
    db, project = database(request), provider.of.project
    try:
        if error or not code:
            raise OidcRefused(f"the provider said {error[:100]!r}" if error else "no code came")
        if iss and iss != provider.of.issuer:
            raise OidcRefused("the answer is of another provider")
        token = provider.redeem(code, verifier=out.verifier, redirect=_redirect(request))
        person = _person(request, provider, token, out.nonce)
        with db.write(NOBODY) as tx:
            return signing_in.sign_in(tx, person, project)
    except OpsroomError as refused:
        with db.write(NOBODY) as tx:
            signing_in.refuse(tx, project, str(refused))
        raise


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
