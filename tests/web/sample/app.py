"""A small app whose pages show every component, for the tests of the web layer."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from tests.web.sample.hostile import PAYLOADS

from opsroom.kit.clock import Clock, SystemClock
from opsroom.kit.errors import Conflict, OpsroomError
from opsroom.web.assets import Assets
from opsroom.web.charts import Band, Effect, Limit
from opsroom.web.errors import PageNotFound, answer_error
from opsroom.web.nav import NavGroup, NavItem
from opsroom.web.render import Chrome, Notice, Pages, Viewer
from opsroom.web.security import guard

NAV = (
    NavGroup(
        title="Operate",
        items=(
            NavItem(key="home", title="Overview", href="/", go="o"),
            NavItem(key="waiting", title="Waiting", href="/waiting", go="w"),
        ),
    ),
    NavGroup(
        title="Change",
        items=(
            NavItem(key="moves", title="Moves", href="/moves", go="m"),
            NavItem(key="texts", title="Texts", href="/texts", go="t"),
        ),
    ),
    NavGroup(
        title="Control",
        items=(
            NavItem(key="forms", title="Limits", href="/forms", go="l"),
            NavItem(key="nothing", title="Drift", href="/nothing", go="d"),
        ),
    ),
    NavGroup(title="Govern", items=(NavItem(key="log", title="Record", href="/log", go="r"),)),
)


class Busy(Conflict):
    code = "sample_busy"
    text = "somebody else was faster"
    hint = "read it again and repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    title: str
    note: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    title: str
    note: str = ""
    tone: str = "muted"
    href: str = ""


def band(points: int = 120) -> Band:
    """A difference that settles at half a point, seen every 20 runs."""
    x = [20 * (i + 1) for i in range(points)]
    estimate = [0.5 + 4 * math.sin(n / 90) * math.exp(-n / 300) for n in x]
    width = [52 / math.sqrt(n) + 0.4 for n in x]
    return Band(
        title="Error rate, challenger minus champion",
        summary="After 2,400 runs the difference is +0.5 pt, between −0.9 and +1.9.",
        x=x,
        estimate=estimate,
        low=[e - w for e, w in zip(estimate, width, strict=True)],
        high=[e + w for e, w in zip(estimate, width, strict=True)],
        x_label="runs",
        y_label="difference",
        unit="pt",
        limits=(Limit(value=2.5, label="rolls back above"),),
    )


EFFECTS = (
    Effect(
        label="Error rate", estimate=0.5, low=-0.3, high=1.3, limit=1.0, unit="pt",
        verdict="undecided", tone="warn", n=2400, before="1.5 %", after="2.0 %", href="/moves",
    ),
    Effect(
        label="Automated rate", estimate=2.9, low=1.1, high=4.7, limit=-1.0, unit="pt",
        verdict="better", tone="good", n=2400, before="86.1 %", after="89.0 %",
    ),
    Effect(
        label="Accepted rate", estimate=-3.4, low=-4.9, high=-1.7, limit=-1.0, unit="pt",
        verdict="worse", tone="bad", n=2400, before="96.2 %", after="92.8 %",
    ),
    Effect(
        label="p95 latency", estimate=-0.2, low=-0.3, high=-0.1, limit=0.2, unit="s",
        verdict="not worse", tone="info", n=2399, before="2.1 s", after="1.9 s",
    ),
)  # fmt: skip

STEPS = (
    Step(title="Gate", note="214 samples, 6 of 6 metrics", state="done"),
    Step(title="Shadow 48 h", note="11,902 runs, 97.8 % agree", state="done"),
    Step(title="Human sample", note="50 of 50 reviewed", state="done"),
    Step(title="Canary 10 %", note="2,400 runs, 3 h 12 m left", state="now"),
    Step(title="25 %", note="6 h", state="next"),
    Step(title="Promote", note="needs 1 approval", state="next"),
)
HELD = (
    Step(title="Gate", note="", state="done"),
    Step(title="Shadow", note="", state="skipped"),
    Step(title="Sample", note="", state="held"),
    Step(title="Canary", note="", state="failed"),
    Step(title="Promote", note="", state="next"),
)

DIFF = (
    ("equal", "Classify the goods under one heading of the tariff.\nAnswer with "),
    ("delete", "the code"),
    ("insert", "the six digit code and one sentence that says why"),
    ("equal", ".\n\nIf two headings fit, "),
    ("delete", "choose the first"),
    ("insert", "name both and ask"),
    ("equal", "."),
)


def context(clock: Clock, word: str = "customs-classifier") -> dict[str, Any]:
    """Everything the sample pages show, with `word` in every place a person could write to."""
    now = clock.now()
    wave: Sequence[float] = [math.sin(i / 3) + i / 20 for i in range(30)]
    return {
        "word": word,
        "address": word,
        "now": now,
        "agents": [
            {
                "name": word if i == 0 else f"{word}-{i}",
                "share": 0.861 + i / 90,
                "errors": 0.021 - i / 500,
                "z": 4.8 / (i + 1),
                "wave": wave[i:],
                "cost": Decimal("12.5") / (i + 1),
                "seen": now - timedelta(minutes=7 ** (i % 5)),
            }
            for i in range(8)
        ],
        "effects": EFFECTS,
        "band": band(),
        "steps": STEPS,
        "held": HELD,
        "diff": DIFF,
        "entries": [
            Entry(
                at=now - timedelta(minutes=4), title=f"{word} moved", tone="good", href="/moves"
            ),
            Entry(at=now - timedelta(hours=3), title="Gate passed", note=word, tone="info"),
            Entry(at=now - timedelta(days=3), title="Rolled back", note="by Ada", tone="bad"),
        ],
    }


class Sample:
    """The pages, and one thing that changes while people look at it."""

    def __init__(self, pages: Pages, clock: Clock) -> None:
        self.pages = pages
        self.clock = clock
        self.touched = 0
        self.listeners = 0

    def page(self, name: str) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            word = request.query_params.get("word", "customs-classifier")
            shown = context(self.clock, word)
            return self.pages.render(request, f"sample/{name}.html", **shown)

        return show

    def hostile(self, request: Request) -> Response:
        shown = context(self.clock) | {
            "payloads": PAYLOADS,
            "bands": [replace(band(3), title=text, y_label=text) for text in PAYLOADS],
            "effects": [replace(EFFECTS[0], label=text, unit=text) for text in PAYLOADS],
        }
        return self.pages.render(request, "sample/hostile.html", **shown)

    def live(self, request: Request) -> Response:
        return self.pages.render(request, "sample/live.html", touched=self.touched)

    async def change(self, request: Request) -> Response:
        form = await request.form()
        if form.get("how") == "clash":
            raise Busy
        return self.pages.redirect("/forms", notice="moved")

    async def touch(self, _: Request) -> Response:
        self.touched += 1
        return JSONResponse(self.listeners)

    async def events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def refuse(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            error = PageNotFound(request.url.path)
        assert isinstance(error, OpsroomError)
        return answer_error(request, error, self.pages.error)

    async def _stream(self) -> AsyncIterator[str]:
        self.listeners += 1
        seen = self.touched
        yield ": hello\n\n"
        try:
            while True:
                if seen != self.touched:
                    seen = self.touched
                    yield 'data: {"event": "thing.moved", "subject": "thing_1"}\n\n'
                await asyncio.sleep(0.02)
        finally:
            self.listeners -= 1


async def echo(request: Request) -> Response:
    return JSONResponse(dict(await request.form()))


def build(clock: Clock | None = None, *, hosts: Sequence[str] = ("127.0.0.1",)) -> ASGIApp:
    """The sample app behind the same guard as the product."""
    clock = clock or SystemClock()
    assets = Assets()
    pages = Pages(
        ["tests.web.sample"],
        assets=assets,
        clock=clock,
        chrome=Chrome(
            nav=NAV,
            notices={"moved": Notice(text="Moved on. It takes effect within 2 seconds.")},
            events="/events",
        ),
        viewer=lambda _: Viewer(name="Ada Lovelace", role="owner", sign_out="/sign-out"),
        badges=lambda _: {"waiting": 20, "moves": 1},
    )
    sample = Sample(pages, clock)
    app = Starlette(
        routes=[
            assets.route(),
            Route("/", sample.page("overview")),
            Route("/moves", sample.page("moves")),
            Route("/texts", sample.page("texts")),
            Route("/forms", sample.page("forms")),
            Route("/forms", sample.change, methods=["POST"]),
            Route("/nothing", sample.page("nothing")),
            Route("/sign-in", sample.page("sign_in")),
            Route("/hostile", sample.hostile),
            Route("/live", sample.live),
            Route("/touch", sample.touch, methods=["POST"]),
            Route("/echo", echo, methods=["POST"]),
            Route("/events", sample.events),
        ],
        exception_handlers={OpsroomError: sample.refuse, HTTPException: sample.refuse},
    )
    return guard(app, hosts=hosts, session_cookie="opsroom_session")


EPOCH = datetime(2026, 11, 20, 19, 10, tzinfo=UTC)
