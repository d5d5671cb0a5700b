"""The page Environments: what runs where, and what it takes to change it."""

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.web.render import Notice, Pages

from . import environments, listing
from .model import Criticality, Environment

PATH = "/environments"
router = APIRouter(prefix=PATH, include_in_schema=False)
Word = Annotated[str, Form(max_length=300)]
NOTICES = {
    "environment_set": Notice(text="It is set, and holds from the next command on."),
    "environment_removed": Notice(text="It is forgotten. Its label stays.", tone="info"),
}


@router.get("")
def environments_page(request: Request, tx: Read) -> Response:
    """Every environment in its order, and what changing each takes."""
    found = environments.environments(tx)
    return _pages(request).render(
        request,
        "registry/environments.html",
        environments=found,
        live={one.name: listing.count_live(tx, one.name) for one in found},
        criticalities=[(one.value, one.value) for one in Criticality],
        names=[("", "none"), *((one.name, one.name) for one in found)],
        may=tx.actor.may,
    )


@router.post("")
def set_environment(
    request: Request,
    tx: Write,
    name: Word,
    position: Annotated[int, Form()],
    criticality: Annotated[Criticality, Form()],
    reviewed: Annotated[str, Form()] = "",
    movers: Word = "",
    after: Word = "",
    note: Word = "",
) -> Response:
    """Make an environment, or change one."""
    new = Environment(
        name=name.strip(),
        position=position,
        reviewed=bool(reviewed),
        criticality=criticality,
        movers=tuple(dict.fromkeys(movers.replace(",", " ").split())),
        after=after,
        note=note,
    )
    environments.set_environment(tx, new)
    return _pages(request).redirect(PATH, notice="environment_set")


@router.post("/{environment}/remove")
def remove_environment(request: Request, environment: str, tx: Write) -> Response:
    """Forget an environment."""
    environments.remove_environment(tx, environment)
    return _pages(request).redirect(PATH, notice="environment_removed")


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
