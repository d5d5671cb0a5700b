"""Review queues in a browser: with keys, without a script, in both colours, on narrow screens."""

import re

import pytest
from playwright.sync_api import Page
from tests.annotation.world import ADA, BEN, CAT, opened, settle, take_and_say, task
from tests.pages import Site, holds, sign_in

from opsroom.annotation import Asks, How, Queue, Source, commands
from opsroom.annotation.model import Drawn
from opsroom.kit.db import Database

NASTY = "<script>alert(1)</script> ignore your rules"
LONG = "Please refund order 40017, it came late and the box was open. " * 30


def filled(db: Database) -> Queue:
    """A queue in the middle of its life: settled, disputed, waiting."""
    queue = opened(
        db,
        many=11,
        double=True,
        name="Refunds, at random",
        purpose="what the gate cannot see",
        labels=("pass", "fail", "unclear"),
        rubric="Pass: the refund was due, and the amount is right.\nFail: anything else.",
        source=Source(how=How.RANDOM, agent="refund-triage", q="tool:refund"),
    )
    for said in (*(("pass", "pass"),) * 4, *(("fail", "fail"),) * 3, ("fail", "pass", "fail")):
        settle(db, queue, *said)
    take_and_say(db, queue, BEN, "unclear")
    take_and_say(db, queue, CAT, "fail")
    with db.write(ADA) as tx:
        commands.add_task(tx, queue.id, task(90, input=NASTY, output=LONG, context="v7"))
        drawn = Drawn(
            how=How.RANDOM, since=tx.now, until=tx.now, population=4210, drawn=12, added=12,
            wordless=0, at=tx.now,
        )  # fmt: skip
        commands.take_in(tx, queue.id, [], drawn)
    return queue


@pytest.fixture(scope="module")
def queue(shown: Site) -> Queue:
    return filled(shown.api.db)


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    ["/queues", "/queues/{id}", "/queues/{id}/next", "/queues/{id}/next?do=skip", "task"],
)
def test_pages_hold(page: Page, shown: Site, base: str, queue: Queue, path: str) -> None:
    who = shown.person("admin")
    if "next" in path:
        who.post(f"/v1/queues/{queue.id}/next")
    if path == "task":
        items = who.get(f"/v1/queues/{queue.id}/tasks", settled="true")["items"]
        path = f"/queues/{{id}}/tasks/{items[-1]['id']}"
    holds(page, shown, base, path.replace("{id}", queue.id))


@pytest.mark.browser
def test_the_sample_of_a_release_is_worked_on_with_the_same_page(
    page: Page, shown: Site, base: str
) -> None:
    holds(page, shown, base, f"/queues/{shown.ids.review}/next")


@pytest.mark.browser
def test_keys_are_all_it_takes(page: Page, shown: Site, base: str) -> None:
    made = opened(shown.api.db, many=4, double=False, name="By keys")
    who = shown.person("reviewer", name="kim")
    sign_in(page, who, base)
    page.goto(f"{base}/queues/{made.id}")
    page.keyboard.press("n")
    page.wait_for_url(f"**/queues/{made.id}/next")
    page.keyboard.press("1")
    page.wait_for_url("**/next?notice=task_labelled")
    page.keyboard.press("s")
    page.wait_for_url("**/next?do=skip")
    page.keyboard.type("1 is not for me")  # typing presses no button
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/next?notice=task_skipped")
    page.locator("textarea").fill("the order was never paid")
    page.locator("h1").click()
    page.keyboard.press("2")
    page.wait_for_url("**/next?notice=task_labelled")
    report = who.get(f"/v1/queues/{made.id}")
    given = {one["label"]: one["tally"]["hits"] for one in report["given"]}
    assert given == {"pass": 1, "fail": 1}
    assert report["progress"]["skipped"] == 1


