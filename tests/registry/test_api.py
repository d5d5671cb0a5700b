"""The registry as callers meet it."""

from typing import Any

import pytest
from tests.api import Api, Caller


def text(words: str) -> dict[str, Any]:
    return {"format": "text", "text": words}


def make(caller: Caller, name: str, *texts: str, criticality: str = "assistive") -> None:
    caller.post("/v1/artifacts/prompt", {"name": name, "criticality": criticality})
    for words in texts:
        caller.post(f"/v1/artifacts/prompt/{name}/versions", {"spec": text(words)})


def test_a_version_is_stored_once_and_read_by_number_and_label(api: Api) -> None:
    author = api.program("author")
    make(author, "greeting", "Hello.", "Hello!")
    base = "/v1/artifacts/prompt/greeting"
    assert author.post(f"{base}/versions", {"spec": text("Hello!")})["number"] == 2
    assert author.get(f"{base}/versions/latest")["spec"]["text"] == "Hello!"
    author.put(f"{base}/labels/staging", {"number": 1, "reason": "try it"})
    assert author.get(f"{base}/versions/staging")["number"] == 1
    assert [v["number"] for v in author.get(f"{base}/versions")["items"]] == [2, 1]
    shown = author.get(base)
    assert shown["latest"]["number"] == 2
    assert [(one["label"], one["number"]) for one in shown["labels"]] == [("staging", 1)]


