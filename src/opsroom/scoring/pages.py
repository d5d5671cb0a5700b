"""On the page of an agent: how it is judged while it works, and deciding that."""

from collections.abc import Sequence
from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from opsroom.access.http import Write
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Version
from opsroom.registry.drawing import Panel
from opsroom.web.render import Notice, Pages

from . import commands
from .model import MOST_A_DAY, Wanted

router = APIRouter(include_in_schema=False)
NOTICES = {"scoring_decided": Notice(text="Decided. What finishes from now on is judged so.")}


def panels(tx: Tx, of: Artifact, _version: Version) -> Sequence[Panel]:
    facts = {
        "scoring": commands.scoring(tx, of.name),
        "may": tx.actor.may,
        "most": MOST_A_DAY,
    }
    return (Panel(template="scoring/panel.html", facts=facts),)


@router.post("/agents/{name}/scoring")
def decide(
    request: Request,
    name: str,
    tx: Write,
    evaluators: Annotated[str, Form(max_length=1000)] = "",
    percent: Annotated[float, Form(gt=0, le=100)] = 5,
    most_a_day: Annotated[int, Form(ge=1, le=MOST_A_DAY)] = 200,
) -> Response:
    """Decide how the agent is judged while it works."""
    names = tuple(evaluators.replace(",", " ").split())
    commands.decide(
        tx, name, Wanted(evaluators=names, share=percent / 100, most_a_day=most_a_day)
    )
    pages = cast("Pages", request.app.state.pages)
    return pages.redirect(f"/agents/{name}", notice="scoring_decided")
