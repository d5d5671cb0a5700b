"""The journal as callers meet it."""

import json

import pytest
from tests.api import Api

from opsroom.journal import verify_journal as stranger
from opsroom.journal.files import parse
from opsroom.journal.model import verify


def test_what_happened_is_listed_newest_first(api: Api) -> None:
    admin = api.program("admin")
    for name in ("ada", "bob", "eve"):
        admin.post("/v1/users", {"name": name, "roles": ["viewer"]})
    page = admin.get("/v1/journal", event="user.created", limit=2)
    assert [one["entry"]["subject"] for one in page["items"]] == ["user/eve", "user/bob"]
    rest = admin.get("/v1/journal", event="user.created", limit=2, before=page["next"])
    assert [one["entry"]["subject"] for one in rest["items"]] == ["user/ada"]
    assert (
        admin.get("/v1/journal", subject="user/bob")["items"][0]["entry"]["actor"] == admin.name
    )


def test_an_export_verifies_elsewhere(api: Api) -> None:
    admin = api.program("admin")
    admin.post("/v1/users", {"name": "ada", "roles": ["viewer"]})
    exported = admin.send("GET", "/v1/journal/export")
    assert exported.headers["content-type"] == "application/jsonl"
    head = verify(parse(exported.text.splitlines(), "export"))
    assert admin.get("/v1/journal/head") == {"seq": head.seq, "hash": head.hash}
    assert admin.post("/v1/journal/verify") == {"seq": head.seq, "hash": head.hash}


def test_a_head_that_was_kept_is_held_against_the_chain(sqlite_api: Api) -> None:
    admin = sqlite_api.program("admin")
    kept = admin.get("/v1/journal/head")
    admin.post("/v1/users", {"name": "ada", "roles": ["viewer"]})
    assert admin.post("/v1/journal/verify", kept)["seq"] > kept["seq"]
    ahead = {"seq": kept["seq"] + 100, "hash": kept["hash"]}
    refusal = admin.refused("POST", "/v1/journal/verify", ahead)
    assert (refusal.code, refusal.exit_code) == ("chain_broken", 3)


def test_news_have_a_number(sqlite_api: Api) -> None:
    agent = sqlite_api.program("agent")
    assert agent.get("/v1/journal/latest?event=user.created&event=label.moved") == {"seq": 0}
    sqlite_api.program("admin").post("/v1/users", {"name": "ada", "roles": ["viewer"]})
    assert agent.get("/v1/journal/latest?event=user.created&event=label.moved")["seq"] > 0


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "before=0", "before=x"])
def test_a_page_has_bounds(sqlite_api: Api, query: str) -> None:
    assert (
        sqlite_api.program("risk").refused("GET", f"/v1/journal?{query}").code == "bad_request"
    )


def test_other_projects_are_not_listed(sqlite_api: Api) -> None:
    sqlite_api.project("other")
    sqlite_api.program("admin", project="other").post("/v1/users", {"name": "eve", "roles": []})
    listed = sqlite_api.program("risk").get("/v1/journal", limit=1000)
    assert "user/eve" not in json.dumps(listed)


def test_checkpoints_and_proofs(api: Api) -> None:
    risk, admin = api.program("risk"), api.program("admin")
    assert risk.get("/v1/journal/key") == {"key": ""}
    assert risk.refused("GET", "/v1/journal/checkpoint").code == "no_checkpoint"
    signed = risk.post("/v1/journal/checkpoint")
    assert risk.get("/v1/journal/checkpoint") == signed
    assert risk.get("/v1/journal/key") == {"key": signed["key"]}
    key = stranger.read_key(signed["key"])
    was = stranger.read_checkpoint(signed["note"], key)
    admin.post("/v1/users", {"name": "ada", "roles": ["viewer"]})
    seq = admin.get("/v1/journal", event="user.created")["items"][0]["entry"]["seq"]
    assert risk.refused("GET", f"/v1/journal/proofs/entry?seq={seq}").code == "no_checkpoint"
    now = stranger.read_checkpoint(risk.post("/v1/journal/checkpoint")["note"], key)
    proof = risk.get("/v1/journal/proofs/entry", seq=seq)
    assert stranger.check_entry(json.dumps(proof), now) == seq
    grown = risk.get("/v1/journal/proofs/growth", first=was.size)
    path = [bytes.fromhex(one) for one in grown["path"]]
    stranger.check_consistency(was.size, now.size, path, was.root, now.root)


def test_entries_of_other_projects_are_not_proven(sqlite_api: Api) -> None:
    sqlite_api.project("other")
    elsewhere = sqlite_api.program("admin", project="other")
    elsewhere.post("/v1/users", {"name": "eve", "roles": []})
    seq = elsewhere.get("/v1/journal", event="user.created")["items"][0]["entry"]["seq"]
    sqlite_api.program("admin").post("/v1/journal/checkpoint")
    assert elsewhere.get("/v1/journal/proofs/entry", seq=seq)["seq"] == seq
    refused = sqlite_api.program("risk").refused("GET", f"/v1/journal/proofs/entry?seq={seq}")
    assert refused.code == "no_entry"
