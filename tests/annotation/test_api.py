"""Review queues over HTTP, met by people who work and by one who wants to know too much."""

import json
from typing import Any

import pytest
from tests.api import Api, Caller
from tests.drift.world import work
from tests.pages import Site
from tests.telemetry import Room

LABELS = ["sound", "unsound", "unclear"]
SECRET = "because-of-the-harbour"


def opened(author: Caller, many: int, **given: Any) -> str:
    """A queue whose every task is labelled by two people."""
    draft = {"name": "Answers", "labels": LABELS, "second": 1.0, **given}
    queue: str = author.post("/v1/queues", draft)["id"]
    tasks = [
        {"subject": f"case/{n}", "input": f"question {n}", "output": f"answer {n}"}
        for n in range(many)
    ]
    assert author.post(f"/v1/queues/{queue}/tasks", {"tasks": tasks})["added"] == many
    return queue


def take(who: Caller, queue: str) -> Any:
    return who.post(f"/v1/queues/{queue}/next")["task"]


def say(who: Caller, queue: str, task: str, label: str, **more: Any) -> Any:
    return who.post(f"/v1/queues/{queue}/label", {"task": task, "label": label, **more})


def test_open_fill_label_look_take_away(api: Api) -> None:
    author, ben, cat = api.person("author"), api.person("reviewer"), api.person("risk")
    queue = opened(author, 2)
    assert take(author_as(api), queue)["input"] == "question 0"
    first = take(ben, queue)
    assert first["input"] == "question 1"  # the other one is before somebody else
    said = say(ben, queue, first["id"], "sound", reason="it is", revision=first["revision"])
    assert (said["state"], said["mine"]) == ("labelled", "sound")
    done = say(cat, queue, take(cat, queue)["id"], "sound")
    assert (done["state"], done["label"], len(done["labels"])) == ("settled", "sound", 2)
    (line,) = author.get("/v1/queues")["items"]
    assert (line["tasks"], line["settled"], line["mine"]) == (2, 1, 0)
    report = author.get(f"/v1/queues/{queue}")
    assert report["agreement"]["rate"] == 1.0
    assert report["agreement"]["interval"]["low"] < 0.5
    lines = author.send("GET", f"/v1/queues/{queue}/export").text.splitlines()
    (row,) = map(json.loads, lines)
    assert (row["subject"], row["label"], row["input"]) == ("case/1", "sound", "question 1")
    table = author.send("GET", f"/v1/queues/{queue}/export", params={"form": "csv"}).text
    assert "case/1" in table.splitlines()[1]
    stored = author.post(f"/v1/queues/{queue}/dataset", {"dataset": "sound-answers"})
    assert stored == {"version": "dataset/sound-answers@1", "items": 1, "left_out": 0}
    (item,) = author.get("/v1/datasets/sound-answers/items")["items"]
    assert item["input"] == {"input": "question 1", "answer": "answer 1"}
    assert (item["expected"], item["metadata"]) == ("sound", {"domain": "", "trace": ""})
    closed = author.post(f"/v1/queues/{queue}/close", {"note": "enough"})
    assert closed["state"] == "closed"
    refused = ben.refused("POST", f"/v1/queues/{queue}/next")
    assert (refused.status, refused.code) == (409, "queue_closed")


def author_as(api: Api) -> Caller:
    return api.person("reviewer", name="ria")


