"""What a session has read decides what it may still do, by the records of its actions."""

from datetime import timedelta

import pytest
from tests.actions.world import CLERK, LOOK, SYSTEM, Office, grant, put
from tests.api import Api

from opsroom.actions import had_read
from opsroom.app.kinds import KINDS
from opsroom.autonomy.model import Level
from opsroom.kit.clock import ManualClock
from opsroom.kit.wire import plain
from opsroom.registry import ArtifactDraft
from opsroom.registry import commands as registry

OPEN = '@id("all") permit (principal, action, resource);'
RULE = """
@id("stays") @reason("the session has read it") forbid (principal, action == Action::"book", resource)
when { context.facts.session_read.contains("ledger") || context.facts.session_read.contains("tag:personal") };
"""


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Office:
    made = Office(api, clock)
    with made.db.write(SYSTEM) as tx:
        draft = ArtifactDraft(kind="contract", name="ledger", tags=("personal",))
        registry.create_artifact(tx, draft, kinds=KINDS)
    ledger = {**plain(LOOK), "tool": "read_ledger"}
    put(made.db, "contract", "ledger", ledger)
    put(made.db, "policy", "house", {"cedar": OPEN + RULE})
    serve(made)
    return made


def serve(office: Office) -> None:
    office.store_agent(contracts=["look", "book", "pay", "ledger"])
    grant(office.db, Level.EXPANDED)


def facts(office: Office, action: str) -> dict[str, object]:
    record = office.clerk.get(f"/v1/actions/{action}/record")
    return dict(record["request"]["facts"])


def test_what_was_read_in_a_session_is_known_in_all_its_turns(office: Office) -> None:
    first = office.turn(session="s1")
    office.propose(first, "look", order="o1")
    harmless = office.propose(first, "book", order="o1", slot=1)
    assert harmless["kind"] == "execute"
    assert facts(office, harmless["id"])["session_read"] == ["look"]
    office.propose(first, "read_ledger", order="o1")  # begun, and not reported
    later = office.propose(office.turn(session="s1"), "book", order="o2", slot=1)
    assert (later["kind"], later["because"]) == ("denied", "the session has read it")
    assert facts(office, later["id"])["session_read"] == [
        "ledger", "look", "read_ledger", "tag:personal",
    ]  # fmt: skip
    for slot, elsewhere in enumerate((office.turn(session="s2"), office.turn()), 1):
        assert office.propose(elsewhere, "book", order="o3", slot=slot)["kind"] == "execute"


def test_without_a_session_it_is_the_turn_and_what_failed_is_not_read(office: Office) -> None:
    turn = office.turn()
    tried = office.propose(turn, "read_ledger", order="o1")
    office.report(tried["id"], "failed", error="it is away")
    assert office.propose(turn, "book", order="o1", slot=1)["kind"] == "execute"
    office.propose(turn, "read_ledger", order="o1")
    assert office.propose(turn, "book", order="o2", slot=1)["kind"] == "denied"


def test_more_than_can_be_told_denies_only_where_a_rule_asks(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(had_read, "MOST", 0)
    turn = office.turn()
    office.propose(turn, "look", order="o1")
    denied = office.propose(turn, "book", order="o1", slot=1)
    assert denied["kind"] == "denied"
    assert "nobody knows 'session_read'" in denied["because"]
    paid = office.propose(turn, "pay", invoice="i1", amount=1)
    assert paid["kind"] == "execute"
    assert "session_read" not in facts(office, paid["id"])


def test_what_if_looks_up_what_nobody_had_asked_for(office: Office) -> None:
    put(office.db, "policy", "house", {"cedar": OPEN})
    serve(office)
    turn = office.turn(session="s1")
    before = office.propose(turn, "book", order="o1", slot=1)
    assert "session_read" not in facts(office, before["id"])
    office.clock.move(timedelta(seconds=1))
    office.propose(turn, "read_ledger", order="o1")
    office.clock.move(timedelta(seconds=1))
    after = office.propose(office.turn(session="s1"), "book", order="o2", slot=1)
    olga = office.api.person("operator")
    office.clock.move(timedelta(seconds=1))
    found = olga.post(
        "/v1/policies/simulate", {"draft": {"cedar": OPEN + RULE}, "agent": CLERK}
    )
    assert found["flips"] == {"permit → deny": 1}
    assert [one["action"] for one in found["shown"]] == [after["id"]]
