"""Corrections over HTTP and in the terminal."""

from tests.api import Api
from tests.corrections.world import learn

from opsroom.corrections import cli

BASE = "/v1/corrections"
DRAFT = {
    "subject": "trace/4bf92f3577b34da6a3ce929d0e0e4736",
    "agent": "customs",
    "asked": "laptops, 14 inch",
    "agent_decision": "8504.40",
    "human_decision": "8471.30",
    "reasoning": "a computer is no transformer",
}


def test_from_an_override_to_the_dataset(api: Api) -> None:
    ben, cat, viewer = api.person("reviewer"), api.person("reviewer"), api.program("viewer")
    ben.post("/v1/overrides", DRAFT)
    ben.post("/v1/overrides", {**DRAFT, "asked": "pumps", "human_decision": "8413.70"})
    learn(api.db)
    first = viewer.get(BASE, limit=1)
    assert first["items"][0]["human_said"] == "8413.70"
    (one,) = viewer.get(BASE, before=first["next"])["items"]
    assert viewer.refused("POST", f"{BASE}/accept", {"ids": [one["id"]]}).status == 403
    done = cat.post(f"{BASE}/accept", {"ids": [one["id"]]})
    assert (done["accepted"], done["refused"]) == ([one["id"]], [])
    again = cat.post(f"{BASE}/accept", {"ids": [one["id"]]})
    assert again["refused"][0]["why"] == "it is accepted"
    assert viewer.refused("GET", f"{BASE}/cor_nobody").code == "correction_not_found"
    gone = cat.post(f"{BASE}/{one['id']}/retire", {"reason": "the tariff changed"})
    assert gone["state"] == "retired"
    refused = cat.refused("POST", f"{BASE}/{one['id']}/retire", {"reason": "again"})
    assert (refused.status, refused.code) == (409, "correction_over")
    ledger = viewer.get(f"{BASE}/ledger", agent="customs")
    assert ledger["states"] == {"candidate": 1, "accepted": 0, "retired": 1, "quarantined": 0}


def test_the_terminal_says_the_same(api: Api) -> None:
    ben = api.person("reviewer")
    ben.post("/v1/overrides", DRAFT)
    learn(api.db)
    found = ben.get(BASE)["items"]
    assert "8471.30" in cli._list(found)
    done = ben.post(f"{BASE}/accept", {"ids": [found[0]["id"], found[0]["id"]]})
    assert "1 accepted into dataset/corrections-customs@1" in cli._accepted(done)
    shown = cli._one(ben.get(f"{BASE}/{found[0]['id']}"))
    assert "a computer is no transformer" in shown
    assert "held by dataset/corrections-customs@1" in shown
    assert "8504.40" in cli._ledger(ben.get(f"{BASE}/ledger"))
