"""The inbox over HTTP: what waits, answering, waiting for an answer, overrides."""

import threading
import time
from datetime import timedelta

from tests.api import Api
from tests.inbox.world import BEN, asked, look, say

from opsroom.access import commands as access
from opsroom.inbox import Risk, State
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor

BASE = "/v1/inbox"


def test_a_request_is_listed_read_and_answered(api: Api) -> None:
    request = asked(api.db)
    ben = api.person("reviewer", name="ben")
    page = ben.get(BASE, mine=True)
    assert [one["request"]["id"] for one in page["items"]] == [request.id]
    seen = ben.get(f"{BASE}/{request.id}")
    assert (seen["shown"], seen["why_not"], seen["word"]) == (request.binding, "", "")
    done = ben.post(f"{BASE}/{request.id}/approve", {"binding": seen["shown"]})
    assert done["request"]["state"] == "approved"
    assert done["approved_by"] == ["ben"]
    assert ben.get(BASE)["items"] == []
    over = ben.get(BASE, state="approved")["items"]
    assert [one["request"]["answers"][0]["by"] for one in over] == ["ben"]
    back = ben.post(f"{BASE}/{request.id}/undo")
    assert back["request"]["state"] == "pending"
    assert back["shown"] != seen["shown"]


def test_an_answer_to_something_stale_is_a_conflict(api: Api) -> None:
    request = asked(api.db)
    ben = api.person("reviewer", name="ben")
    refusal = ben.refused("POST", f"{BASE}/{request.id}/approve", {"binding": "0" * 64})
    assert (refusal.status, refusal.code, refusal.exit_code) == (409, "request_moved", 7)


def test_every_answer_has_its_own_door(api: Api, clock: ManualClock) -> None:
    ben = api.person("reviewer", name="ben")
    api.person("operator", name="cat")
    for verb, body, state in (
        ("reject", {"reason": "no"}, "rejected"),
        ("respond", {"text": "ask first"}, "responded"),
        ("approve", {"reason": "fine"}, "approved"),
    ):
        request = asked(api.db, subject=f"action/{verb}")
        done = ben.post(f"{BASE}/{request.id}/{verb}", {"binding": request.shown, **body})
        assert done["request"]["state"] == state
    request = asked(api.db, subject="action/other")
    assert (
        ben.post(f"{BASE}/{request.id}/hand-over", {"to": "cat"})["request"]["assignee"]
        == "cat"
    )
    until = (clock.now() + timedelta(hours=1)).isoformat()
    done = ben.post(f"{BASE}/{request.id}/snooze", {"until": until})
    assert done["request"]["snoozed_until"] is not None


def test_high_risk_needs_a_word_over_http_too(api: Api) -> None:
    request = asked(api.db, risk=Risk.HIGH)
    ben = api.person("reviewer", name="ben")
    path, body = f"{BASE}/{request.id}/approve", {"binding": request.shown}
    refusal = ben.refused("POST", path, {**body, "typed": "post_invoice"})
    assert (refusal.status, refusal.code) == (422, "care_needed")
    seen = ben.post(f"{BASE}/{request.id}/open", {"evidence": True})
    assert (seen["word"], seen["evidence_opened"]) == ("post_invoice", True)
    assert ben.refused("POST", path, body).code == "care_needed"
    assert ben.post(path, {**body, "typed": seen["word"]})["request"]["state"] == "approved"


def test_unknown_fields_are_refused(sqlite_api: Api) -> None:
    request = asked(sqlite_api.db)
    ben = sqlite_api.person("reviewer", name="ben")
    body = {"binding": request.shown, "approved_by": "root"}
    assert ben.refused("POST", f"{BASE}/{request.id}/approve", body).status == 422


def test_other_projects_and_other_agents_see_nothing(api: Api) -> None:
    request = asked(api.db)
    api.project("elsewhere")
    stranger = api.person("admin", project="elsewhere")
    missing = stranger.refused("GET", f"{BASE}/inb_none")
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/open", {}),
        ("POST", "/approve", {"binding": request.shown}),
        ("POST", "/edit", {"binding": request.shown, "arguments": {}, "reason": "x"}),
        ("POST", "/reject", {"binding": request.shown, "reason": "x"}),
        ("POST", "/respond", {"binding": request.shown, "text": "x"}),
        ("POST", "/hand-over", {"to": "risk"}),
        ("POST", "/snooze", {"until": "2026-11-20T01:00:00Z"}),
        ("POST", "/undo", None),
        ("POST", "/probe", None),
    ):
        refusal = stranger.refused(method, f"{BASE}/{request.id}{path}", body)
        assert (refusal.status, refusal.code) == (404, missing.code), path
    assert stranger.get(BASE)["items"] == []
    with api.db.write(Actor("system", "default", human=False)) as tx:
        _, mine = access.issue_token(tx, "clerk", ("agent",), agent="clerk")
        _, other = access.issue_token(tx, "other", ("agent",), agent="other")
    for secret, status in ((mine, 200), (other, 404)):
        answer = api.client.get(
            f"{BASE}/{request.id}", headers={"Authorization": f"Bearer {secret}"}
        )
        assert answer.status_code == status, answer.text


