"""The first page: what moves, what waits for whom, what changed, what serves."""

import re
from datetime import timedelta
from html import unescape

import pytest
from playwright.sync_api import Page, expect
from tests.pages import ADMIN, Site, holds, sign_in

from opsroom.app.kinds import KINDS
from opsroom.registry import VersionDraft
from opsroom.registry import commands as registry
from opsroom.releases import commands as releases


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def test_it_says_what_moves_and_what_needs_whom(shown: Site) -> None:
    ben = text(shown.read("/", by=shown.known("ben")))
    assert "3 releases moving — 3 things need you" in ben
    assert "Cheaper invoice matching invoice-matcher waits for your approval" in ben
    assert "quote-writer 1 → 2 waits for 13 sampled answers to judge" in ben
    viewer = text(shown.read("/", by=shown.person("viewer")))
    assert "3 releases moving — nothing needs you" in viewer
    cat = text(shown.read("/", by=shown.known("cat")))
    assert "Say what the price includes quote-writer is ready to be merged" in cat
    assert "sampled answers" not in cat


def test_badges_count_what_waits_for_the_person_who_looks(shown: Site) -> None:
    def badges(page: str) -> dict[str, str]:
        nav = page.partition("<main")[0]
        return dict(re.findall(r'href="/(\w+)"[^>]*>\w+<span class="badge">(\d+)', nav))

    assert badges(shown.read("/prompts", by=shown.known("ben"))) == {
        "proposals": "1",
        "queues": "13",
        "releases": "2",
    }
    assert badges(shown.read("/prompts", by=shown.person("viewer"))) == {}


def test_every_release_stands_with_its_way_and_its_reason(shown: Site) -> None:
    page = shown.read("/")
    assert shown.path('href="/releases/{canary}"') in page
    assert "step 2 of 3 (25%)" in page
    assert 'title="Canary 25\N{NO-BREAK SPACE}%: now"' in page
    assert "7 of 20 sampled pairs are judged" in page


def test_what_serves_and_what_is_newer(shown: Site) -> None:
    page = text(shown.read("/"))
    assert "customs-classifier agent 2 1 newer" in page
    assert "house-tone prompt 1 2 newer" in page
    assert "7 in production" in page


def test_the_last_day_is_told_and_nothing_older(site: Site) -> None:
    page = text(site.read("/"))
    assert "cat proposed version 2 of agent invoice-matcher for production" in page
    assert "promised a date" not in page
    site.api.app.state.settings.clock.move(timedelta(days=2))
    assert "What changed in the last 24 hours Nothing." in text(
        site.read("/", by=site.api.person("admin"))
    )


def test_a_long_run_of_one_kind_is_told_once(site: Site) -> None:
    with site.api.db.write(ADMIN) as tx:
        for number in range(9):
            spec = {"format": "text", "text": f"text {number}"}
            registry.create_version(
                tx, "prompt", "house-tone", VersionDraft(spec=spec), kinds=KINDS
            )
    page = text(site.read("/"))
    assert page.count("made version") == 1
    assert "and 8 more like it" in page


def test_a_paused_release_needs_those_who_operate(site: Site) -> None:
    with site.api.db.write(ADMIN) as tx:
        releases.pause(tx, site.ids.canary, reason="let us look at this")
    operator = text(site.read("/", by=site.person("operator")))
    assert "customs-classifier 2 → 3 is paused until you say" in operator
    assert "1 paused" in operator
    assert "let us look at this" in operator


@pytest.mark.browser
def test_the_page_holds(page: Page, shown: Site, base: str) -> None:
    holds(page, shown, base, "/")


@pytest.mark.browser
def test_everything_is_on_one_screen(page: Page, shown: Site, base: str) -> None:
    sign_in(page, shown.person("admin"), base)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base)
    expect(page.get_by_text("What serves now")).to_be_in_viewport()
    expect(page.get_by_text("What changed")).to_be_in_viewport()
