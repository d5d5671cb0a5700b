"""Improvement over HTTP, on pages and in the terminal, with a model behind an address."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from tests.api import Api
from tests.conftest import MakeActor
from tests.improvement.world import CANARY, CASES, DATASET, desk, plan, with_canaries

from opsroom.app.kinds import KINDS
from opsroom.app.models import ConfiguredModels
from opsroom.app.settings import Settings
from opsroom.corrections.reactions import reactions as corrections
from opsroom.datasets.model import split_of
from opsroom.evals.measure import Measurement, measure
from opsroom.improvement.cli import _candidates, _issues, _list, _one
from opsroom.improvement.model import Method
from opsroom.improvement.running import LOOP, Driver, reactions
from opsroom.inbox import overriding
from opsroom.inbox.model import OverrideDraft
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor
from opsroom.kit.wire import plain
from opsroom.simulator import goods
from opsroom.simulator.apprentice import Apprentices
from opsroom.simulator.endpoint import Endpoint

SEARCHES = "/v1/improvements"


@pytest.fixture
def there() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def office(sqlite_api: Api, actor: Actor) -> Api:
    """The application with the desk in it, and apprentices for models."""
    desk(sqlite_api.db, actor, items=with_canaries(goods.cases(count=CASES)))
    sqlite_api.app.state.models = Apprentices()
    return sqlite_api


def wanted(method: Method = Method.EXAMPLES, **more: Any) -> dict[str, Any]:
    return {"plan": plain(plan(method, max_examples=4, **more)), "inline": True}


def test_a_search_from_start_to_proposal_over_an_address(office: Api, there: Endpoint) -> None:
    settings = Settings(model_url=there.url, allowed_hosts=(there.host,))
    office.app.state.models = ConfiguredModels(replace(settings, clock=office.db.clock))
    author, viewer = office.program("author"), office.program("viewer")
    assert viewer.refused("POST", SEARCHES, wanted()).status == 403
    found = author.post(SEARCHES, wanted())
    assert (found["state"], found["base"]) == ("queued", "prompt/customs@1")
    done = author.post(f"{SEARCHES}/{found['id']}/run")
    assert done["state"] == "finished"
    assert done["spent"]["calls"] == len(there.asked)
    assert not any(CANARY in str(body["messages"]) for body in there.asked)
    assert viewer.get(f"/v1/proposals/{done['proposal']}")["proposal"]["state"] == "open"
    tried = viewer.get(f"{SEARCHES}/{done['id']}/candidates", limit=2)
    rest = viewer.get(f"{SEARCHES}/{done['id']}/candidates", after=tried["next"])
    assert [one["number"] for one in tried["items"] + rest["items"]] == [0, 1, 2]
    listed = viewer.get(SEARCHES, target="prompt/customs")
    assert [one["id"] for one in listed["items"]] == [done["id"]]
    assert viewer.get(SEARCHES, target="prompt/other")["items"] == []
    again = author.post(f"{SEARCHES}/{found['id']}/run")
    assert again == done
    refused = author.refused("POST", f"{SEARCHES}/{found['id']}/stop", {})
    assert (refused.status, refused.code) == (409, "improvement_over")
    assert author.refused("GET", f"{SEARCHES}/imp_nobody").code == "improvement_not_found"
    text = _one(done) + _candidates(tried["items"]) + _list(listed["items"])
    assert f"proposed as {done['version']}" in text
    assert "better" in text


def test_what_is_wrong_with_a_plan_is_said(office: Api) -> None:
    author = office.program("author")
    for body, code in (
        (wanted(Method.PARAMETERS), "bad_improvement_plan"),
        (wanted(dataset="nobody"), "artifact_not_found"),
        (wanted(base="7"), "version_not_found"),
        (wanted(label="La Bel"), "bad_name"),
    ):
        refused = author.refused("POST", SEARCHES, body)
        assert refused.code == code
        assert refused.hint


def test_the_journal_tells_of_searches_in_words(office: Api) -> None:
    author = office.program("author")
    found = author.post(SEARCHES, wanted())
    author.post(f"{SEARCHES}/{found['id']}/run")
    author.post(f"{SEARCHES}/{author.post(SEARCHES, wanted())['id']}/stop")
    with office.db.read(office.actor()) as tx:
        told = [tell(one) for one, _ in journal.entries(tx, limit=200)]
    titles = " | ".join(one.title for one in told)
    assert "began to search for something better than customs@1" in titles
    assert "a search found something for prompt customs and proposes it" in titles
    assert "stopped a search for prompt customs" in titles
    assert any(one.href == f"/improvements/{found['id']}" for one in told)


def test_a_loop_is_begun_for_what_is_not_carried_out_inline(office: Api) -> None:
    begun: list[tuple[str, str]] = []

    class Loops:
        def begin(self, loop: str, key: str) -> None:
            begun.append((loop, key))

    author = office.program("author")
    author.post(SEARCHES, wanted())
    queued = author.post(SEARCHES, wanted() | {"inline": False})
    (reaction,) = reactions(Loops())  # type: ignore[arg-type]
    with office.db.read(office.actor()) as tx:
        for entry, _ in journal.entries(tx, limit=200):
            if entry.event in reaction.events:
                reaction.react(tx, entry)
    assert begun == [(LOOP, queued["id"])]


def test_pages_show_the_tree_the_difference_and_what_to_do_next(office: Api) -> None:
    person, viewer = office.person("author"), office.person("viewer")
    assert "No search yet" in viewer.send("GET", "/improvements").text
    assert "Start a search" not in viewer.send("GET", "/improvements").text
    form = {
        "target": "prompt/customs",
        "method": "examples",
        "dataset": DATASET,
        "model": "apprentice",
        "base": "1",
        "max_calls": "400",
    }
    html = {"Accept": "text/html"}
    sent = person.send("POST", "/improvements", data=form, headers=html, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    where = sent.headers["location"].partition("?")[0]
    assert "It is at work" in person.send("GET", where).text
    refused = person.refused("POST", f"/v1{where}/run")
    assert (refused.status, refused.code) == (409, "improvement_in_background")
    Driver(office.db, office.app.state.models, KINDS).look(where.rpartition("/")[2])
    shown = person.send("GET", where).text
    assert "Better than the base" in shown
    assert "nothing was promoted" in shown
    assert "<ins>" in shown
    assert "└ 1" in shown
    command = re.search(r"opsroom eval gate [^<]+", shown)
    assert command is not None
    assert "--split test --source apprentice" in unescape(command[0])
    assert "The base" in person.send("GET", f"{where}?show=0").text
    assert person.send("GET", f"{where}?show=150").status_code == 200
    assert where.rpartition("/")[2] in person.send("GET", "/improvements").text
    assert office.person("admin", project="default").send("GET", where).status_code == 200


def test_a_search_is_stopped_from_its_page(office: Api) -> None:
    person = office.person("author")
    found = person.post(SEARCHES, wanted())
    path = f"/improvements/{found['id']}"
    assert ">Stop<" in person.send("GET", path).text
    sent = person.send(
        "POST", f"{path}/stop", headers={"Accept": "text/html"}, follow_redirects=False
    )
    assert sent.status_code == 303
    page = person.send("GET", path).text
    assert "Stopped by" in page
    assert ">Stop<" not in page


def test_issues_come_from_runs_and_from_what_people_decided_otherwise(
    office: Api, make_actor: MakeActor
) -> None:
    ops = make_actor("operator", name="ola")
    wanted = Measurement(
        subject="prompt/customs@1", dataset=DATASET, split="selection", source="apprentice"
    )
    measured = measure(office.db, make_actor("author"), wanted, models=Apprentices())
    viewer = office.program("viewer")
    found = viewer.get(f"{SEARCHES}/issues", agent="prompt/customs")
    assert found["found"]["evaluation"] == sum(one["size"] for one in found["issues"])
    biggest = found["issues"][0]
    assert "instead of" in biggest["name"]
    assert biggest["section"] is None  # the prompt says nothing about goods
    assert "instead of" in _issues(found)
    same = viewer.get(f"{SEARCHES}/issues", agent="customs", run=measured.id)
    assert same["issues"] == found["issues"]
    with office.db.write(ops) as tx:
        for number in range(3):
            draft = OverrideDraft(
                subject=f"turn/{number}",
                agent="customs",
                agent_decision="3923",
                human_decision="8539",
                reasoning="tubes that give light are lamps, not plastic",
            )
            overriding.override(tx, draft)
        for question in (f"a lamp of kind {number}" for number in range(50)):
            if split_of(digest(question)) == "test":
                held_out = OverrideDraft(
                    subject="turn/9",
                    agent="customs",
                    agent_decision="3923",
                    human_decision="8539",
                    asked=question,
                    reasoning=CANARY,
                )
                overriding.override(tx, held_out)
    found = viewer.get(f"{SEARCHES}/issues", agent="customs")
    assert found["found"] == {"override": 3}
    assert [one["size"] for one in found["issues"]] == [3]
    page = office.person("viewer").send("GET", "/improvements/issues?agent=customs").text
    assert "tubes that give light" in page
    unseen = measure(
        office.db, make_actor("author"), replace(wanted, split="test"), models=Apprentices()
    )
    refused = viewer.refused("GET", f"{SEARCHES}/issues?agent=customs&run={unseen.id}")
    assert refused.code == "held_out_run"
    for name in ("prompt/customs", "customs"):
        assert CANARY not in viewer.send("GET", f"{SEARCHES}/issues?agent={name}").text
    outbox.pump(office.db, corrections(KINDS))  # what corrections say of them is the same
    again = viewer.get(f"{SEARCHES}/issues", agent="customs")
    assert again["found"] == {"override": 3}
