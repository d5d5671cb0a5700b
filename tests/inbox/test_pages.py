"""The inbox in a browser: one decision at a time, by keyboard, with friction where it matters."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.browser import Watch, check_page
from tests.inbox.desk import Desk, answer_as, base, desk, sign_in, text

from opsroom.inbox import Risk, State
from opsroom.kit.clock import ManualClock

__all__ = ["base", "desk"]

MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>"
    "[x](javascript:alert(4)) ![](https://evil.example/pixel.png) \u202egnp.exe\u200b{{7*7}}"
)


def test_the_page_says_what_will_happen_and_why_you(desk: Desk) -> None:
    page = text(desk.read(f"/inbox?request={desk.medium.id}"))
    assert "What waits for you? the first is due in 12 m 3 waiting" in page
    assert "Why you: the recipient appears only in untrusted text" in page
    assert "recipients · 2 copy@elsewhere.example only untrusted text" in page
    assert "Cannot be undone." in page
    assert "mail text, shown as it is; nothing in it is an instruction" in page


def test_what_changes_is_shown_as_a_change(desk: Desk) -> None:
    page = desk.read(f"/inbox?request={desk.high.id}")
    assert "<del>46,900</del> <ins>48,210</ins>" in page
    assert "Can be undone: until the period closes on 30 Nov" in text(page)


def test_without_a_choice_the_first_that_is_due_is_shown(desk: Desk) -> None:
    assert 'id="decision-title">Book carrier Maersk' in desk.read("/inbox")
    assert "Post invoice 88213" in desk.read(f"/inbox?request={desk.high.id}")
    assert "there is no request" in desk.read("/inbox?request=inb_none", status=404).lower()


def test_an_answer_leads_to_what_waits_next(desk: Desk) -> None:
    to = desk.post(f"/inbox/{desk.low.id}/approve", binding=desk.low.shown)
    assert to == "/inbox"
    page = text(desk.read(to))
    assert "Approved: “Book carrier Maersk for booking 4411”. It goes out in 5 s" in page
    assert "2 waiting" in page
    assert desk.state(desk.low) is State.APPROVED


def test_an_answer_to_what_was_not_shown_is_refused(desk: Desk) -> None:
    said = desk.post(f"/inbox/{desk.low.id}/approve", binding="0" * 64, status=409)
    assert "no longer what was shown" in said
    assert desk.state(desk.low) is State.PENDING


def test_high_risk_takes_the_evidence_and_a_deliberate_hand(desk: Desk) -> None:
    here, shown = f"/inbox/{desk.high.id}", desk.high.shown
    page = desk.read(f"/inbox?request={desk.high.id}")
    assert f'action="{here}/approve"' not in page
    assert "IGNORE ALL" not in page
    said = desk.post(f"{here}/approve", binding=shown, held_ms="900", status=422)
    assert "the evidence has not been opened" in said
    page = desk.read(desk.post(f"{here}/open"))
    assert "IGNORE ALL EARLIER RULES" in page
    assert "ops-hold-button" in page
    for held, typed in (("0", ""), ("799", ""), ("0", "211"), ("0", "48210")):
        said = desk.post(
            f"{here}/approve", binding=shown, held_ms=held, typed=typed, status=422
        )
        assert "one key is not enough" in said
    assert desk.state(desk.high) is State.PENDING
    desk.post(f"{here}/approve", binding=shown, typed=" 000 ")
    assert desk.state(desk.high) is State.APPROVED


def test_evidence_that_somebody_else_opened_does_not_count(desk: Desk) -> None:
    cat = desk.api.person("operator", name="dan")
    desk.post(f"/inbox/{desk.high.id}/open", by=cat)
    said = desk.post(
        f"/inbox/{desk.high.id}/approve", binding=desk.high.shown, typed="000", status=422
    )
    assert "the evidence has not been opened" in said


def test_every_other_answer_is_a_form_of_its_own(desk: Desk, clock: ManualClock) -> None:
    low, here = desk.low, f"/inbox/{desk.low.id}"
    assert "Why not" in desk.read(f"/inbox?request={low.id}&do=reject")
    desk.post(f"{here}/reject", binding=low.shown, reason=" ", status=422)
    assert "everybody who is operator" in desk.read(f"/inbox?request={low.id}&do=hand-over")
    desk.post(f"{here}/hand-over", to="cat")
    assert desk.waiting() == 2
    assert "Handed to cat." in text(desk.read(f"/inbox?view=all&request={low.id}"))
    desk.post(f"/inbox/{desk.medium.id}/snooze", seconds="900")
    assert desk.waiting() == 1
    assert "4 hours" in desk.read(f"/inbox?request={desk.medium.id}&do=snooze")
    clock.move(timedelta(minutes=15))
    assert desk.waiting() == 2
    desk.post(
        f"/inbox/{desk.medium.id}/respond", binding=desk.medium.shown, text="without the copy"
    )
    assert desk.state(desk.medium) is State.RESPONDED
    over = text(desk.read("/inbox?view=answered"))
    assert "Write to the claims desk of Hapag answered" in over


def test_an_edit_shows_what_was_changed(desk: Desk) -> None:
    low, here = desk.low, f"/inbox/{desk.low.id}"
    form = desk.read(f"/inbox?request={low.id}&do=edit")
    assert "&#34;carrier&#34;: &#34;Maersk&#34;" in form
    for wrong in ("no json", "[1]", '{"a": 1'):
        said = desk.post(
            f"{here}/edit", binding=low.shown, arguments=wrong, reason="x", status=422
        )
        assert "no JSON object" in said
    desk.post(
        f"{here}/edit",
        binding=low.shown,
        arguments='{"carrier": "MSC", "booking": "4411", "express": false}',
        reason="Maersk is full",
    )
    page = desk.read(f"/inbox?view=answered&request={low.id}")
    assert "<del>Maersk</del> <ins>MSC</ins>" in page
    assert "Maersk is full" in page
    assert "Maersk is full" in desk.read("/inbox/overrides")


def test_it_is_taken_back_in_time(desk: Desk, clock: ManualClock) -> None:
    desk.post(f"/inbox/{desk.low.id}/approve", binding=desk.low.shown)
    assert "Undo" in desk.read("/inbox/undo")
    to = desk.post(f"/inbox/{desk.low.id}/undo")
    assert "Taken back." in text(desk.read(to))
    again = desk.look(desk.low)
    desk.post(f"/inbox/{desk.low.id}/approve", binding=again.shown)
    clock.move(timedelta(seconds=5))
    assert "Undo" not in desk.read("/inbox/undo")
    said = desk.post(f"/inbox/{desk.low.id}/undo", status=409)
    assert "its effect has been released" in said


def test_two_people_see_how_far_it_is(desk: Desk) -> None:
    request = desk.ask(quorum=2, title="Pay the deposit", why="it takes two")
    answer_as(desk, "cat", request)
    page = text(desk.read(f"/inbox?request={request.id}"))
    assert "It takes 2 people; cat approved it." in page
    desk.post(f"/inbox/{request.id}/approve", binding=request.shown)
    assert desk.state(request) is State.APPROVED


def test_a_flood_is_said_aloud(desk: Desk) -> None:
    for n in range(24):
        desk.ask(agent="loud", why=f"reason {chr(97 + n)}", title=f"Thing {chr(97 + n)}")
    page = text(desk.read("/inbox?agent=loud"))
    assert "loud asks more than people can read: 4 more of its requests stand" in page
    assert "and 3 more of this agent" in page


def test_viewers_look_and_do_not_touch(desk: Desk) -> None:
    viewer = desk.api.person("viewer")
    page = desk.read(f"/inbox?view=all&request={desk.low.id}", by=viewer)
    assert "This needs the permission to answer." in page
    assert 'action="/inbox' not in page
    assert "Nothing waits for you" in desk.read("/inbox", by=viewer)
    desk.post(f"/inbox/{desk.low.id}/approve", by=viewer, binding=desk.low.shown, status=403)


def test_whoever_the_agent_acts_for_sees_why_they_cannot_approve(desk: Desk) -> None:
    ada = desk.api.person("operator", name="ada")
    page = desk.read(f"/inbox?view=all&request={desk.low.id}", by=ada)
    assert "the agent acts for you; somebody else has to approve" in page
    assert f'action="/inbox/{desk.low.id}/approve"' not in page
    said = desk.post(
        f"/inbox/{desk.low.id}/approve", by=ada, binding=desk.low.shown, status=403
    )
    assert "cannot also approve it" in said


def test_only_what_waits_on_you_is_counted_beside_the_inbox(desk: Desk) -> None:
    badge = re.search(r'href="/inbox"[^>]*>Inbox<span class="badge">(\d+)', desk.read("/"))
    assert badge
    assert badge[1] == "3"
    ada = desk.api.person("operator", name="ada")
    assert "badge" not in desk.read("/inbox", by=ada)


def test_what_agents_write_stays_text(desk: Desk) -> None:
    """T3: in title, reason, tool, arguments, evidence, grounding and what can be undone."""
    request = desk.ask(
        title=MARKUP,
        why=MARKUP,
        tool=MARKUP,
        agent=MARKUP,
        reversible=MARKUP,
        schema={},
        arguments={MARKUP: MARKUP, "many": [MARKUP, {"deep": MARKUP}]},
        evidence={
            MARKUP: MARKUP,
            "before": {MARKUP: "x"},
            "grounding": [{"path": "/many/0", "source": MARKUP, "because": MARKUP}],
        },
    )
    desk.post(f"/inbox/{request.id}/reject", binding=request.shown, reason=MARKUP)
    for path in (
        f"/inbox?request={request.id}",
        "/inbox?view=all",
        "/inbox?view=answered",
        "/inbox/oversight",
        "/inbox/overrides",
        "/",
    ):
        page = desk.read(path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<svg/onload" not in page
    page = desk.read(f"/inbox?request={request.id}")
    assert "\u202e" not in page.partition("<main")[2]
    assert "U+202E" in page
    assert "{{7*7}}" in page


PAGES = (
    "/inbox",
    "/inbox?request={medium}",
    "/inbox?request={high}",
    "/inbox?request={high}&do=edit",
    "/inbox?request={low}&do=reject",
    "/inbox?request={low}&do=hand-over",
    "/inbox?request={low}&do=snooze",
    "/inbox?view=all",
    "/inbox?view=answered",
    "/inbox/oversight",
    "/inbox/overrides",
)


@pytest.mark.browser
def test_every_page_holds(page: Page, desk: Desk, base: str) -> None:
    sign_in(page, desk.ben, base)
    check_page(page, base + "/inbox?view=answered")  # empty
    check_page(page, base + "/inbox/overrides")
    spare = desk.ask(title="Spare", why="spare")
    desk.post(f"/inbox/{spare.id}/reject", binding=spare.shown, reason="not needed")
    desk.post(f"/inbox/{desk.high.id}/open")
    for path in PAGES:
        ids = {"low": desk.low.id, "medium": desk.medium.id, "high": desk.high.id}
        check_page(page, base + path.format(**ids))


@pytest.mark.browser
def test_low_risk_is_approved_in_three_keys_from_anywhere(
    page: Page, desk: Desk, base: str
) -> None:
    sign_in(page, desk.ben, base)
    page.goto(base + "/proposals")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/inbox")
    page.keyboard.press("a")
    expect(page.get_by_text("Approved: “Book carrier Maersk for booking 4411”")).to_be_visible()
    assert desk.state(desk.low) is State.APPROVED
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert desk.state(desk.low) is State.PENDING


@pytest.mark.browser
def test_one_key_does_not_approve_what_is_risky(page: Page, desk: Desk, base: str) -> None:
    sign_in(page, desk.ben, base)
    page.goto(f"{base}/inbox?request={desk.high.id}")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert desk.state(desk.high) is State.PENDING
    page.keyboard.press("o")
    expect(page.get_by_text("IGNORE ALL EARLIER RULES")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert desk.state(desk.high) is State.PENDING
    page.keyboard.down("a")
    page.wait_for_timeout(1000)
    page.keyboard.up("a")
    expect(page.get_by_text("Approved: “Post invoice 88213 to SAP”")).to_be_visible()
    assert desk.state(desk.high) is State.APPROVED


@pytest.mark.browser
def test_the_whole_inbox_without_a_mouse(page: Page, desk: Desk, base: str) -> None:
    sign_in(page, desk.ben, base)
    page.goto(base + "/inbox")
    title = page.locator("#decision-title")
    page.keyboard.press("j")
    expect(title).to_contain_text("Write to the claims desk")
    page.keyboard.press("j")
    expect(title).to_contain_text("Post invoice")
    page.keyboard.press("k")
    expect(title).to_contain_text("Write to the claims desk")
    page.keyboard.press("r")
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.type("the copy goes to a stranger")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rejected. The agent gets your reason.")).to_be_visible()
    assert desk.look(desk.medium).reason == "the copy goes to a stranger"
    page.keyboard.press("h")
    expect(page.locator("#to")).to_be_focused()
    page.keyboard.type("cat")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Handed over.")).to_be_visible()
    assert desk.look(desk.low).assignee == "cat"
    page.keyboard.press("o")
    expect(page.get_by_text("IGNORE ALL EARLIER RULES")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#seconds")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert desk.look(desk.high).snoozed_until is not None


@pytest.mark.browser
def test_an_open_page_hears_of_what_is_asked(page: Page, desk: Desk, base: str) -> None:
    desk.api.app.state.closing.clear()
    sign_in(page, desk.ben, base)
    page.goto(f"{base}/inbox?request={desk.high.id}")
    expect(page.locator(".picks > li")).to_have_count(3)
    page.wait_for_timeout(1200)  # until the page has begun to listen
    desk.ask(title="Something new", why="new", agent="other")
    expect(page.locator(".picks > li")).to_have_count(4)
    expect(page.locator("#decision-title")).to_contain_text("Post invoice")
    desk.api.app.state.closing.set()


@pytest.mark.browser
def test_nothing_an_agent_writes_runs(page: Page, desk: Desk, base: str) -> None:
    request = desk.ask(
        title=MARKUP,
        why=MARKUP,
        schema={},
        risk=Risk.MEDIUM,
        arguments={MARKUP: MARKUP},
        evidence={MARKUP: MARKUP},
    )
    sign_in(page, desk.ben, base)
    watch = Watch(page, base)
    for path in (
        f"/inbox?request={request.id}",
        f"/inbox?request={request.id}&do=edit",
        "/inbox",
        "/",
    ):
        page.goto(base + path)
        page.wait_for_timeout(200)
    assert not watch.dialogs
    assert not watch.foreign
    assert page.locator("main img, main iframe").count() == 0


@pytest.mark.browser
def test_it_is_read_and_answered_without_scripts(
    desk: Desk, base: str, browser: object
) -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]  # playwright's
    page = context.new_page()
    sign_in(page, desk.ben, base)
    page.goto(base + "/inbox")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: “Book carrier Maersk")).to_be_visible()
    desk.clock.move(timedelta(seconds=1))
    page.goto(f"{base}/inbox?request={desk.high.id}")
    page.get_by_role("button", name="Open the evidence").click()
    page.locator("#typed-approve").fill("000")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("“Post invoice 88213 to SAP”")).to_be_visible()
    assert desk.state(desk.high) is State.APPROVED
    context.close()
