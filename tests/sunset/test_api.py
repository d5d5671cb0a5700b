"""Sunset at every door: HTTP, MCP, pages and terminal."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.api import Api, Caller
from tests.installation import Shell
from tests.sunset.world import AGENT, DAY, NEXT, driven, hire, olga
from tests.telemetry import Room

from opsroom.access.table import ROUTES
from opsroom.access.uses import Uses
from opsroom.agents import Ending
from opsroom.agents import commands as agents
from opsroom.app import Settings, open_runtime
from opsroom.kit.clock import ManualClock
from opsroom.sdk import Opsroom, RemoteError, resolving
from opsroom.sunset import queries

PATH = "/v1/sunsets"
BODY = {
    "agent": AGENT,
    "because": "the harbour took over",
    "successor": NEXT,
    "plan": {"at_100": 4, "at_50": 2, "at_10": 2, "dormant": 10},
}
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
def office(sqlite_api: Api, room: Room) -> Api:
    """An office whose telemetry is the room's, in the project of that."""
    sqlite_api.app.state.traces = room.traces
    hire(sqlite_api.db, AGENT, NEXT, project=room.project)
    return sqlite_api


def passed(office: Api, clock: ManualClock, room: Room, days: int) -> str:
    """Let the loop look after it for so many days; the state then."""
    cast("Uses", office.app.state.uses).keep(office.db)
    with office.db.read(office.actor(room.project)) as tx:
        one = queries.sunset(tx, AGENT)
    return driven(office.db, clock, one, room.traces, days).state.value


def doors(caller: Caller) -> dict[str, tuple[int, str, str]]:
    """What each door by which an agent acts says: status, code, hint."""
    asked = {
        "turn": ("POST", "/v1/turns", {"agent": AGENT, "intent": "quote", "subject": "c1"}),
        "resolve": ("GET", f"/v1/resolve?kind=agent&name={AGENT}&subject=c1", None),
        "tools": ("GET", f"/v1/agents/{AGENT}/tools", None),
        "mcp": ("POST", f"/mcp/{AGENT}", HELLO),
    }
    found = {}
    for door, (method, path, body) in asked.items():
        refused = caller.refused(method, path, body)
        found[door] = (refused.status, refused.code, refused.hint)
    return found


def test_late_callers_are_told_at_every_door(
    office: Api, clock: ManualClock, room: Room
) -> None:
    who = {"project": room.project}
    mine = office.program("agent", agent=AGENT, **who)
    admin = office.program("admin", **who)
    olga = office.person("operator", name="oscar", **who)
    risk = office.person("risk", name="rita", **who)
    made = olga.post(PATH, BODY)
    standing = risk.get(f"{PATH}/{made['id']}")
    risk.post(f"{PATH}/{AGENT}/approve", {"binding": standing["binding"], "reason": "yes"})
    passed(office, clock, room, 0)
    answer = mine.send("GET", f"/v1/resolve?name={AGENT}&subject=c1")
    assert answer.status_code == 200
    assert answer.headers["deprecation"].startswith("@")
    assert answer.headers["sunset"] == "Sat, 28 Nov 2026 00:00:00 GMT"
    assert answer.headers["link"] == f'</agents/{NEXT}>; rel="successor-version"'
    begun = mine.send("POST", "/v1/turns", json={"agent": AGENT, "intent": "quote"})
    assert (begun.status_code, "sunset" in begun.headers) == (201, True)
    passed(office, clock, room, 8)
    clock.move(timedelta(minutes=1))
    hint = f"call the agent '{NEXT}' instead"
    assert set(doors(mine).values()) == {(410, "agent_winding_down", hint)}
    clock.move(11 * DAY)
    olga = office.person("operator", **who)
    risk = office.person("risk", **who)
    refused = risk.refused(
        "POST", f"{PATH}/{AGENT}/decommission", {"binding": standing["binding"]}
    )
    assert refused.code == "callers_alive"
    assert f"agent:{AGENT} with tok_" in refused.message
    seen = olga.post(f"{PATH}/{AGENT}/look", {})["sunset"]["seen"]["callers"]
    assert {each["where"] for each in seen} >= {"POST /v1/turns", "POST /mcp/{agent}"}
    passed(office, clock, room, 11)
    risk = office.person("risk", **who)
    binding = risk.get(f"{PATH}/{AGENT}")["binding"]
    done = risk.post(f"{PATH}/{AGENT}/decommission", {"binding": binding, "reason": "quiet"})
    assert done["state"] == "decommissioned"
    assert passed(office, clock, room, 0) == "archived"
    assert set(doors(mine).values()) == {
        (410, "agent_gone", f"{hint}, with a token of its own")
    }
    assert set(doors(admin).values()) == {
        (410, "agent_gone", f"{hint}, with a token of its own")
    }
    assert (
        office.program("agent", agent=NEXT, **who)
        .send("GET", f"/v1/resolve?name={NEXT}&subject=c1")
        .status_code
        == 200
    )
    assert admin.refused("POST", f"/v1/agents/{AGENT}/reinstate", {"reason": "x"}).code == (
        "agent_gone"
    )
    left = admin.send("GET", f"{PATH}/{AGENT}/export")
    assert left.headers["content-type"].startswith("application/jsonl")
    assert left.text.count("\n") >= 8
    assert risk.refused("GET", f"{PATH}/{AGENT}/export").status == 403


