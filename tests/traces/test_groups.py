"""Sessions and users: what their traces came to, each trace counted once."""

from urllib.parse import quote

from tests.api import Api
from tests.telemetry import Room
from tests.traces.test_pages import SECOND, nano, run_of

ODD = "s/2 ?#%.x"


def test_sessions_and_users_count_traces_once(office: Api, room: Room) -> None:
    start = nano(office)
    room.send(run_of("a" * 32, start, more={"user.id": "u1"}))
    twice = run_of("b" * 32, start + SECOND, error=True, more={"user.id": "u1"})
    room.send(twice)
    twice.resource_spans[0].scope_spans[0].scope.name = "sent again, in another request"
    room.send(twice)
    more = {"user.id": "u2", "gen_ai.conversation.id": ODD}
    room.send(run_of("c" * 32, start + 2 * SECOND, more=more))
    room.settle()
    reader = office.person("viewer", project=room.project)
    odd, plain = reader.get("/v1/traces/sessions")["items"]
    assert (odd["key"], odd["traces"], odd["failed"]) == (ODD, 1, 0)
    assert (plain["key"], plain["traces"], plain["failed"]) == ("s-1", 2, 1)
    assert (plain["spans"], plain["tokens"]) == (6, 2200)
    assert float(plain["cost"]) == 2 * float(odd["cost"]) > 0
    users = reader.get("/v1/traces/users")["items"]
    assert [(one["key"], one["traces"]) for one in users] == [("u2", 1), ("u1", 2)]
    first = reader.get("/v1/traces/sessions", limit=1)
    assert [one["key"] for one in first["items"]] == [ODD]
    second = reader.get("/v1/traces/sessions", limit=1, before=first["next"])
    assert [one["key"] for one in second["items"]] == ["s-1"]
    assert reader.get("/v1/traces/sessions", limit=1, before=second["next"])["items"] == []
    late = reader.get("/v1/traces/sessions", before="9999999999999999999.x")["items"]
    assert [one["key"] for one in late] == [ODD, "s-1"]
    page = reader.client.get(f"/traces/sessions/{quote(ODD)}", headers=reader.headers)
    assert page.status_code == 200
    assert f"/traces/{'c' * 32}" in page.text
    office.project("elsewhere")
    stranger = office.person("viewer", project="elsewhere")
    assert (
        stranger.get("/v1/traces/sessions")["items"]
        == stranger.get("/v1/traces/users")["items"]
        == []
    )
    assert stranger.refused("GET", "/traces/sessions/s-1").code == "session_not_found"