def test_programs_do_not_answer(sqlite_api: Api) -> None:
    request = asked(sqlite_api.db)
    for roles in (("agent",), ("reviewer",), ("admin",)):
        program = sqlite_api.program(*roles)
        path = f"{BASE}/{request.id}/approve"
        assert program.refused("POST", path, {"binding": request.shown}).status == 403
    assert look(sqlite_api.db, request).state is State.PENDING


def test_waiting_ends_with_the_answer(api: Api) -> None:
    request = asked(api.db)
    agent = api.program("agent")
    api.app.state.closing.clear()
    began = time.monotonic()
    assert agent.get(f"{BASE}/{request.id}", wait=0.6)["request"]["state"] == "pending"
    assert time.monotonic() - began >= 0.6
    later = threading.Timer(0.4, say, (api.db, BEN, request))
    later.start()
    began = time.monotonic()
    found = agent.get(f"{BASE}/{request.id}", wait=20)
    assert found["request"]["state"] == "approved"
    assert time.monotonic() - began < 5
    later.join()
    assert agent.refused("GET", f"{BASE}/{request.id}?wait=61").status == 422


def test_the_list_is_paged_by_key(sqlite_api: Api) -> None:
    made = [
        asked(sqlite_api.db, subject=f"action/act_{n}", why=f"reason {'abcdefg'[n]}").id
        for n in range(7)
    ]
    ben = sqlite_api.person("reviewer", name="ben")
    seen: list[str] = []
    page = ben.get(BASE, limit=3)
    while True:
        seen += [one["request"]["id"] for one in page["items"]]
        if page["next"] is None:
            break
        page = ben.get(BASE, limit=3, after=page["next"])
    assert seen == made
    assert ben.refused("GET", f"{BASE}?after=nonsense").code == "bad_inbox_cursor"


def test_overrides_are_added_sorted_and_listed(api: Api) -> None:
    agent = api.program("agent")
    body = {
        "subject": "turn/trn_1",
        "agent": "customs",
        "agent_decision": "HS 8504.40",
        "human_decision": {"heading": "HS 8471.30"},
        "reasoning": "CPU board, not transformer",
    }
    made = agent.post("/v1/overrides", body)
    assert made["category"] == "cpu-board-transformer"
    assert made["sorted_by"] == ""
    empty = agent.refused("POST", "/v1/overrides", {**body, "reasoning": " "})
    assert (empty.status, empty.code) == (422, "reason_missing")
    ben = api.person("reviewer", name="ben")
    path = f"/v1/overrides/{made['id']}/category"
    assert ben.put(path, {"category": "Wrong heading"})["category"] == "wrong-heading"
    assert ben.get("/v1/overrides", category="wrong-heading")["items"][0]["id"] == made["id"]
    assert ben.get("/v1/overrides/categories") == [{"category": "wrong-heading", "count": 1}]
    api.project("elsewhere")
    stranger = api.person("admin", project="elsewhere")
    refusal = stranger.refused("PUT", path, {"category": "x"})
    assert (refusal.status, refusal.code) == (404, "override_not_found")
    assert stranger.get("/v1/overrides")["items"] == []


def test_who_sees_whose_figures(sqlite_api: Api) -> None:
    say(sqlite_api.db, BEN, asked(sqlite_api.db))
    auditor, cat = sqlite_api.person("risk"), sqlite_api.person("operator", name="cat")
    ben = sqlite_api.person("reviewer", name="ben")
    path = f"{BASE}/oversight"
    assert [one["name"] for one in auditor.get(path)["people"]] == ["ben"]
    assert [one["name"] for one in ben.get(path)["people"]] == ["ben"]
    assert cat.get(path)["people"] == []
    assert cat.get(path)["everybody"]["answers"] == 1


def test_settings_are_for_administrators(sqlite_api: Api) -> None:
    admin, ben = sqlite_api.person("admin"), sqlite_api.person("reviewer")
    wanted = {"probe_share": 0.01, "second_share": 0.05, "crowd": 10, "grace": 8}
    assert ben.refused("PUT", f"{BASE}/settings", wanted).status == 403
    assert admin.put(f"{BASE}/settings", wanted) == wanted
    assert ben.get(f"{BASE}/settings") == wanted
    refusal = admin.refused("PUT", f"{BASE}/settings", {**wanted, "probe_share": 0.5})
    assert refusal.code == "bad_inbox_settings"
