"""Budgets in a browser: who will run out, when, and what people can do about it."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page
from tests.pages import Site, holds

Ids = dict[str, str]


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_list_says_who_is_out(shown: Site, budgets: Ids) -> None:
    page = text(shown.read("/budgets"))
    assert "Who will run out of budget? 1 used up" in page
    assert "agent customs-classifier usd in a day" in page
    assert "contract post-invoice calls in all 2 calls 2 calls 0 calls used up" in page
    assert "each turn" in page


def test_a_budget_shows_how_it_burns_and_when_it_is_over(shown: Site, budgets: Ids) -> None:
    page = shown.read(f"/budgets/{budgets['burning']}")
    read = text(page)
    assert re.search(r"Agent customs-classifier \S+ .*left of \$40.00 in a day", read)
    assert 'role="img" aria-label="Burn-down. Of $40.00' in page
    assert "Show as table" in page
    assert re.search(r"At \$\d+\.\d+ an hour \(between \$[\d.]+ and \$[\d.]+\)", read)
    assert re.search(r"Half cost less than \$\d", read)
    assert 'class="band"' in page


def test_each_turn_is_listed_the_fullest_first(shown: Site, budgets: Ids) -> None:
    read = text(shown.read(f"/budgets/{budgets['turns']}"))
    assert "Each turn: trn_" in read
    assert "Others in this window" in read
    one = text(shown.read(f"/budgets/{budgets['turns']}?key=trn_0003"))
    assert "Each turn: trn_0003" in one


def test_setting_and_removing(shown: Site, budgets: Ids) -> None:
    ops = shown.person("operator")
    form = {"scope": "contract", "key": "pay", "unit": "usd", "hard": "1,000", "window": "3600"}
    to = shown.post("/budgets", form=form, by=ops)
    read = text(shown.read(to.partition("?")[0]))
    assert "Contract pay within $1,000.00 left of $1,000.00 in an hour" in read
    assert "Nothing was spent in this window" in read
    refused = shown.post("/budgets", form=form | {"hard": "lots"}, by=ops, status=422)
    assert "is no amount of usd" in unescape(refused)
    here = to.partition("?")[0]
    shown.post(f"{here}/remove", by=ops, status=422)
    assert shown.post(f"{here}/remove", by=ops, reason="not needed").startswith("/budgets")
    shown.read(here, status=404)


def test_viewers_look_and_do_not_touch(shown: Site, budgets: Ids) -> None:
    viewer = shown.person("viewer")
    page = shown.read("/budgets", by=viewer)
    assert 'action="/budgets' not in page
    here = f"/budgets/{budgets['quiet']}"
    assert 'action="/budgets' not in shown.read(here, by=viewer)
    shown.post(f"{here}/remove", by=viewer, status=403, reason="x")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["", "burning", "quiet", "out", "turns", "fresh"])
def test_every_page_holds(page: Page, shown: Site, base: str, budgets: Ids, name: str) -> None:
    holds(page, shown, base, f"/budgets/{budgets[name]}" if name else "/budgets")
