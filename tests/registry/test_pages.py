"""Artifacts and proposals in a browser: what the pages say, and what they let people do."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page, expect
from tests.api import Caller
from tests.browser import Watch
from tests.pages import ADMIN, Site, holds, sign_in
from tests.web.sample.hostile import PAYLOADS

from opsroom.app.kinds import KINDS
from opsroom.kit.db import Actor
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, proposals, queries
from opsroom.registry import commands as registry
from opsroom.registry.listing import uses


def text(page: str) -> str:
    """What is read of a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_list_says_what_is_live_where_and_what_waits(shown: Site) -> None:
    page = text(shown.read("/prompts"))
    assert "Which prompts are live where? 1 open proposal 4 prompts" in page
    assert "house-tone advisory 1 3 3" in page
    assert "back: it promised dates" in page
    assert "quote-writer advisory 1 – 2" in page
    assert "1 open" in page


def test_a_list_is_searched_and_paged_by_name(shown: Site) -> None:
    found = shown.read("/prompts?q=tone")
    assert "house-tone" in found
    assert "invoice-matcher" not in found
    first = shown.read("/prompts?limit=2")
    assert re.search(r'href="/prompts\?q=&amp;after=house-tone"', first)
    second = shown.read("/prompts?limit=2&after=house-tone")
    assert "quote-writer" in second
    assert "customs-classifier" not in text(second)
    assert "Nothing is called that" in shown.read("/prompts?q=nothing")


def test_an_empty_list_says_what_to_do(sqlite_api: object, shown: Site) -> None:
    site = Site(sqlite_api, shown.ids)  # type: ignore[arg-type]  # the fixture's own type
    assert "opsroom push prompts/" in site.read("/prompts")
    assert "There is nothing here yet" in site.read("/")


def test_a_prompt_shows_its_live_text_with_variables_and_its_past(shown: Site) -> None:
    page = shown.read("/prompts/house-tone")
    assert "<mark>{{ reader }}</mark>" in page
    read = text(page)
    assert "in production, 2 newer" in read
    assert "version 1 of 3" in read
    assert "back: it promised dates back to 1" in read
    assert "rolled back" in read
    assert "a customer was promised a date" in read
    assert "who will read it" in read
    assert "temperature 0.2" in read


def test_any_version_can_be_looked_at_by_number_or_label(shown: Site) -> None:
    assert "production serves version 1, this is 2" in shown.read("/prompts/house-tone?at=2")
    assert "version 3</b> of 3" in shown.read("/prompts/house-tone?at=staging")
    assert "has no version or label" in shown.read("/prompts/house-tone?at=9", status=404)
    assert "does not name a version" in shown.read("/prompts/house-tone?at=%40", status=422)


def test_versions_are_paged_by_number(site: Site) -> None:
    for number in range(30):
        with site.api.db.write(ADMIN) as tx:
            spec = {"format": "text", "text": f"text {number}"}
            registry.create_version(
                tx, "prompt", "house-tone", VersionDraft(spec=spec), kinds=KINDS
            )
    assert "before=14" in site.read("/prompts/house-tone?at=33")
    assert ">13</a>" in site.read("/prompts/house-tone?at=33&before=14")


def test_who_uses_a_prompt_is_found_by_what_cites_it(shown: Site) -> None:
    page = shown.read("/prompts/customs-classifier")
    assert 'href="/agents/customs-classifier?at=3"' in page
    assert 'href="/agents/customs-classifier?at=2"' in page
    assert "cites version 2, production" in text(page)
    with shown.api.db.read(ADMIN) as tx:
        of = queries.artifact(tx, "evaluator", "customs-classifier-correct")
        assert [use.kind for use in uses(tx, of, kinds=KINDS)] == ["dataset"]


def test_a_difference_is_shown_word_by_word_with_its_price(shown: Site) -> None:
    page = shown.read("/prompts/customs-classifier/diff?a=1&b=3")
    assert "<del>and nothing else</del>" in page
    assert "<ins>on the last line</ins>" in page
    assert "tokens" in text(page)
    newest = text(shown.read("/prompts/customs-classifier/diff"))
    assert "customs-classifier 2 → 3" in newest
    assert "the same text" in shown.read("/prompts/house-tone/diff?a=1&b=3")


def test_every_kind_has_its_own_part(shown: Site) -> None:
    agent = shown.read("/agents/customs-classifier?at=3")
    assert 'href="/prompts/customs-classifier?at=3"' in agent
    assert "desk-tiny" in agent
    assert "escalate_below: 0.7" in agent
    dataset = text(shown.read("/datasets/customs-classifier"))
    assert "240 items" in dataset
    assert "customs-classifier-cases-7-1" in dataset
    assert "type: equals" in shown.read("/evaluators/customs-classifier-correct")
    assert "there is no agent" in shown.read("/agents/nobody", status=404).lower()


