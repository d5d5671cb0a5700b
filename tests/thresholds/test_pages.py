"""An agent's confidence in a browser: the diagram, the cut-offs, and what may follow."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page
from tests.pages import Site, holds

HERE = "/agents/customs-classifier/confidence"


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_page_says_what_it_is_worth(rated_site: Site) -> None:
    page = text(rated_site.read(HERE))
    assert (
        "What is the confidence of customs-classifier worth? it tells right from wrong" in page
    )
    assert re.search(r"alone from 0\.\d+", page)
    assert re.search(
        r"right one of a right and a wrong decision was the surer \d+% of the time", page
    )
    assert "Show as table" in page
    assert "where a perfect agent would show" in page
    assert "Holds: evidence of more errors than 5.0 %" in page
    assert "10 % spot-checked" in page
    other = text(rated_site.read(f"{HERE}?contract=file-entry"))
    assert "Nobody has examined it yet" in other
    nothing = text(rated_site.read("/agents/invoice-matcher/confidence"))
    assert "worth? it tells nothing" in nothing
    assert "nowhere" in nothing
    never = text(rated_site.read("/agents/quote-writer/confidence"))
    assert "It never said how sure it was" in never
    rated_site.read("/agents/nobody/confidence", status=404)


def test_the_page_of_an_agent_shows_it(rated_site: Site) -> None:
    page = rated_site.read("/agents/customs-classifier")
    assert "What its confidence is worth" in text(page)
    assert f'href="{HERE}?contract=post-invoice"' in page
    assert "It never said how sure it was" in text(rated_site.read("/agents/quote-writer"))


def test_examining_and_proposing_from_the_page(rated_site: Site) -> None:
    ana, cat = rated_site.known("ana"), rated_site.known("cat")
    to = rated_site.post(HERE, by=ana, contract="file-entry")
    assert to == f"{HERE}?contract=file-entry&notice=confidence_examined"
    refused = rated_site.post(HERE, by=ana, status=409, contract="file-entry")
    assert "use up confidence" in unescape(refused)
    page = rated_site.read("/agents/invoice-matcher/confidence", by=ana)
    assert "/propose" not in page
    page = rated_site.read(HERE, by=cat)
    (path,) = re.findall(r'action="(/thresholds/cut_\w+/propose)"', page)
    wrong = rated_site.post(path, by=cat, status=422, reason="x", max_amount="a lot")
    assert "are numbers" in wrong
    said = unescape(rated_site.post(path, by=cat, status=409, reason="it does well"))
    assert "judged" in said or "does not allow more" in said or "not wider" in said
    rated_site.post(path.replace("propose", "tighten"), by=ana, status=409, reason="x")


def test_viewers_look_and_do_not_touch(rated_site: Site) -> None:
    viewer = rated_site.person("viewer")
    assert '<form method="post" action="/' not in rated_site.read(HERE, by=viewer).replace(
        'action="/logout"', ""
    )
    rated_site.post(HERE, by=viewer, status=403, contract="post-invoice")
    for what in ("propose", "tighten"):
        rated_site.post(f"/thresholds/cut_1/{what}", by=viewer, status=403, reason="x")


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        HERE,
        f"{HERE}?contract=file-entry",
        "/agents/invoice-matcher/confidence",
        "/agents/quote-writer/confidence",
        "/agents/customs-classifier",
    ],
)
def test_pages_hold(page: Page, rated_site: Site, base: str, path: str) -> None:
    holds(page, rated_site, base, path)
