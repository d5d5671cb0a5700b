"""Releases in a browser: where each stands, why, and what people may do about it."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page, expect
from tests.pages import ADMIN, DESK, Site, holds, sign_in

from opsroom.releases import observing, queries
from opsroom.releases.model import State
from opsroom.releases.observation import Observation


def text(page: str) -> str:
    words = unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def state_of(site: Site, release_id: str) -> State:
    with site.api.db.read(ADMIN) as tx:
        return queries.release(tx, release_id).state


def test_the_list_says_what_moves_and_how_the_others_ended(shown: Site) -> None:
    page = text(shown.read("/releases"))
    assert "What is moving? 3 releases moving" in page
    assert re.search(r"canary 25 % step 2 of 3 \(25%\): \d+ of 300 requests", page)
    assert re.search(
        r"rolled back disputed: \d+ of the candidate's \d+ requests were bad", page
    )
    assert "promoted shown to hold: correct; no alarm" in page
    over = text(shown.read("/releases?active=false"))
    assert "canary 25 %" not in over.partition("Since")[2].replace("Canary", "")
    of_one = text(shown.read("/releases?kind=agent&name=quote-writer"))
    assert "quote-writer 1 → 2" in of_one
    assert "invoice-matcher" not in of_one


def test_a_canary_shows_its_way_its_numbers_and_what_happens_by_itself(shown: Site) -> None:
    page = shown.read("/releases/{canary}")
    read = text(page)
    assert "customs-classifier 2 → 3 canary 25 % 25 % of traffic" in read
    assert "20 of 20 judged, 19 good" in read
    assert "it goes to 50 %" in read
    assert "correct, candidate − champion" in read
    assert "worse beyond this (−6.0 pt)" in read
    assert "Nothing speaks against it" in read
    assert "ops-band-plot" in page
    assert re.search(r"<code>[0-9a-f]{12}</code>", page)


def test_any_metric_can_be_drawn(shown: Site) -> None:
    page = text(shown.read("/releases/{canary}?metric=latency"))
    assert "latency, candidate − champion" in page
    assert "worse beyond this (+0.50 s)" in page


def test_a_release_that_was_rolled_back_says_why(shown: Site) -> None:
    page = shown.read("/releases/{rolled_back}")
    read = text(page)
    assert re.search(r"Rolled back: disputed: \d+ of the candidate's \d+ requests were", read)
    assert "Nothing: this release is over." in read
    assert "Proof that it is worse" in read
    assert re.search(r'<li class="failed">\s*<span class="step-title">Canary \d\d', page)
    assert 'action="/releases' not in page


def test_a_promoted_release_can_still_be_rolled_back(site: Site) -> None:
    here = "/releases/{promoted}"
    assert "It serves until another version" in text(site.read(here))
    form = {"reason": "a broker complained"}
    to = site.post(f"{here}/rollback", form=form, by=site.known("ana"))
    page = text(site.read(to))
    assert "Rolled back. Everybody gets the champion again." in page
    assert "a broker complained" in page
    assert state_of(site, site.ids.promoted) is State.ROLLED_BACK


def test_pausing_and_going_on_need_a_reason(site: Site) -> None:
    here, ana = "/releases/{canary}", site.known("ana")
    site.post(f"{here}/pause", by=ana, status=422, reason=" ")
    page = text(site.read(site.post(f"{here}/pause", by=ana, reason="it is Friday"), by=ana))
    assert "Paused: it is Friday" in page
    assert "everybody gets the champion" in page
    site.post(f"{here}/pause", by=ana, status=409, reason="again")
    site.post(f"{here}/resume", by=ana, reason="it is Monday")
    assert "25 % of traffic" in text(site.read(here, by=ana))


def test_what_met_no_traffic_is_stopped(site: Site) -> None:
    here, ana = "/releases/{gating}", site.known("ana")
    assert "rolled back" in site.post(f"{here}/rollback", by=ana, status=409, reason="x")
    page = text(site.read(site.post(f"{here}/abort", by=ana, reason="not this week"), by=ana))
    assert "Stopped: not this week" in page
    assert state_of(site, site.ids.gating) is State.ABORTED


def test_an_approval_is_for_what_was_shown(site: Site) -> None:
    here, ben = "/releases/{gating}", site.known("ben")
    page = site.read(here, by=ben)
    assert "every primary metric holds" in page.lower()
    found = re.search(r'name="binding" value="([0-9a-f]{64})"', page)
    assert found
    said = site.post(f"{here}/approve", by=ben, status=409, binding="0" * 64)
    assert "was changed by someone else" in said
    to = site.post(f"{here}/approve", by=ben, binding=found[1], reason="the gate shows it")
    assert "ben approved it" in text(site.read(to, by=ben))


def test_authors_see_why_they_neither_approve_nor_judge(shown: Site) -> None:
    both = shown.person("author", "operator", "reviewer", name="ana")
    assert "you made or started it" in shown.read("/releases/{gating}", by=both)
    sample = shown.read("/releases/{review}/sample", by=both)
    assert "You made or started it; somebody else has to judge." in sample
    assert 'name="good"' not in sample


def test_the_sample_is_judged_one_answer_at_a_time(site: Site) -> None:
    here, ben = "/releases/{review}/sample", site.known("ben")
    page = site.read(here, by=ben)
    assert "Is this answer good enough? 13 to judge 6 good of 7 judged" in text(page)
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    form = {"key": unescape(key[1]), "good": "no", "reason": "the price is missing"}
    to = site.post(here, form=form, by=ben)
    following = site.read(to, by=ben)
    assert "12 to judge 6 good of 8 judged" in text(following)
    assert key[1] not in re.findall(r'name="key" value="([^"]+)"', following)
    judged = text(site.read(f"{here}?key={key[1]}", by=ben))
    assert "not good , said ben" in judged
    assert "the price is missing" in judged
    site.post(here, form={**form, "good": "yes"}, by=ben, status=409)
    site.post(here, form={**form, "good": "maybe"}, by=ben, status=422)


def test_there_is_no_sample_before_the_review(shown: Site) -> None:
    assert "There is no sample yet" in shown.read("/releases/{gating}/sample")


def test_viewers_look_and_do_not_touch(shown: Site) -> None:
    viewer = shown.person("viewer")
    page = shown.read("/releases/{canary}", by=viewer)
    assert 'action="/releases' not in page
    assert "This needs the permission to operate" in page
    for path, form in (
        ("approve", {"binding": "0" * 64}),
        ("pause", {"reason": "x"}),
        ("resume", {"reason": "x"}),
        ("abort", {"reason": "x"}),
        ("rollback", {"reason": "x"}),
        ("sample", {"key": "x", "good": "yes"}),
    ):
        here = "/releases/{canary}/" + path
        assert "needs the permission" in shown.post(here, form=form, by=viewer, status=403)
    assert "there is no release" in shown.read("/releases/rel_0", status=404).lower()


def test_an_agent_leads_to_its_release(shown: Site) -> None:
    assert shown.path('href="/releases/{canary}"') in shown.read("/agents/customs-classifier")


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/releases",
        "/releases/{canary}",
        "/releases/{rolled_back}",
        "/releases/{gating}",
        "/releases/{review}",
        "/releases/{review}/sample",
    ],
)
def test_every_page_holds(page: Page, shown: Site, base: str, path: str) -> None:
    holds(page, shown, base, path)


@pytest.mark.browser
def test_a_key_leads_to_the_reason_for_rolling_back(page: Page, shown: Site, base: str) -> None:
    sign_in(page, shown.person("admin"), base)
    page.goto(base + shown.path("/releases/{canary}"))
    page.keyboard.press("Shift+R")
    expect(page.locator("#roll-back-reason")).to_be_visible()


@pytest.mark.browser
def test_an_open_page_follows_its_release(page: Page, shown: Site, base: str) -> None:
    sign_in(page, shown.person("admin"), base)
    page.goto(base + shown.path("/releases/{canary}"))
    expect(page.locator("ops-band-plot canvas")).to_have_count(1)
    page.wait_for_timeout(800)  # until the page has begun to listen
    shown.post("/releases/{canary}/pause", by=shown.person("operator"), reason="look at this")
    expect(page.get_by_text("Paused: look at this.", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Resume")).to_be_visible()
    shown.post("/releases/{canary}/resume", by=shown.person("operator"), reason="seen")
    expect(page.get_by_text("Paused: look at this.", exact=True)).to_be_hidden()
    expect(page.get_by_role("link", name="Pause")).to_be_visible()
    expect(page.locator("ops-band-plot canvas")).to_have_count(1)


def test_what_a_program_sent_stays_text(site: Site) -> None:
    with site.api.db.write(DESK) as tx:
        seen = observing.observe_canary(
            tx,
            site.ids.canary,
            [Observation(subject="<script>alert(1)</script>", values={"correct": 1})],
        )
    assert seen.counted == 1
    assert "<script>alert" not in site.read("/releases/{canary}")