def test_items_of_a_dataset_are_put_before_people(sqlite_api: Api) -> None:
    author = sqlite_api.person("author", "reviewer")
    items = [
        {"id": "a", "input": "q1", "expected": "yes", "metadata": {"answered": "no"}},
        {"id": "b", "input": {"input": "q2", "answer": "a2"}, "expected": "pass"},
        {"id": "c", "input": {"text": "q3"}, "expected": "yes", "split": "train"},
    ]
    author.post("/v1/datasets/cases/versions", {"items": items})
    queue = author.post("/v1/queues", {"name": "Cases", "second": 0})["id"]
    where = f"/v1/queues/{queue}/tasks"
    assert author.post(where, {"dataset": "cases", "split": "test"})["added"] == 2
    assert author.post(where, {"dataset": "cases@1"})["added"] == 1
    found = author.get(where)["items"]
    assert [(one["input"], one["output"], one["context"]) for one in found] == [
        ("q1", "no", "expected: yes"),
        ("q2", "a2", "expected: pass"),
        ({"text": "q3"}, "yes", ""),
    ]
    assert author.get(where, limit=2)["next"] == 2
    assert author.refused("POST", where, {"dataset": "nothing"}).status == 404
    assert author.refused("POST", where, {"tasks": [{"subject": ""}]}).code == "bad_task"


def everything_told(who: Caller, queue: str, task: str, *, audits: bool) -> str:
    """Whatever somebody can find out about a task, from every door there is."""
    asked = [
        "/v1/queues",
        f"/v1/queues/{queue}",
        f"/v1/queues/{queue}/tasks",
        f"/v1/queues/{queue}/tasks?disputed=true",
        f"/v1/queues/{queue}/tasks?settled=true",
        f"/v1/queues/{queue}/tasks/{task}",
        f"/v1/queues/{queue}/export",
        f"/v1/queues/{queue}/export?form=csv",
        "/v1/journal?limit=100" if audits else "",
        "/queues",
        f"/queues/{queue}",
        f"/queues/{queue}/tasks/{task}",
        f"/queues/{queue}/next",
        "/audit" if audits else "",
        "/",
    ]
    told = ""
    for path in filter(None, asked):
        html = {} if path.startswith("/v1/") else {"Accept": "text/html"}
        answer = who.send("GET", path, headers=html)
        assert answer.status_code in {200, 403}, (path, answer.text)
        told += answer.text
    return told


def test_an_attacker_learns_no_label_before_giving_one(sqlite_api: Api) -> None:
    """Somebody with every permission, on every door, before their own label and while others
    disagree; and so do programs, which never label.
    """
    author = sqlite_api.person("author")
    ben, cat = sqlite_api.person("reviewer", name="ben"), sqlite_api.person("risk", name="cat")
    eve, token = sqlite_api.person("admin", name="eve"), sqlite_api.program("admin")
    queue = opened(author, 1, labels=["lab-one", "lab-two", "lab-three"])
    first = take(ben, queue)
    labels = ("lab-one", "lab-two", "lab-three")
    before = {
        who.name: {one: everything_told(who, queue, first["id"], audits=True).count(one) for one in labels}
        for who in (eve, token)
    }  # fmt: skip

    def learnt(who: Caller) -> dict[str, int]:
        told = everything_told(who, queue, first["id"], audits=True)
        assert SECRET not in told
        more = {one: told.count(one) - before[who.name][one] for one in labels}
        # The form names every label once it is open; it names none more than the others.
        assert len(set(more.values())) == 1, more
        return more

    view = take(eve, queue)
    assert view is None  # ben has it before him
    say(ben, queue, first["id"], "lab-two", reason=SECRET)
    for who in (eve, token):
        learnt(who)
        assert who.get(f"/v1/queues/{queue}/tasks/{first['id']}")["state"] == "waiting"
    answer = say(cat, queue, first["id"], "lab-three", reason=SECRET)
    assert answer["state"] == "disputed"
    assert [one["label"] for one in answer["labels"]] == ["lab-two", "lab-three"]
    for who in (eve, token):
        learnt(who)
    held = take(eve, queue)
    assert (held["state"], held["labels"], held["mine"]) == ("disputed", [], None)
    learnt(eve)
    refused = token.refused("POST", f"/v1/queues/{queue}/label", {"task": held["id"], "label": labels[0]})  # fmt: skip
    assert (refused.status, refused.code) == (403, "labeller_is_a_program")
    refused = token.refused("POST", f"/v1/queues/{queue}/next")
    assert refused.code == "labeller_is_a_program"
    done = say(eve, queue, held["id"], "lab-one")
    assert [one["label"] for one in done["labels"]] == ["lab-two", "lab-three", "lab-one"]
    assert SECRET in everything_told(token, queue, first["id"], audits=True)


