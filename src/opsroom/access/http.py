"""From a request to an actor to a transaction: what every route goes through.

A route asks for `Read` or `Write` and gets a transaction of somebody who may call it. Which
permission that takes stands in the table of routes; a route that is not in it is refused.
"""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.routing import BaseRoute

from opsroom.kit.db import Actor, Database, DatabaseUnavailable, Tx

from .commands import actor_of_session, note_use, token_and_actor, use_is_news
from .errors import LoginNeeded, MayNot
from .table import FOREIGN, PUBLIC, ROUTES
from .uses import Uses

COOKIE = "opsroom_session"
NOBODY = Actor("nobody", "", human=False)


def route_key(request: Request) -> str:
    """The name of the matched route in the table: `POST /v1/releases/{release_id}/advance`."""
    route = cast("BaseRoute | None", request.scope.get("route"))
    method = "GET" if request.method == "HEAD" else request.method
    return f"{method} {getattr(route, 'path', '')}"


def database(request: Request) -> Database:
    return cast("Database", request.app.state.db)


def called(request: Request, tx: Tx, agent: str) -> None:
    """Note who calls an agent, before it is said whether they are served."""
    _note(request, tx.actor, agent)


def _note(request: Request, actor: Actor, agent: str) -> None:
    uses = cast("Uses", request.app.state.uses)
    uses.note(actor, agent, route_key(request), at=database(request).clock.now())


def guard(request: Request) -> Actor:
    """Who calls, once it is clear that they may call this route.

    Raises `LoginNeeded`, `WrongCredentials` or `MayNot`.
    """
    needed = ROUTES.get(route_key(request))
    if needed == PUBLIC:
        return NOBODY
    actor = _identify(request)
    if actor.agent:
        _note(request, actor, actor.agent)
    if needed is None or needed not in actor.may:
        raise MayNot(actor.name, needed or "of a route without an entry in the table")
    return actor


def _identify(request: Request) -> Actor:
    token = _token(request)
    cookie = request.cookies.get(COOKIE)
    if not cookie and token is None:
        raise LoginNeeded
    db = database(request)
    with db.read(NOBODY) as tx:
        if token is None:
            return actor_of_session(tx, cookie or "")
        actor, used = token_and_actor(tx, token)
    if use_is_news(used, tx.now):
        # Whoever may only read is not kept out by a database that cannot be written now.
        with suppress(DatabaseUnavailable), db.write(NOBODY) as tx:
            note_use(tx, used)
    return actor


def _token(request: Request) -> str | None:
    """The token that comes with a request, or None where none does."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if route_key(request) not in FOREIGN:
        return None
    if scheme.lower() == "basic":
        return _password(given.strip())
    return request.headers.get("api_key")


def _password(given: str) -> str:
    """The second half of `name:password`, as Basic packs it; nothing, where it is not that."""
    try:
        return b64decode(given, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


Caller = Annotated[Actor, Depends(guard, scope="function")]


def _read(request: Request, actor: Caller) -> Iterator[Tx]:
    with database(request).read(actor) as tx:
        yield tx


def _write(request: Request, actor: Caller) -> Iterator[Tx]:
    with database(request).write(actor) as tx:
        yield tx


# Function scope: the commit happens before the answer is sent, so that a failed commit is
# never told as a success.
Read = Annotated[Tx, Depends(_read, scope="function")]
Write = Annotated[Tx, Depends(_write, scope="function")]