def test_rolling_back_shows_what_changes_and_needs_a_reason(site: Site) -> None:
    here = "/prompts/house-tone/labels/staging/rollback"
    ana = site.known("ana")
    page = text(site.read(here, by=ana))
    assert "Roll staging of house-tone back? 3 → 2" in page
    assert "What goes back" in page
    site.post(here, by=ana, status=422, to="2", now="3", reason="  ")
    to = site.post(here, by=ana, to="2", now="3", reason="staging shows the warm one")
    assert to == "/prompts/house-tone?notice=rolled_back"
    page = site.read(to, by=ana)
    assert "Rolled back." in page
    assert "staging shows the warm one" in page


def test_nothing_goes_back_to_what_was_rolled_back(shown: Site) -> None:
    page = shown.read("/prompts/house-tone/labels/production/rollback")
    assert "No earlier version to go back to" in page


def test_a_label_that_moved_meanwhile_is_not_rolled_back(site: Site) -> None:
    form = {"to": "1", "now": "2", "reason": "too late"}
    here = "/prompts/house-tone/labels/staging/rollback"
    assert "moved by someone else" in site.post(
        here, form=form, by=site.known("ana"), status=409
    )


def test_viewers_look_and_do_not_touch(shown: Site) -> None:
    viewer = shown.person("viewer")
    page = shown.read("/prompts/house-tone", by=viewer)
    assert "Roll back" not in page
    here = "/prompts/house-tone/labels/staging/rollback"
    refused = shown.read(here, by=viewer)
    assert "which you do not have here" in refused
    assert re.search(r"<button[^>]*disabled>Roll back", refused)
    proposed = "/prompts/house-tone/propose"
    assert re.search(r"<button[^>]*disabled>Open", shown.read(f"{proposed}?at=3", by=viewer))
    for path, form in (
        (here, {"to": "2", "now": "1", "reason": "x"}),
        (proposed, {"number": "3"}),
        ("/proposals/{proposal}/approve", {"binding": ""}),
        ("/proposals/{proposal}/request-changes", {"binding": "", "reason": "x"}),
        ("/proposals/{proposal}/merge", {"binding": ""}),
        ("/proposals/{proposal}/withdraw", {"reason": "x"}),
        ("/proposals/{proposal}/checks", {}),
    ):
        assert "needs the permission" in shown.post(path, form=form, by=viewer, status=403)


def test_a_proposal_is_opened_from_what_it_changes(site: Site) -> None:
    cat = site.known("cat")
    page = text(site.read("/prompts/customs-classifier/propose?at=3", by=cat))
    assert "Propose customs-classifier 1 → 3" in page
    assert "Check 'lint' has to pass" in page
    to = site.post(
        "/prompts/customs-classifier/propose",
        by=cat,
        number="3",
        title="Ask when two fit",
        description="as the brokers asked",
    )
    opened = text(site.read(to, by=cat))
    assert "Ask when two fit ready to merge" in opened
    assert "as the brokers asked" in opened


def test_a_proposal_shows_everything_it_is_decided_by(shown: Site) -> None:
    page = shown.read("/proposals/{proposal}")
    read = text(page)
    assert "not yet: 0 of 1 approvals" in read
    assert "What it cites changes too: invoice-matcher" in read
    assert "every primary metric holds, and no guardrail is broken" in read.lower()
    assert shown.path('href="/evals/verdicts/{verdict}"') in page
    assert "latency (guardrail)" in read
    assert "Nobody has answered yet" in read