def test_lists_go_on_where_a_page_ends(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    for number in range(5):
        make(author, f"p{number}", "x")
    seen, after = [], ""
    while after is not None:
        page = author.get("/v1/artifacts/prompt", limit=2, after=after)
        seen += [one["artifact"]["name"] for one in page["items"]]
        after = page["next"]
    assert seen == ["p0", "p1", "p2", "p3", "p4"]
    found = author.get("/v1/artifacts/prompt", search="p3")["items"]
    assert [one["artifact"]["name"] for one in found] == ["p3"]


def test_a_label_goes_back_only_to_where_it_was(api: Api) -> None:
    author, operator = api.program("author"), api.program("operator")
    make(author, "greeting", "one", "two", "three", criticality="advisory")
    base = "/v1/artifacts/prompt/greeting"
    for number in (1, 2):
        opened = author.post("/v1/proposals", {"ref": f"prompt/greeting@{number}"})
        author.post(f"/v1/proposals/{opened['id']}/merge")
    rollback = f"{base}/labels/production/rollback"
    assert operator.post(rollback, {"reason": "it shouts"})["number"] == 1
    moves = author.get(f"{base}/label-history", label="production")
    assert [(one["how"], one["after"]) for one in moves] == [
        ("rollback", 1),
        ("merge", 2),
        ("merge", 1),
    ]
    refusal = operator.refused("POST", rollback, {"reason": "further", "to": 3})
    assert (refusal.code, refusal.exit_code) == ("never_labelled", 7)
    assert author.refused("POST", rollback, {"reason": "me"}).code == "may_not"


def test_production_moves_by_proposal_only(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    make(author, "greeting", "one")
    target = "/v1/artifacts/prompt/greeting/labels/production"
    refusal = author.refused("PUT", target, {"number": 1})
    assert (refusal.status, refusal.code, refusal.exit_code) == (403, "label_protected", 4)


def test_an_assistive_prompt_takes_somebody_else(api: Api) -> None:
    author, reviewer = api.person("author", name="ada"), api.person("reviewer", name="bob")
    make(author, "greeting", "Hello.")
    opened = author.post("/v1/proposals", {"ref": "prompt/greeting@1", "title": "first"})
    address = f"/v1/proposals/{opened['id']}"
    assert author.get(address)["missing"] == ["0 of 1 approvals"]
    refusal = author.refused("POST", f"{address}/merge")
    assert (refusal.status, refusal.code, refusal.exit_code) == (422, "proposal_not_ready", 3)
    answer = {"answer": "approve", "binding": reviewer.get(address)["binding"]}
    assert author.refused("POST", f"{address}/reviews", answer).code == "may_not"
    blind = reviewer.refused("POST", f"{address}/reviews", {"answer": "approve"})
    assert (blind.status, blind.code) == (422, "bad_request")
    stale = reviewer.refused("POST", f"{address}/reviews", {**answer, "binding": "0" * 64})
    assert (stale.status, stale.code) == (409, "proposal_moved")
    reviewer.post(f"{address}/reviews", {**answer, "reason": "polite"})
    assert author.post(f"{address}/merge")["number"] == 1
    shown = author.get(address)
    assert shown["proposal"]["state"] == "merged"
    assert [(one["approver"], one["answer"]) for one in shown["answers"]] == [
        ("bob", "approve")
    ]


def test_programs_do_not_approve(sqlite_api: Api) -> None:
    author, program = sqlite_api.person("author"), sqlite_api.program("reviewer", "admin")
    make(author, "greeting", "Hello.")
    opened = author.post("/v1/proposals", {"ref": "prompt/greeting@1"})
    address = f"/v1/proposals/{opened['id']}"
    answer = {"answer": "approve", "binding": program.get(address)["binding"]}
    refusal = program.refused("POST", f"{address}/reviews", answer)
    assert (refusal.status, refusal.code) == (403, "not_a_person")


def test_nobody_reports_a_check_from_outside(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    make(author, "greeting", "Hello.")
    opened = author.post("/v1/proposals", {"ref": "prompt/greeting@1"})
    shown = author.post(
        f"/v1/proposals/{opened['id']}/checks", {"name": "gate", "state": "passed"}
    )
    assert [check["name"] for check in shown["proposal"]["checks"]] == ["lint"]
    assert shown["proposal"]["revision"] == 1


def test_a_diff_says_which_words_changed(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    make(author, "greeting", "Say hello to the user.", "Say good morning to the user.")
    found = author.get("/v1/artifacts/prompt/greeting/diff", before="1", after="2")
    changed = [(one["op"], one["text"]) for one in found["spans"] if one["op"] != "equal"]
    assert changed == [("delete", "hello"), ("insert", "good morning")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/artifacts/nonsense", None, 422, "unknown_kind"),
        ("POST", "/v1/artifacts/nonsense", {"name": "x"}, 422, "unknown_kind"),
        ("POST", "/v1/artifacts/prompt", {"name": "../etc"}, 422, "bad_name"),
        ("POST", "/v1/artifacts/prompt", {"name": "x", "id": "art_1"}, 422, "bad_request"),
        ("POST", "/v1/artifacts/prompt", {"name": "known", "criticality": "advisory"}, 409, "artifact_exists"),
        ("GET", "/v1/artifacts/prompt/known/versions/7", None, 404, "version_not_found"),
        ("GET", "/v1/artifacts/prompt/unknown", None, 404, "artifact_not_found"),
        ("GET", "/v1/artifacts/prompt/known/versions/%40", None, 422, "bad_reference"),
        ("POST", "/v1/artifacts/prompt/known/versions", {"spec": {"format": "text", "text": "x", "colour": "red"}}, 422, "bad_spec"),
        ("POST", "/v1/artifacts/prompt/known/versions", {"spec": {"format": "text", "text": "{{ a"}}, 422, "prompt_template_broken"),
        ("POST", "/v1/artifacts/prompt/known/versions", {"spec": {"format": "text", "text": "x" * 10_000_000}}, 413, "prompt_too_large"),
        ("POST", "/v1/artifacts/prompt/known/versions", {"spec": {}, "author": "the king"}, 422, "bad_request"),
        ("PUT", "/v1/artifacts/prompt/known/labels/staging", {"number": 9}, 404, "version_not_found"),
        ("PUT", "/v1/artifacts/prompt/known/labels/latest", {"number": 1}, 422, "bad_name"),
        ("POST", "/v1/proposals", {"ref": "known@1"}, 422, "bad_reference"),
        ("GET", "/v1/proposals/prp_nothing", None, 404, "proposal_not_found"),
        ("GET", "/v1/artifacts/prompt?limit=0", None, 422, "bad_request"),
    ],
)  # fmt: skip
def test_bad_input_is_named(
    sqlite_api: Api, method: str, path: str, body: Any, status: int, code: str
) -> None:
    author = sqlite_api.program("author")
    make(author, "known", "x")
    refusal = author.refused(method, path, body)
    assert (refusal.status, refusal.code) == (status, code), refusal
    assert [
        one["number"] for one in author.get("/v1/artifacts/prompt/known/versions")["items"]
    ] == [1]


def test_what_belongs_to_others_looks_like_nothing(sqlite_api: Api) -> None:
    sqlite_api.project("other")
    theirs = sqlite_api.program("admin", project="other")
    make(theirs, "secret", "x")
    opened = theirs.post("/v1/proposals", {"ref": "prompt/secret@1"})
    mine = sqlite_api.program("admin")
    for path, missing in [
        ("/v1/artifacts/prompt/secret", "/v1/artifacts/prompt/missing"),
        ("/v1/artifacts/prompt/secret/versions/1", "/v1/artifacts/prompt/missing/versions/1"),
        (f"/v1/proposals/{opened['id']}", "/v1/proposals/prp_missing"),
    ]:
        foreign, absent = mine.refused("GET", path), mine.refused("GET", missing)
        assert (
            (foreign.status, foreign.code) == (absent.status, absent.code) == (404, absent.code)
        )
    assert mine.get("/v1/artifacts/prompt")["items"] == []
    assert mine.get("/v1/proposals")["items"] == []
