"""What a browser may do with us, and what other sites may do through a browser.

`guard` wraps the whole app, from the outside in: headers on every answer, the name we are
called by, where a change comes from, compression. A page that another site shows, frames or
posts to us changes nothing, on a loopback address as on a public one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsroom.kit.errors import OpsroomError

from .errors import ForeignHost, ForeignOrigin, error_response

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{what} {who}" for what, who in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send `Origin: null` from our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The one address that pages of other `origins` may post JSON to, in nobody's name."""

    path: str = ""
    origins: frozenset[str] = frozenset()


NOTHING_OPENED = Opened()


def guard(
    app: ASGIApp,
    *,
    hosts: Collection[str] = LOOPBACK,
    session_cookie: str,
    opened: Opened = NOTHING_OPENED,
) -> ASGIApp:
    """`app` behind everything in this module, answers compressed (event streams are not)."""
    packed = GZipMiddleware(app, minimum_size=600, compresslevel=6)
    own = SameOrigin(packed, session_cookie=session_cookie)
    return SecureHeaders(KnownHosts(OtherOrigins(packed, own, opened), hosts))


class SecureHeaders:
    """Adds the security headers to every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class KnownHosts:
    """Answers only to names we were given: a foreign name pointing at us is DNS rebinding.

    A name without a port stands for that name on any port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        names = [host.lower() for host in Headers(scope=scope).getlist("host")]
        if len(names) == 1 and (names[0] in self._hosts or _bare(names[0]) in self._hosts):
            await self._app(scope, receive, send)
        else:
            await _refuse(ForeignHost(", ".join(names)[:200]), scope, receive, send)


class OtherOrigins:
    """Lets pages of named origins post to one address, without whatever says who is asking.

    Everything else goes on to where only our own pages may change things. (CORS: Fetch
    Standard, 3.2.)
    """

    def __init__(self, app: ASGIApp, own: ASGIApp, opened: Opened) -> None:
        self._app = app
        self._own = own
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "") if scope["type"] == "http" else ""
        if origin not in self._opened.origins or scope["path"] != self._opened.path:
            await self._own(scope, receive, send)
            return
        allowed = {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if scope["method"] == "OPTIONS":
            asked = {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "content-type",
                "Access-Control-Max-Age": "600",
            }
            await Response(status_code=204, headers=allowed | asked)(scope, receive, send)
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in allowed.items():
                    headers[name] = value
            await send(message)

        nobody = MutableHeaders(raw=list(scope["headers"]))
        for name in ("cookie", "authorization"):
            del nobody[name]
        await self._app({**scope, "headers": nobody.raw}, receive, send_allowed)


class SameOrigin:
    """Lets only our own pages change things in a person's name.

    A request that changes something is refused when the browser says that another site sent
    it, and, when it carries the session cookie, also unless the browser says that we did.
    Programs send neither cookie nor origin and are let through to authentication.
    """

    def __init__(self, app: ASGIApp, *, session_cookie: str) -> None:
        self._app = app
        self._cookie = session_cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            changes = True
        elif scope["type"] == "http":
            changes = scope["method"] not in READING
        else:
            changes = False
        headers = Headers(scope=scope) if changes else Headers()
        if changes and (foreign := self._foreign(headers)) is not None:
            await _refuse(ForeignOrigin(foreign[:200]), scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _foreign(self, headers: Headers) -> str | None:
        """Who sent it, if it was not us; nothing if it was, or if no browser is involved."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin", "none"}:
            return origin or f"a {site} page"
        if origin is not None and not _same(origin, headers.get("host", "")):
            return origin
        if site is None and origin is None and _carries(headers, self._cookie):
            return "not stated"
        return None


def _same(origin: str, host: str) -> bool:
    # The scheme is left out on purpose: behind a proxy that ends TLS we do not know ours.
    try:
        there = urlsplit(origin)
    except ValueError:
        return False
    port = DEFAULT_PORTS.get(there.scheme)
    if port is None or there.path or there.query or there.fragment:
        return False
    return there.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)


def _carries(headers: Headers, name: str) -> bool:
    # Split by hand: a cookie parser that stops at a bad part would miss what follows it.
    parts = (part for line in headers.getlist("cookie") for part in line.split(";"))
    return any(part.partition("=")[0].strip() == name for part in parts)


def _bare(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


async def _refuse(error: OpsroomError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
    else:
        await error_response(error)(scope, receive, send)
