"""Integrations in a browser: which keep their word, what changed, and what people can do."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page
from tests.integrations.world import OPS, agent
from tests.pages import Site, holds

from opsroom.releases import queries as releases


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_list_says_which_do_not_keep_their_word(seen: Site) -> None:
    read = text(seen.read("/integrations"))
    assert "keep their word? 2 broken or drifted" in read
    assert "orders It no longer promises what was accepted" in read
    assert re.search(r"bank The last 2 checks failed: .* broken 33\.3 %", read)
    assert "fresh It has not been checked yet. unchecked" in read


def test_one_says_what_changed_and_whom_it_hurts(seen: Site) -> None:
    read = text(seen.read("/integrations/orders"))
    assert "drifted It no longer promises what was accepted" in read
    assert re.search(r"breaking response 200 /\*/total: `total` is gone; readers", read)
    assert "order-clerk@1 through list-orders, read-order" in read
    assert "an order as it was" in read
    assert "an OpenAPI document at http://127.0.0.1" in read


def test_releases_under_way_of_agents_that_it_hurts(seen: Site) -> None:
    assert "Releases under way" not in text(seen.read("/integrations/quiet"))
    with seen.api.db.read(OPS) as tx:
        release = releases.release(tx, seen.ids.canary)
    agent(seen.api.db, release.name, "count-orders", integration="quiet")
    read = text(seen.read("/integrations/quiet"))
    assert f"Releases under way of agents that it hurts {release.name}@" in read


def test_checking_and_accepting(seen: Site) -> None:
    ops, viewer = seen.person("operator"), seen.person("viewer")
    assert "integration_failed" in seen.post("/integrations/bank/check", by=ops)
    page = seen.read("/integrations/orders", by=ops)
    found = re.search(r'name="document" value="([0-9a-f]+)"', page)
    assert found is not None
    form = {"document": found[1]}
    seen.post("/integrations/orders/accept", form=form, by=ops, status=422)
    seen.post("/integrations/orders/accept", form=form, by=viewer, status=403, reason="mine")
    assert 'name="document"' not in seen.read("/integrations/orders", by=viewer)
    form = {"document": "0" * 64}
    seen.post("/integrations/orders/accept", form=form, by=ops, status=409, reason="blind")


@pytest.mark.browser
@pytest.mark.parametrize(
    "path", ["/integrations", "/integrations/orders", "/integrations/bank"]
)
def test_pages_hold(page: Page, seen: Site, base: str, path: str) -> None:
    holds(page, seen, base, path)
