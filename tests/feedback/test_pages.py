"""Feedback in a browser: the pages, and the element on somebody else's page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from tests.browser import SCHEMES, serving, violations
from tests.feedback.world import SYSTEM, give, hire, turn
from tests.pages import Site, holds

from opsroom.actions.model import Final
from opsroom.app import guarded
from opsroom.feedback import queries
from opsroom.feedback.model import PER_USER, Source
from opsroom.simulator.paying import NAME


@pytest.fixture(scope="module")
def talked(shown: Site) -> Site:
    """A site where users, agents and the business have spoken, and one of them too much."""
    db = shown.api.db
    hire(db)
    for number in range(24):
        one = turn(
            db,
            number=1 + number % 2,
            intent="Pay the invoice for order 40017" if number % 3 else "Quote a container",
            final=Final.FAILED if number % 7 == 0 else Final.DONE,
            after=timedelta(minutes=number % 5 + 1),
        )
        give(
            db,
            f"turn/{one.id}",
            helpful=number % 4 > 0,
            accurate=number % 5 > 0,
            by=f"user-{number}",
            text="a very long sentence about what could be better " * (number % 3),
        )
        value = Decimal(30 + 5 * (number % 2)) + Decimal(number % 3) / 10
        give(
            db,
            f"turn/{one.id}",
            source=Source.BUSINESS,
            kpi="margin",
            unit="EUR",
            value=value,
        )
    give(
        db,
        f"turn/{turn(db).id}",
        source=Source.AGENT,
        confidence=0.61,
        sources=("https://wiki.example/accounts",),
        reasoning="the account is that of the supplier",
    )
    for number in range(PER_USER + 5):
        give(
            db,
            f"trace/{number}",
            helpful=False,
            by="mallory-with-a-very-long-name@shop",
            text="x",
        )
    return shown


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/feedback",
        "/feedback/said",
        f"/feedback/said?state=quarantined&agent={NAME}",
        "/feedback/said?state=quarantined",
    ],
)
def test_pages_hold(page: Page, talked: Site, base: str, path: str) -> None:
    holds(page, talked, base, path)


@pytest.mark.browser
def test_a_page_where_nobody_has_said_anything(page: Page, site: Site) -> None:
    with serving(guarded(site.api.app)) as base:
        holds(page, site, base, "/feedback")


# As strict as a page can be that shows the element.
CSP = "default-src 'none'; script-src {ops}; connect-src {ops}; require-trusted-types-for 'script'"


def shop(ops: str, token: str) -> Starlette:
    """Somebody's own page, which shows the element."""
    text = (
        '<!doctype html><html lang="en"><head><title>shop</title>'
        f'<script defer src="{ops}/feedback-widget.js"></script></head>'
        f'<body><main><h1>Shop</h1><opsroom-feedback token="{token}"></opsroom-feedback></main>'
    )

    async def answer(_request: Request) -> Response:
        headers = {"Content-Security-Policy": CSP.format(ops=ops)}
        return HTMLResponse(text, headers=headers)

    return Starlette(routes=[Route("/", answer)])


@pytest.fixture
def doors(site: Site) -> Iterator[tuple[Site, str, str]]:
    """A site, its address, and the address of a shop whose pages may show the element."""
    token = site.api.program("agent").post(
        "/v1/feedback/links", {"subject": "trace/order-1", "by": "bo"}
    )["token"]
    app = site.api.app
    settings = app.state.settings
    pages: dict[str, Starlette] = {}

    async def open_shop(scope: object, receive: object, send: object) -> None:
        await pages["shop"](scope, receive, send)  # type: ignore[arg-type]

    with serving(open_shop) as elsewhere:
        app.state.settings = replace(settings, feedback_origins=(elsewhere,))
        with serving(guarded(app)) as ops:
            pages["shop"] = shop(ops, token)
            yield site, ops, elsewhere
    app.state.settings = settings


@pytest.mark.browser
def test_a_user_speaks_on_somebody_elses_page(page: Page, doors: tuple[Site, str, str]) -> None:
    site, _ops, elsewhere = doors
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(elsewhere)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert not violations(page)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Choose an answer or write a word.").wait_for()
    helpful = page.get_by_role("group", name="Was this helpful?")
    helpful.get_by_role("button", name="Yes").click()
    assert helpful.get_by_role("button", name="Yes").get_attribute("aria-pressed") == "true"
    page.get_by_role("group", name="Was it right?").get_by_role("button", name="No").click()
    page.get_by_role("textbox").fill("the <b>price</b> is wrong")
    assert not violations(page), "pressed buttons are as readable"
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Thank you.").wait_for()
    assert not complaints
    with site.api.db.read(SYSTEM) as tx:
        (said,) = queries.page(tx, subject="trace/order-1")
    assert (said.helpful, said.accurate, said.complete) == (True, False, None)
    assert (said.by, said.text) == ("bo", "the <b>price</b> is wrong")


@pytest.mark.browser
def test_a_page_of_another_origin_reaches_nothing_else(
    page: Page, doors: tuple[Site, str, str]
) -> None:
    site, ops, elsewhere = doors
    page.goto(elsewhere)
    tried = f"""async () => {{
      const out = [];
      for (const [method, path] of {json.dumps([["GET", "/v1/feedback"], ["POST", "/v1/feedback"], ["GET", "/v1/me"]])}) {{
        try {{ await fetch("{ops}" + path, {{ method, headers: {{ "Content-Type": "application/json" }}, body: method === "POST" ? "{{}}" : undefined }}); out.push("read"); }}
        catch {{ out.push("refused"); }}
      }}
      return out;
    }}"""
    assert page.evaluate(tried) == ["refused"] * 3
    page.goto(f"{elsewhere.replace('127.0.0.1', 'localhost')}")
    page.get_by_role("button", name="Yes").first.click()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("did not get through").wait_for()
    with site.api.db.read(SYSTEM) as tx:
        assert queries.page(tx, subject="trace/order-1") == []
