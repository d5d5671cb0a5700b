"""A person decides otherwise on the page of a trace; the inbox keeps what they said and why."""

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.api import Caller
from tests.browser import check_page, violations
from tests.pages import Site, sign_in
from tests.traces.test_cases import traced

__all__ = ["traced"]
TRACE = "1" * 32
SAID = {
    "trace": TRACE,
    "agent": "clerk",
    "version": "3",
    "agent_said": "in Hamburg",
    "instead": "in <b>Kiel</b>,\r\nsince noon",
    "reasoning": "the ship was diverted",
}


def send(who: Caller, **changed: str) -> Any:
    return who.send(
        "POST", "/inbox/overrides", data={**SAID, **changed}, follow_redirects=False
    )


def test_what_was_said_instead_is_kept_and_shown_where_it_was_said(traced: Site) -> None:
    api = traced.api
    page = f"/traces/{TRACE}"
    reviewer, author = api.person("reviewer"), api.person("author")
    form = reviewer.send("GET", page).text
    assert ">in Hamburg</textarea>" in form.replace("\n", "")
    assert 'name="version" value="3"' in form
    assert "Decide otherwise" not in author.send("GET", page).text
    answer = send(reviewer)
    assert answer.headers["location"] == f"{page}?notice=override_recorded"
    kept = reviewer.get("/v1/overrides", subject=f"trace/{TRACE}", limit=1)["items"][0]
    assert {name: kept[name] for name in ("agent", "version", "trace", "say", "by")} == {
        "agent": "clerk",
        "version": "3",
        "trace": TRACE,
        "say": "relabel",
        "by": reviewer.name,
    }
    assert kept["human_decision"] == "in <b>Kiel</b>,\nsince noon"
    assert kept["reasoning"] == "the ship was diverted"
    shown = author.send("GET", page).text
    assert "in &lt;b&gt;Kiel&lt;/b&gt;" in shown
    assert "the ship was diverted" in shown


def test_without_a_reason_or_the_right_nothing_is_kept(traced: Site) -> None:
    reviewer = traced.api.person("reviewer")
    before = reviewer.get("/v1/overrides")["items"]
    assert send(reviewer, reasoning=" ").status_code == 422
    assert send(reviewer, instead="").status_code == 422
    assert send(reviewer, trace="../people").status_code == 422
    assert send(traced.api.person("author")).status_code == 403
    assert reviewer.get("/v1/overrides")["items"] == before


@pytest.mark.browser
def test_the_form_holds(page: Page, traced: Site, base: str) -> None:
    send(traced.api.person("reviewer"))
    sign_in(page, traced.person("admin"), base)
    page.goto(f"{base}/traces/{'2' * 32}")
    page.get_by_text("Decide otherwise").click()
    check_page(page, f"{base}/traces/{TRACE}")
    page.get_by_text("Decide otherwise").click()
    assert not violations(page)
    page.get_by_label("What you say instead").fill("in Bonn")
    page.get_by_label("Why").fill("it was moved")
    page.get_by_role("button", name="Record it").click()
    page.get_by_text("Recorded, with your reason").wait_for()
    assert page.get_by_text("in Bonn").is_visible()
