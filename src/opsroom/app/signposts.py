"""The way of a request to its router.

The framework tries one route after the other, and there are hundreds: a request would be on
its way for longer than most answers take.
"""

from fastapi import APIRouter
from starlette.routing import Match, Route
from starlette.types import Scope


class Signposted(APIRouter):
    """`router`, passed by in one look where a request begins like none of its routes.

    Raises `ValueError` where a route begins with a parameter, which no signpost can name.
    """

    def __init__(self, router: APIRouter) -> None:
        super().__init__()
        self.include_router(router)
        paths = [route.path for route in router.routes if isinstance(route, Route)]
        self._begins = {beginning(path) for path in paths}
        if len(paths) < len(router.routes) or any(
            "{" in "".join(parts) for parts in self._begins
        ):
            raise ValueError(f"what of {paths} does a request have to begin with?")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if beginning(scope["path"]) in self._begins:
            return super().matches(scope)
        return Match.NONE, {}


def beginning(path: str) -> tuple[str, ...]:
    """The parts of a path that tell the places of the product apart: one, or two below `/v1`."""
    parts = path.split("/", 3)[1:3]
    return tuple(parts if parts[:1] == ["v1"] else parts[:1])