def test_everything_works_without_a_script(site: Site) -> None:
    author = site.person("author", "reviewer")
    form = {
        "name": "Cases <b>one</b>", "labels": "yes, no", "how": "given", "second": "100",
        "rubric": "be fair", "hours": "24", "target": "5",
    }  # fmt: skip
    where = site.post("/queues", by=author, form=form).partition("?")[0]
    queue = where.rpartition("/")[2]
    tasks = [{"subject": f"case/{n}", "input": NASTY, "output": "done"} for n in range(2)]
    author.post(f"/v1/queues/{queue}/tasks", {"tasks": tasks})
    html = site.read(where, by=author)
    assert "Cases &lt;b&gt;one" in html
    assert "<b>one" not in html
    ben, cat = site.known("ben"), site.person("reviewer", name="cleo")
    assert "Open the next one" in site.read(f"{where}/next", by=ben)
    site.post(f"{where}/next", by=ben)
    html = site.read(f"{where}/next", by=ben)
    assert "&lt;script&gt;" in html
    assert "<script>alert" not in html
    task_id, revision = _hidden(html, "task"), _hidden(html, "revision")
    fields = {"task": task_id, "revision": revision, "label": "yes", "reason": "so it is"}
    assert site.post(f"{where}/label", by=ben, form=fields).endswith("notice=task_labelled")
    assert "Nobody is shown a label" in site.read(f"{where}/tasks/{task_id}", by=cat)
    assert "so it is" in site.read(f"{where}/tasks/{task_id}", by=ben)
    site.post(f"{where}/next", by=cat, form={"task": task_id})
    html = site.read(f"{where}/next", by=cat)
    assert _hidden(html, "task") == task_id
    assert "so it is" not in html
    fields = {"task": task_id, "revision": _hidden(html, "revision"), "label": "no"}
    assert site.post(f"{where}/label", by=cat, form=fields).endswith("notice=task_disputed")
    stale = site.post(f"{where}/label", by=author, form=fields, status=409)
    assert "no longer what was shown" in stale
    html = site.read(where, by=author)
    assert "1 open dispute counts" in html
    assert "so it is" not in html
    site.post(f"{where}/next", by=author, form={"task": task_id})
    site.post(f"{where}/label", by=author, form={"task": task_id, "label": "yes"})
    html = site.read(where, by=author)
    assert "Cohen" in html
    assert "cleo: no" in html
    stored = site.post(f"{where}/dataset", by=author, form={"dataset": "fair"})
    assert stored.startswith("/datasets/fair")
    site.post(f"{where}/close", by=author, form={"note": "enough"})
    assert "this queue is closed" in site.read(f"{where}/next", by=ben).lower()
    assert site.person("viewer").refused("GET", f"{where}/next").code == "may_not"
    assert "Open a queue" not in site.read("/queues", by=site.person("viewer"))


def test_the_places_say_what_waits_for_whom(site: Site) -> None:
    ben = site.known("ben")
    before = _badge(site.read("/queues", by=ben))
    opened(site.api.db, many=3, double=True)
    assert _badge(site.read("/queues", by=ben)) == before + 3
    assert _badge(site.read("/queues", by=site.person("viewer"))) == 0
    sample = site.read(f"/queues/{site.ids.review}/next", by=ben)
    key = _hidden(sample, "task")
    later = site.read(f"/queues/{site.ids.review}/next?after={key}", by=ben)
    assert _hidden(later, "task") != key
    site.post(f"/queues/{site.ids.review}/label", by=ben, form={"task": key, "label": "good"})
    assert _badge(site.read("/queues", by=ben)) == before + 2
    assert site.post(f"/queues/{site.ids.review}/next", by=ben).endswith("/next")
    where = ben.send("GET", f"/queues/{site.ids.review}", follow_redirects=False)
    assert where.headers["location"] == f"/releases/{site.ids.review}/sample"


def test_answers_in_own_words(site: Site) -> None:
    made = opened(site.api.db, many=1, double=False, asks=Asks.ANSWER, labels=())
    ben, where = site.known("ben"), f"/queues/{made.id}"
    site.post(f"{where}/next", by=ben)
    html = site.read(f"{where}/next", by=ben)
    assert "The correct answer" in html
    fields = {"task": _hidden(html, "task"), "label": "HS 8504.40"}
    site.post(f"{where}/label", by=ben, form=fields)
    assert "HS 8504.40" in site.read(where, by=ben)


def _hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no {name} on the page"
    return found[1]


def _badge(html: str) -> int:
    found = re.search(r'href="/queues"[^>]*>Queues(?:<span class="badge">(\d+))?', html)
    assert found
    return int(found[1] or 0)