def binding(page: str) -> str:
    found = re.search(r'name="binding" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def look_at_everything(site: Site, here: str, by: Caller) -> None:
    page = site.read(here, by=by)
    for part in re.findall(r'name="part" value="([^"]+)"', page):
        site.post(f"{here}/viewed", by=by, binding=binding(page), part=part, seen="yes")


def test_a_proposal_is_approved_once_everything_was_looked_at(site: Site) -> None:
    here, ben = "/proposals/{proposal}", site.known("ben")
    shown = site.read(here, by=ben)
    assert "First look at, and mark as viewed: what changes, lint, gate." in text(shown)
    form = {"binding": binding(shown), "reason": "in a hurry"}
    assert "have not looked at" in site.post(f"{here}/approve", form=form, by=ben, status=409)
    look_at_everything(site, here, ben)
    assert "Approve <kbd>A</kbd>" in site.read(here, by=ben)


def test_a_line_is_commented_on_and_what_was_suggested_applied(site: Site) -> None:
    here, ben, cat = "/proposals/{prompt_proposal}", site.known("ben"), site.known("cat")
    found = re.search(r'#line-(\d+)"[^>]*>\d+</a><code>You draft', site.read(here, by=ben))
    assert found
    assert "Suggest another line" in site.read(f"{here}?line={found[1]}", by=ben)
    to = site.post(
        f"{here}/comments",
        by=ben,
        line=found[1],
        text="too long?",
        suggests="yes",
        suggestion="Write a quote.",
    )
    assert "too long?" in site.read(to, by=cat)
    said = re.search(r"/comments/(cmt_[0-9a-z]+)/apply", site.read(here, by=cat))
    assert said
    to = site.post(f"{here}/comments/{said[1]}/apply", by=cat)
    assert "production 1 → 3" in text(site.read(to, by=cat))
    lines = text(site.read("/prompts/quote-writer/blame"))
    assert "3 · ben Write a quote." in lines


def test_a_proposal_is_approved_as_it_was_shown_and_merged(site: Site) -> None:
    here, ben, cat = "/proposals/{proposal}", site.known("ben"), site.known("cat")
    look_at_everything(site, here, ben)
    shown = site.read(here, by=ben)
    to = site.post(f"{here}/approve", by=ben, binding=binding(shown), reason="tried it")
    answered = text(site.read(to, by=ben))
    assert "ready to merge" in answered
    assert "You have approved exactly this state already." in answered
    assert "tried it" in answered
    to = site.post(f"{here}/merge", by=cat, binding=binding(shown))
    assert "Merged. Whoever asks" in site.read(to, by=cat)
    with site.api.db.read(ADMIN) as tx:
        label = queries.label(tx, "agent", "invoice-matcher", "production")
        assert label is not None
        assert label.number == 2


def test_an_answer_to_what_is_no_longer_there_is_refused(site: Site) -> None:
    here, ben = "/proposals/{proposal}", site.known("ben")
    look_at_everything(site, here, ben)
    stale = {"binding": "0" * 64}
    said = site.post(f"{here}/approve", form=stale, by=ben, status=409)
    assert "was changed by someone else" in said
    site.post(f"{here}/merge", form=stale, by=site.known("cat"), status=409)
    assert "Nobody has answered yet" in site.read(here, by=ben)


def test_authors_see_why_they_cannot_approve(site: Site) -> None:
    both = site.person("author", "reviewer")
    look_at_everything(site, "/proposals/{proposal}", both)
    assert "Approve <kbd>A</kbd>" in site.read("/proposals/{proposal}", by=both)
    form = {"number": "3", "title": "Mine"}
    here = site.post("/prompts/customs-classifier/propose", form=form, by=both)
    own = site.read(here, by=both)
    assert "You opened this proposal; somebody else has to approve it." in own
    assert re.search(r"<button[^>]*disabled>Approve</button>", own)
    ana = site.person("reviewer", "author", name="ana")
    assert "You wrote or brought in this version" in site.read("/proposals/{proposal}", by=ana)
    viewer = site.read("/proposals/{proposal}", by=site.person("viewer"))
    assert "This needs the permission to review" in viewer


def test_asking_for_changes_holds_a_proposal_back(site: Site) -> None:
    here, ben = "/proposals/{prompt_proposal}", site.known("ben")
    shown = site.read(here, by=ben)
    site.post(f"{here}/request-changes", by=ben, status=422, binding=binding(shown), reason=" ")
    form = {"binding": binding(shown), "reason": "say which tolls"}
    site.post(f"{here}/request-changes", form=form, by=ben)
    page = text(site.read(here, by=site.known("cat")))
    assert "ben asked for changes" in page
    assert "say which tolls" in page


def test_a_proposal_is_withdrawn_with_a_reason(site: Site) -> None:
    here, cat = "/proposals/{prompt_proposal}", site.known("cat")
    to = site.post(f"{here}/withdraw", by=cat, reason="not now")
    page = text(site.read(to, by=cat))
    assert "Say what the price includes withdrawn" in page
    assert "Your answer" not in page
    assert "Withdrawn" in site.read("/proposals?state=withdrawn")


def test_proposals_are_listed_by_state_and_by_artifact(shown: Site) -> None:
    every = text(shown.read("/proposals"))
    assert "2 open, 1 ready to merge" in every
    assert "Warmer letters" in every
    assert "Warmer letters" not in shown.read("/proposals?state=open")
    of_one = shown.read("/proposals?kind=prompt&name=house-tone")
    assert "Say it plainly" in of_one
    assert "Cheaper invoice matching" not in of_one
    assert "there is no proposal" in shown.read("/proposals/prp_none", status=404).lower()


def test_an_autonomous_artifact_is_told_to_take_a_release(site: Site) -> None:
    with site.api.db.write(ADMIN) as tx:
        for number in (1, 2):
            draft = ArtifactDraft(
                kind="agent", name="pilot", criticality=Criticality.AUTONOMOUS
            )
            registry.create_artifact(tx, draft, kinds=KINDS)
            spec = {"model": {"model": f"m{number}"}}
            registry.create_version(tx, "agent", "pilot", VersionDraft(spec=spec), kinds=KINDS)
        of = queries.artifact(tx, "agent", "pilot")
        registry.move_label(tx, of, "production", 1, how="import", reason="it serves")
        made = proposals.propose(
            tx, Ref("agent", "pilot", "2"), label="production", kinds=KINDS
        )
    page = text(site.read(f"/proposals/{made.id}"))
    assert "A release proves it on live traffic" in page
    assert "an autonomous artifact is promoted by a release" in page


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/prompts",
        "/prompts/house-tone",
        "/prompts/customs-classifier?at=3",
        "/prompts/customs-classifier/diff?a=1&b=3",
        "/prompts/customs-classifier/blame?at=3",
        "/prompts/customs-classifier/propose?at=3",
        "/prompts/house-tone/labels/staging/rollback",
        "/agents/customs-classifier?at=3",
        "/datasets/customs-classifier",
        "/proposals",
        "/proposals/{proposal}",
        "/proposals/{prompt_proposal}?line=3",
    ],
)
def test_every_page_holds(page: Page, shown: Site, base: str, path: str) -> None:
    holds(page, shown, base, path)


