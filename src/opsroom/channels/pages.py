"""Channels in the browser: what one tells, whether that arrives, and trying it."""

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import Response

from opsroom.access.http import Write
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .errors import ChannelSilent
from .model import ChannelSpec, State, Webhook

SHOWN = 20
PATH = "/channels"
router = APIRouter(prefix=PATH, include_in_schema=False)
NOTICES = {
    "channel_tested": Notice(text="A test is on its way; below is what comes of it."),
    "delivery_repeated": Notice(text="It is on its way once more."),
}
TONES: dict[State, Tone] = {
    State.PENDING: "warn",
    State.DELIVERED: "good",
    State.ABANDONED: "bad",
}


@router.post("/{name}/test")
def test_page(request: Request, name: str, tx: Write) -> Response:
    """Say through a channel that this is a test."""
    commands.test(tx, name)
    return _pages(request).redirect(f"{PATH}/{name}", notice="channel_tested")


@router.post("/{name}/deliveries/{delivery_id}/repeat")
def repeat_page(request: Request, name: str, delivery_id: str, tx: Write) -> Response:
    """Try a delivery that was settled once more."""
    commands.repeat(tx, name, delivery_id)
    return _pages(request).redirect(f"{PATH}/{name}", notice="delivery_repeated")


def draw(tx: Tx, version: Version) -> Panel:
    """What a channel tells, and what went through it last."""
    silent = ""
    try:
        queries.channel(tx, version.name)
    except ChannelSilent as error:
        silent = error.why
    spec = adapter(ChannelSpec).validate_python(version.spec)
    return Panel(
        template="channels/panel.html",
        facts={
            "here": f"{PATH}/{version.name}",
            "name": version.name,
            "spec": spec,
            "url": spec.to.url if isinstance(spec.to, Webhook) else "",
            "silent": silent,
            "deliveries": queries.deliveries(tx, version.name, limit=SHOWN),
            "tones": TONES,
            "may": "operate" in tx.actor.may,
        },
    )


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


PAGE_OF_KIND = KindPage(
    kind="channel",
    path=PATH,
    plural="channels",
    question="Where are people told?",
    absent="Alerts open and nobody hears of it. Write down where people are; nothing is sent before production names it.",
    command="opsroom channel store NAME channel.yaml",
    draw=draw,
    served=False,
    cited="tells what the version that production names says",
)