@pytest.mark.parametrize("role", ["viewer", "author"])
def test_only_reviewers_label_and_only_authors_fill(sqlite_api: Api, role: str) -> None:
    queue = opened(sqlite_api.person("author"), 1)
    who = sqlite_api.person(role)
    for path, body in (
        ("next", None),
        ("label", {"task": "tsk_1", "label": "sound"}),
        ("skip", {"task": "tsk_1", "reason": "no"}),
    ):
        assert who.refused("POST", f"/v1/queues/{queue}/{path}", body).code == "may_not"
    reviewer = sqlite_api.person("reviewer")
    for path, body in (("sample", {}), ("tasks", {}), ("close", {"note": "x"})):
        assert reviewer.refused("POST", f"/v1/queues/{queue}/{path}", body).code == "may_not"


def test_skipping_over_http(sqlite_api: Api) -> None:
    queue = opened(sqlite_api.person("author"), 1)
    ben = sqlite_api.person("reviewer")
    held = take(ben, queue)
    body = {"task": held["id"], "reason": ""}
    assert ben.refused("POST", f"/v1/queues/{queue}/skip", body).code == "reason_missing"
    ben.post(f"/v1/queues/{queue}/skip", {"task": held["id"], "reason": "I know them"})
    assert take(ben, queue) is None
    other = sqlite_api.person("reviewer").get(f"/v1/queues/{queue}/tasks")["items"][0]
    assert other["skips"] == []


def test_a_draw_over_http(sqlite_api: Api, room: Room) -> None:
    sqlite_api.app.state.traces = room.traces
    sqlite_api.project(room.project)
    work(room, sqlite_api.db.clock.now(), a_day=10)
    author = sqlite_api.program("author", project=room.project)
    source = {"how": "random", "agent": "clerk", "hours": 24, "seed": "7"}
    made = author.post("/v1/queues", {"name": "Any", "source": source, "target": 3})
    drawn = author.post(f"/v1/queues/{made['id']}/sample", {})
    assert (drawn["population"], drawn["drawn"], drawn["added"]) == (10, 3, 3)
    again = author.post(f"/v1/queues/{made['id']}/sample", {"size": 6})
    assert (again["drawn"], again["added"]) == (6, 3)
    refused = author.refused("POST", f"/v1/queues/{made['id']}/sample", {"size": 501})
    assert refused.code == "bad_queue"
    bad = {"name": "Bad", "source": {"how": "random", "q": "nonsense:1"}}
    assert author.refused("POST", "/v1/queues", bad).code == "bad_trace_filter"


def test_the_sample_of_a_release_is_one_of_the_queues(site: Site) -> None:
    ben = site.known("ben")
    release = site.ids.review
    (line, *_) = ben.get("/v1/queues")["items"]
    assert (line["id"], line["kind"], line["tasks"], line["settled"]) == (
        release, "release", 20, 7,
    )  # fmt: skip
    assert line["mine"] == 13
    found = take(ben, release)
    said = say(ben, release, found["id"], "not good", reason="too dear")
    assert (said["state"], said["label"]) == ("settled", "not good")
    pairs = ben.get(f"/v1/releases/{release}/sample")
    (judged,) = [one for one in pairs if one["pair"]["key"] == found["id"]]
    assert (judged["good"], judged["judged_by"], judged["reason"]) == (False, "ben", "too dear")
    body = {"task": take(ben, release)["id"], "label": "good"}
    path = f"/v1/queues/{release}/label"
    ana = site.person("author", "reviewer", name="ana")  # who started the release
    assert ana.refused("POST", path, body).code == "judge_is_author"
    assert site.api.program("reviewer").refused("POST", path, body).code == "judge_is_a_program"
    assert ben.refused("POST", path, {**body, "label": "fine"}).code == "bad_label"
    assert ben.refused("POST", "/v1/queues/rel_nothing/next").code == "release_not_found"
