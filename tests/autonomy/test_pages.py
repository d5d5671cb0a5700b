"""Autonomy in a browser: the ladder, who wants more, and the switch."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page, expect
from tests.pages import Site, holds, sign_in

Ids = dict[str, str]


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_list_says_who_acts_alone_and_who_is_stopped(shown: Site, lived: Ids) -> None:
    page = text(shown.read("/autonomy"))
    assert "Who may act alone? 1 stopped" in page
    assert re.search(r"customs-classifier bounded contract/post-invoice bounded", page)
    assert re.search(r"quote-writer approve each .* stopped", page)
    assert "Wants to do more" in page
    assert "up to $50.00, 40 a day, when at least 80 % sure" in page


def test_the_ladder_of_an_agent(shown: Site, lived: Ids) -> None:
    page = text(shown.read("/autonomy/customs-classifier"))
    assert "141 of 143" in page
    assert "up to $250.00" in page
    assert "earned: bounded" in page
    lost = text(shown.read("/autonomy/invoice-matcher"))
    assert "1 incident(s) after acting alone" in lost
    assert "went from bounded to approve_each" in lost
    stopped = text(shown.read("/autonomy/quote-writer"))
    assert "Quote-writer stopped by ana" in stopped
    assert "It promised a price that we do not have." in stopped
    shown.read("/autonomy/nobody", status=404)


def test_the_page_of_an_agent_shows_its_ladder(shown: Site, lived: Ids) -> None:
    page = shown.read("/agents/customs-classifier")
    assert "What it may do alone" in page
    assert 'href="/autonomy/customs-classifier"' in page


def test_widening_from_the_page(shown: Site, lived: Ids) -> None:
    here = f"/widenings/{lived['waiting']}/approve"
    ben = shown.known("ben")
    page = shown.read("/autonomy/customs-classifier", by=ben)
    (binding,) = re.findall(r'name="binding" value="([0-9a-f]{64})"', page)
    asked_by = shown.read("/autonomy", by=shown.known("ana"))
    assert "You cannot approve it: this needs the permission to review" in text(asked_by)
    assert "is not what you saw" in unescape(
        shown.post(here, by=ben, status=409, binding="0" * 64)
    )
    to = shown.post(here, by=ben, binding=binding, reason="seen", held_ms="800")
    assert to == "/autonomy/customs-classifier?notice=widened"
    assert "Wants to do more" not in text(shown.read("/autonomy"))


def test_proposing_narrowing_and_stopping_from_the_page(shown: Site, lived: Ids) -> None:
    here = "/autonomy/customs-classifier"
    cat, ana = shown.known("cat"), shown.known("ana")
    form = {"scope": "tier/external", "level": "bounded", "reason": "please"}
    refused = shown.post(f"{here}/propose", form=form, by=cat, status=409)
    assert "0 of 50 proposals judged" in unescape(refused)
    form = {"scope": "tier/external", "level": "shadow", "reason": "not these"}
    assert shown.post(f"{here}/narrow", form=form, by=ana).endswith("notice=narrowed")
    form |= {"max_amount": "a lot"}
    assert "are numbers" in shown.post(f"{here}/narrow", form=form, by=ana, status=422)
    shown.post(f"{here}/kill", by=ana, status=422)
    shown.post(f"{here}/kill", by=ana, reason="look at this")
    assert "Customs-classifier stopped by ana" in text(shown.read(here))
    shown.post(f"{here}/revive", by=ana, reason="seen")
    shown.post("/autonomy/kill", by=ana, reason="everything")
    assert "all are stopped" in text(shown.read("/autonomy"))
    shown.post("/autonomy/revive", by=ana, reason="fine")


def test_viewers_look_and_do_not_touch(shown: Site, lived: Ids) -> None:
    viewer = shown.person("viewer")
    for path in ("/autonomy", "/autonomy/customs-classifier"):
        page = shown.read(path, by=viewer)
        assert 'action="/autonomy' not in page
        assert 'action="/widenings' not in page
    for path in ("kill", "revive", "narrow", "propose"):
        here = f"/autonomy/customs-classifier/{path}"
        shown.post(here, by=viewer, status=403, reason="x")


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/autonomy",
        "/autonomy/customs-classifier",
        "/autonomy/invoice-matcher",
        "/autonomy/quote-writer",
        "/agents/customs-classifier",
    ],
)
def test_every_page_holds(page: Page, shown: Site, base: str, lived: Ids, path: str) -> None:
    holds(page, shown, base, path)


@pytest.mark.browser
def test_the_kill_button_has_to_be_held(page: Page, shown: Site, base: str, lived: Ids) -> None:
    sign_in(page, shown.person("operator"), base)
    page.goto(f"{base}/autonomy/invoice-matcher")
    page.fill("#one-kill", "it books twice")
    page.get_by_role("button", name="Stop invoice-matcher").click(delay=50)
    expect(page.get_by_text("stopped by")).to_have_count(0)
    page.get_by_role("button", name="Stop invoice-matcher").click(delay=1_000)
    expect(page.get_by_text("Invoice-matcher stopped by")).to_be_visible()