def _hostile(site: Site, actor: Actor) -> str:
    """A prompt and a proposal with something hostile in every place where people write."""
    whole = "\n".join(PAYLOADS).replace("\0", "")  # the journal holds none
    with site.api.db.write(actor) as tx:
        draft = ArtifactDraft(
            kind="prompt", name="hostile", owner=PAYLOADS[3], purpose=whole, tags=PAYLOADS
        )
        registry.create_artifact(tx, draft, kinds=KINDS)
        for ending in ("", " again"):
            spec = {"format": "text", "syntax": "literal", "text": whole + ending}
            made = VersionDraft(spec=spec, message=PAYLOADS[0] + whole, author=PAYLOADS[8])
            registry.create_version(tx, "prompt", "hostile", made, kinds=KINDS)
        registry.set_label(tx, "prompt", "hostile", "staging", 1, reason=whole)
        of = queries.artifact(tx, "prompt", "hostile")
        registry.move_label(tx, of, "production", 1, how="import", reason=whole)
        proposal = proposals.propose(
            tx,
            Ref("prompt", "hostile", "2"),
            label="production",
            title=PAYLOADS[1],
            description=whole,
            kinds=KINDS,
        )
    return proposal.id


@pytest.mark.browser
def test_hostile_text_stays_text(page: Page, shown: Site, base: str) -> None:
    proposal = _hostile(shown, ADMIN)
    sign_in(page, shown.person("admin"), base)
    watch = Watch(page, base)
    for path in (
        "/prompts",
        "/prompts/hostile",
        "/prompts/hostile/diff",
        "/prompts/hostile/propose?at=2",
        "/prompts/hostile/labels/staging/rollback",
        "/proposals",
        f"/proposals/{proposal}",
        "/audit",
        "/",
    ):
        page.goto(base + path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate(STRANGERS) == [], path
        assert page.url == base + path
    assert watch.dialogs == []
    assert watch.foreign == []
    assert watch.complaints == []


# Whatever in the page runs, loads or leads away, and was not put there by a template.
STRANGERS = """() => [...document.querySelectorAll("main *")].filter((node) => {
  const name = node.tagName.toLowerCase();
  if (name === "script") return node.type !== "application/json";
  if (/^(iframe|object|embed|img|video|link|meta|base|style|template|math|marquee)$/.test(name)) return true;
  return [...node.attributes].some(({ name: key, value }) => key.startsWith("on") || key === "formaction"
    || (["href", "src", "action"].includes(key) && !/^(#|\\/(?![\\/\\\\])|\\?|$)/.test(value)));
}).map((node) => node.outerHTML.slice(0, 200))"""
