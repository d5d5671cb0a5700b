"""Beginning a session, whatever the door: both ways in count failures together."""

from collections.abc import Callable
from typing import cast

from fastapi import Request

from opsroom.kit.db import Tx

from . import commands
from .http import NOBODY, database
from .throttle import Throttle

ONE_TIME_LINK = "a one-time link"


def with_password(request: Request, name: str, password: str) -> str:
    """The secret of a new session. Raises `WrongCredentials` or `TooManyTries`."""
    return _try(request, name, lambda tx: commands.log_in(tx, name, password))


def with_link(request: Request, code: str) -> str:
    """The secret of a new session; the link is used up. Raises as `with_password` does."""
    return _try(request, ONE_TIME_LINK, lambda tx: commands.follow_link(tx, code.strip()))


def _try(request: Request, name: str, attempt: Callable[[Tx], str]) -> str:
    db = database(request)
    throttle = cast("Throttle", request.app.state.throttle)
    address = request.client.host if request.client else ""
    throttle.count(name, address, now=db.clock.now())
    with db.write(NOBODY) as tx:
        secret = attempt(tx)
    throttle.succeeded(name, address)
    return secret