def test_a_token_revoked_before_the_end_learns_nothing(
    office: Api, clock: ManualClock, room: Room
) -> None:
    """A thief of an old token is not told that the agent is gone, nor who took over (C13)."""
    who = {"project": room.project}
    stolen = office.program("agent", agent=AGENT, **who)
    admin = office.program("admin", **who)
    token = next(one for one in admin.get("/v1/tokens") if one["agent"] == AGENT)
    admin.send("DELETE", f"/v1/tokens/{token['id']}")
    olga = office.person("operator", name="oscar", **who)
    risk = office.person("risk", name="rita", **who)
    olga.post(PATH, BODY)
    risk.post(f"{PATH}/{AGENT}/approve", {"binding": risk.get(f"{PATH}/{AGENT}")["binding"]})
    assert passed(office, clock, room, 19) == "dormant"
    risk = office.person("risk", **who)
    risk.post(
        f"{PATH}/{AGENT}/decommission", {"binding": risk.get(f"{PATH}/{AGENT}")["binding"]}
    )
    assert stolen.refused("GET", "/v1/me").status == 401


def test_a_sunset_of_another_project_is_not_there(office: Api, room: Room) -> None:
    made = office.person("operator", project=room.project).post(PATH, BODY)
    office.project("elsewhere")
    theirs = office.program("admin", project="elsewhere")
    routes = [route for route in ROUTES if "{sunset_id}" in route and "/v1/" in route]
    assert len(routes) == 6
    for route in routes:
        method, _, path = route.partition(" ")
        for named in (made["id"], AGENT):
            signed = path.endswith(("approve", "decommission"))
            wanted = {"binding": made["id"], "reason": "x"} if signed else {"reason": "x"}
            refused = theirs.refused(
                method, path.replace("{sunset_id}", named), None if method == "GET" else wanted
            )
            assert (route, refused.status, refused.code) == (route, 404, "sunset_not_found")
    assert theirs.get(PATH, everything="true")["items"] == []
    assert theirs.get("/v1/zombies", everything="true")["items"] == []


def test_the_pages_say_it_in_words(office: Api, clock: ManualClock, room: Room) -> None:
    html = {"Accept": "text/html"}
    olga = office.person("operator", name="oscar", project=room.project)
    risk = office.person("risk", name="rita", project=room.project)
    form = {"agent": AGENT, "because": "it is old", "successor": NEXT, "dormant": "10"}
    made = olga.send("POST", "/sunsets", data=form, follow_redirects=False)
    assert made.status_code == 303
    where = made.headers["location"].partition("?")[0]
    assert (
        "somebody else has to approve it" in olga.send("GET", where, headers=html).text.lower()
    )
    page = risk.send("GET", where, headers=html).text
    binding = page.partition('name="binding" value="')[2].partition('"')[0]
    risk.send("POST", f"{where}/approve", data={"binding": binding, "reason": "yes"})
    clock.move(timedelta(hours=1))
    olga.send("POST", f"{where}/look")
    listed = olga.send("GET", "/sunsets", headers=html).text
    assert "deprecating" in listed
    assert "sunset: deprecating" in olga.send("GET", "/agents", headers=html).text
    shown = olga.send("GET", f"/agents/{AGENT}", headers=html).text
    assert "Its end" in shown
    olga.send("POST", f"{where}/reinstate", data={"reason": "we were wrong"})
    assert "reinstated" in olga.send("GET", where, headers=html).text


def test_a_client_does_not_go_on_with_what_it_kept(
    local: Opsroom, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot of a client stands in for a server that is away, not for an agent that is."""
    monkeypatch.setattr(resolving, "HURRY", 30.0)
    runtime = open_runtime(Settings(data=home))
    hire(runtime.db, AGENT, NEXT)
    assert local.resolve(AGENT, subject="a").reason == "fresh"
    now = runtime.db.clock.now()
    end = Ending(agent=AGENT, share=0, successor=NEXT, sunset="sun_1", since=now, ends=now)
    for code in ("agent_winding_down", "agent_gone"):
        with runtime.db.write(olga()) as tx:
            if code == "agent_gone":
                agents.retire(tx, AGENT, reason="x", sunset="sun_1")
            else:
                agents.wind_down(tx, end)
        with pytest.raises(RemoteError) as refused:
            local.resolve(AGENT, subject="a")
        assert (refused.value.status, refused.value.code) == (410, code)
    runtime.close()


def test_from_the_terminal(shell: Shell, home: Path) -> None:
    runtime = open_runtime(Settings(data=home))
    hire(runtime.db, AGENT, NEXT)
    runtime.close()
    assert shell("agent", "sunset", "list") == 0
    assert "no agent is being ended" in shell.out
    made = shell.data(
        "agent", "sunset", "propose", AGENT, "-m", "it is old", "--successor", NEXT
    )
    assert datetime.fromisoformat(made["proposed_at"])
    assert shell("agent", "sunset", "show", AGENT) == 0
    assert "proposed" in shell.out
    assert shell.refused("agent", "sunset", "approve", AGENT)["code"] == "not_a_person"
    assert shell.refused("agent", "sunset", "export", AGENT)["code"] == "nothing_exported"
    assert shell.refused("agent", "sunset", "decommission", AGENT)["exit_code"] == 7
    assert shell("agent", "sunset", "reinstate", AGENT, "-m", "not yet") == 0
    assert "reinstated" in shell.out
    assert shell("agent", "zombies", "--look") == 0
    assert "no agent lingers" in shell.out
    assert shell("agent", "show", AGENT) == 0
