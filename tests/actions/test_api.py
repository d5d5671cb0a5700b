"""Acting, end to end: what is proposed over HTTP, what becomes of it, and what is on record."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.actions.world import CLERK, SYSTEM, Office, grant, put
from tests.api import Api

from opsroom.actions.asking import EXPIRES
from opsroom.actions.model import State
from opsroom.actions.ports import Effect
from opsroom.autonomy import queries as autonomy
from opsroom.autonomy.model import Envelope, Level
from opsroom.budgets import queries as budgets
from opsroom.budgets.model import Spender, Unit
from opsroom.inbox.model import Say
from opsroom.kit.clock import ManualClock


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Office:
    return Office(api, clock)


def test_an_action_in_the_callers_process_is_two_calls(office: Office) -> None:
    turn = office.turn()
    told = office.propose(turn, "book", order="o1", slot="3")
    assert (told["kind"], told["arguments"], told["lease_seconds"]) == (
        "execute",
        {"order": "o1", "slot": 3},
        2.0,
    )
    done = office.report(told["id"], result={"booking": "b1"})
    assert (done["kind"], done["result"], done["broken"]) == ("done", {"booking": "b1"}, "")
    assert office.events(told["id"]) == [
        "action.proposed",
        "action.permitted",
        "action.reserved",
        "action.executing",
        "action.succeeded",
    ]
    record = office.clerk.get(f"/v1/turns/{turn}")
    assert [one["state"] for one in record["actions"]] == ["succeeded"]
    assert record["texts"][-1]["voice"] == "tool"


def test_saying_it_again_changes_nothing_and_saying_otherwise_is_a_conflict(
    office: Office,
) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=3)
    first = office.report(told["id"], result={"booking": "b1"})
    assert office.report(told["id"], result={"booking": "b2"}) == first
    path = f"/v1/actions/{told['id']}/outcome"
    refused = office.clerk.refused("POST", path, {"state": "failed", "error": "no"})
    assert (refused.status, refused.code) == (409, "other_outcome")


def test_a_result_that_breaks_the_contract_is_kept_and_flagged(office: Office) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=3)
    done = office.report(told["id"], result={"something": "else"})
    assert done["kind"] == "done"
    assert "does not promise" in done["broken"]


@pytest.mark.parametrize("result", ["a\0b", "x" * 300_000, {"deep": ["\0"]}, None, 3])
def test_any_result_can_be_reported(office: Office, result: object) -> None:
    told = office.propose(office.turn(), "look", order="o1")
    assert office.report(told["id"], result=result)["kind"] == "done"
    other = office.propose(office.turn(), "look", order="o1")
    assert office.report(other["id"], "failed", error="no\0 way")["kind"] == "failed"


@pytest.mark.parametrize(
    ("tool", "arguments", "by"),
    [
        ("nothing", {}, "contract"),
        ("book", {"order": "o"}, "contract"),
        ("book", {"order": "o", "slot": 1, "more": True}, "contract"),
        ("book", {"order": ["o"], "slot": 1}, "contract"),
        ("pay", {"invoice": "i", "amount": -1}, "contract"),
        ("book", {"order": "forbidden", "slot": 1}, "policy"),
        ("book", {"order": "forbidden\u200b", "slot": 1}, "policy"),
        ("book", {"order": "ｆorbidden", "slot": "１"}, "policy"),
    ],
)
def test_what_is_refused_is_on_record_and_not_done(
    office: Office, tool: str, arguments: dict[str, Any], by: str
) -> None:
    told = office.propose(office.turn(), tool, **arguments)
    assert (told["kind"], told["refused_by"]) == ("denied", by)
    assert office.events(told["id"])[-1] == "action.denied"
    assert office.begin(told["id"])["kind"] == "denied"
    refused = office.clerk.refused(
        "POST", f"/v1/actions/{told['id']}/outcome", {"state": "succeeded"}
    )
    assert refused.status == 409


def test_no_number_that_is_none_gets_through(office: Office) -> None:
    path = f"/v1/turns/{office.turn()}/actions"
    body = '{"tool": "pay", "arguments": {"invoice": "i", "amount": NaN}}'
    answer = office.clerk.send(
        "POST", path, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {200, 400, 422}
    assert answer.status_code != 200 or answer.json()["kind"] == "denied"
    assert "action.executing" not in office.events()


def test_the_same_key_means_the_same_call(office: Office) -> None:
    turn = office.turn()
    first = office.propose(turn, "pay", key="k1", invoice="i", amount=10)
    again = office.propose(turn, "pay", key="k1", invoice="i", amount="10.0")
    assert (again["kind"], again["id"]) == ("running", first["id"])
    office.report(first["id"], result="paid")
    assert (
        office.propose(office.turn(), "pay", key="k1", invoice="i", amount=10)["result"]
        == "paid"
    )
    path = f"/v1/turns/{turn}/actions"
    body = {"tool": "pay", "key": "k1", "arguments": {"invoice": "i", "amount": 11}}
    refused = office.clerk.refused("POST", path, body)
    assert (refused.status, refused.code, refused.exit_code) == (409, "key_reused", 7)
    assert office.events(first["id"])[-1] == "action.refused"
    assert office.propose(turn, "book", key="k1", order="o", slot=1)["kind"] == "execute"


def test_a_recipe_makes_the_key_where_the_caller_names_none(office: Office) -> None:
    first = office.propose(office.turn(), "book", order="o1", slot=3)
    again = office.propose(office.turn(), "book", order="o1", slot=3.0)
    assert (again["kind"], again["id"]) == ("running", first["id"])


def test_a_key_is_free_again_once_nothing_came_of_it(office: Office) -> None:
    turn = office.turn()
    first = office.propose(turn, "pay", key="k", invoice="i", amount=10)
    office.report(first["id"], "failed", error="the bank is closed")
    grant(office.db, Level.EXPANDED)  # a failure narrows it
    assert office.propose(turn, "pay", key="k", invoice="i", amount=10)["kind"] == "execute"


def test_policy_asks_and_a_person_answers(office: Office) -> None:
    asked = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    assert (asked["kind"], asked["granted"], asked["because"]) == (
        "pending",
        False,
        "a large payment",
    )
    assert office.begin(asked["id"])["kind"] == "pending"
    office.approve(asked["request"])
    assert office.begin(asked["id"])["kind"] == "pending", "it can still be taken back"
    office.grace()
    assert office.look(asked["id"])["granted"] is True
    told = office.begin(asked["id"])
    assert (told["kind"], told["arguments"]) == ("execute", {"invoice": "i", "amount": 2000})
    office.report(told["id"], result="paid")
    assert office.state(asked["id"]) is State.SUCCEEDED


def test_two_who_wait_for_one_approval_do_not_both_act(office: Office) -> None:
    asked = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    office.approve(asked["request"])
    office.grace()
    kinds = [office.begin(asked["id"])["kind"] for _ in range(3)]
    assert kinds == ["execute", "running", "running"]


def test_a_right_to_start_is_renewed_only_for_whom_it_was_given_to(office: Office) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=3)
    path = f"/v1/actions/{told['id']}/begin"
    assert office.clerk.post(path, {"attempt": 7})["kind"] == "running"
    again = office.clerk.post(path, {"attempt": told["attempt"]})
    assert (again["kind"], again["attempt"]) == ("execute", told["attempt"] + 1)
    assert office.clerk.post(path, {"attempt": told["attempt"]})["kind"] == "running"


def test_an_edit_is_judged_anew_and_cannot_pass_a_denial(office: Office) -> None:
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(office.turn(), "book", order="o1", slot=3)
    office.approve(asked["request"], Say.EDIT, arguments={"order": "o2", "slot": 4})
    office.grace()
    told = office.begin(asked["id"])
    assert (told["kind"], told["arguments"]) == ("execute", {"order": "o2", "slot": 4})
    asked = office.propose(office.turn(), "book", order="o9", slot=3)
    office.approve(asked["request"], Say.EDIT, arguments={"order": "forbidden", "slot": 4})
    office.grace()
    told = office.begin(asked["id"])
    assert (told["kind"], told["refused_by"]) == ("denied", "policy")


def test_an_edit_becomes_the_call_that_its_key_stands_for(office: Office) -> None:
    """A call with the edited arguments is the edited call, not a second one."""
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(office.turn(), "book", order="o1", slot=3)
    office.approve(asked["request"], Say.EDIT, arguments={"order": "o2", "slot": 4})
    office.grace()
    assert office.begin(asked["id"])["kind"] == "execute"
    again = office.propose(office.turn(), "book", order="o2", slot=4)
    assert (again["kind"], again["id"]) == ("running", asked["id"])


def test_an_agent_that_goes_on_at_once_was_corrected_all_the_same(office: Office) -> None:
    """Nobody earns autonomy by being quicker than the news of a correction."""
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(office.turn(), "book", order="o1", slot=3)
    office.approve(asked["request"], Say.EDIT, arguments={"order": "o2", "slot": 4})
    office.grace()
    assert office.begin(asked["id"])["kind"] == "execute"
    office.answered(asked["id"], "inbox.edited")
    with office.db.read(SYSTEM) as tx:
        rungs = autonomy.ladder(tx, CLERK).rungs
    seen = {(one.record.agreed, one.record.corrected) for one in rungs if one.record.judged}
    assert seen == {(0, 1)}


def test_a_rejection_ends_it(office: Office) -> None:
    asked = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    office.approve(asked["request"], Say.REJECT)
    office.answered(asked["id"], "inbox.rejected", "a person rejected it: because")
    told = office.look(asked["id"])
    assert (told["kind"], told["refused_by"]) == ("denied", "approval")
    assert office.begin(asked["id"])["kind"] == "denied"


def test_an_approval_is_over_after_its_time(office: Office) -> None:
    asked = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    office.approve(asked["request"])
    office.clock.move(EXPIRES)
    told = office.begin(asked["id"])
    assert (told["kind"], told["refused_by"]) == ("denied", "approval")


def test_the_kill_switch_stops_everything_that_has_not_begun(office: Office) -> None:
    turn = office.turn()
    asked = office.propose(turn, "pay", invoice="i", amount=2000)
    office.approve(asked["request"])
    office.grace()
    running = office.propose(turn, "book", order="o1", slot=1)
    office.kill()
    for told in (
        office.propose(turn, "look", order="o1"),
        office.propose(turn, "send", order="o1"),
        office.begin(asked["id"]),
        office.clerk.post(f"/v1/actions/{running['id']}/begin", {"attempt": 1}),
    ):
        assert (told["kind"], told["refused_by"]) == ("denied", "kill_switch"), told
    assert office.there.sent == 0
    office.revive()
    assert office.propose(turn, "look", order="o1")["kind"] == "execute"


def test_what_had_begun_before_the_switch_is_reported_as_it_is(office: Office) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=1)
    office.kill()
    assert office.report(told["id"], result={"booking": "b"})["kind"] == "done"


def test_a_shadow_recommends_and_a_bound_holds(office: Office) -> None:
    grant(office.db, Level.SHADOW)
    assert office.propose(office.turn(), "book", order="o1", slot=1)["kind"] == "recommended"
    grant(office.db, Level.BOUNDED, envelope=Envelope(max_per_day=2))
    kinds = [
        office.propose(office.turn(), "book", order=f"n{n}", slot=1)["kind"] for n in range(3)
    ]
    assert kinds == ["execute", "execute", "pending"]


def test_budgets_are_held_settled_and_freed(office: Office) -> None:
    office.budget("100")
    spender = Spender(agent=CLERK)

    def left() -> str:
        with office.db.read(SYSTEM) as tx:
            return format(budgets.remaining(tx, spender)[Unit.USD].normalize(), "f")

    turn = office.turn()
    first = office.propose(turn, "pay", invoice="i", amount=60)
    assert left() == "40"
    second = office.propose(turn, "pay", invoice="j", amount=60)
    assert (second["kind"], second["refused_by"]) == ("denied", "budget")
    office.report(first["id"], "failed", error="no")
    assert left() == "100"
    grant(office.db, Level.EXPANDED)  # a failure narrows it
    third = office.propose(turn, "pay", invoice="k", amount=60)
    office.report(third["id"], result="paid", cost="0.5")
    assert left() == "39.5"


def test_nothing_begins_after_the_deadline_of_its_turn(office: Office) -> None:
    turn = office.turn(deadline_seconds=5)
    told = office.propose(turn, "look", order="o")
    office.clock.move(timedelta(seconds=6))
    late = office.propose(turn, "look", order="o")
    assert told["kind"] == "execute"
    assert (late["kind"], late["refused_by"]) == ("denied", "budget")


def test_what_nobody_reports_is_unknown_and_stays_so(office: Office) -> None:
    office.budget("100")
    turn = office.turn()
    told = office.propose(turn, "pay", key="k", invoice="i", amount=60)
    office.clock.move(timedelta(seconds=60))
    assert office.expire() == 1
    assert office.look(told["id"])["kind"] == "unknown"
    assert office.propose(turn, "pay", key="k", invoice="i", amount=60)["kind"] == "unknown"
    assert office.begin(told["id"])["kind"] == "unknown"
    office.clock.move(timedelta(hours=3))
    grant(office.db, Level.EXPANDED)  # an unknown outcome narrows it
    second = office.propose(turn, "pay", invoice="j", amount=60)
    assert second["refused_by"] == "budget", "what may have been spent stays held"


@pytest.mark.parametrize("happened", [True, False])
def test_a_person_settles_what_is_unknown(office: Office, happened: bool) -> None:
    told = office.propose(office.turn(), "pay", key="k", invoice="i", amount=60)
    office.clock.move(timedelta(seconds=60))
    office.expire()
    path = f"/v1/actions/{told['id']}/reconcile"
    olga = office.api.person("operator", name="olga")
    assert olga.refused("POST", path, {"happened": happened}).code == "reason_missing"
    found = olga.post(path, {"happened": happened, "reason": "the bank says so", "result": "r"})
    assert found["kind"] == ("done" if happened else "failed")
    grant(office.db, Level.EXPANDED)  # an unknown outcome narrows it
    again = office.propose(office.turn(), "pay", key="k", invoice="i", amount=60)
    assert again["kind"] == ("done" if happened else "execute")
    assert olga.refused("POST", path, {"happened": True, "reason": "x"}).status == 409
    viewer = office.api.person("viewer")
    assert viewer.refused("POST", path, {"happened": True, "reason": "x"}).status == 403


def test_a_late_report_settles_what_had_become_unknown(office: Office) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=1)
    office.clock.move(timedelta(seconds=60))
    office.expire()
    assert office.report(told["id"], result={"booking": "b"})["kind"] == "done"


def test_agents_touch_only_their_own(office: Office) -> None:
    put(office.db, "agent", "other", {"model": {"model": "m"}}, serve=True)
    other = office.api.program("agent", agent="other")
    turn = office.turn()
    told = office.propose(turn, "book", order="o1", slot=1)
    draft = {"agent": CLERK, "intent": "mine"}
    assert other.refused("POST", "/v1/turns", draft).code == "other_agent"
    for method, path, body in (
        ("GET", f"/v1/turns/{turn}", None),
        ("POST", f"/v1/turns/{turn}/actions", {"tool": "look", "arguments": {"order": "o"}}),
        ("POST", f"/v1/turns/{turn}/texts", {"pieces": []}),
        ("POST", f"/v1/turns/{turn}/final", {"final": "done"}),
        ("GET", f"/v1/actions/{told['id']}", None),
        ("GET", f"/v1/actions/{told['id']}/record", None),
        ("POST", f"/v1/actions/{told['id']}/begin", None),
        ("POST", f"/v1/actions/{told['id']}/outcome", {"state": "succeeded"}),
    ):
        assert other.refused(method, path, body).status == 404, path
    assert other.get("/v1/actions")["items"] == []
    office.api.project("elsewhere")
    stranger = office.api.person("admin", project="elsewhere")
    assert stranger.refused("GET", f"/v1/actions/{told['id']}").status == 404
    unbound = office.api.program("agent")
    assert unbound.refused("POST", "/v1/turns", draft).code == "other_agent"


def test_a_retired_agent_is_nobody(office: Office) -> None:
    turn = office.turn()
    office.retire()
    path = f"/v1/turns/{turn}/actions"
    body = {"tool": "look", "arguments": {"order": "o"}}
    assert office.clerk.refused("POST", path, body).status == 401
    boss = office.api.program("admin")
    told = boss.post(path, body)
    assert (told["kind"], told["refused_by"]) == ("denied", "agent")


def test_an_ended_turn_takes_nothing_more(office: Office) -> None:
    turn = office.turn()
    office.clerk.post(f"/v1/turns/{turn}/plan", {"plan": "book it", "alternatives": ["wait"]})
    ended = office.clerk.post(f"/v1/turns/{turn}/final", {"final": "done", "result": "booked"})
    assert (ended["final"], ended["plan"], ended["alternatives"]) == (
        "done",
        "book it",
        ["wait"],
    )
    body = {"tool": "look", "arguments": {"order": "o"}}
    refused = office.clerk.refused("POST", f"/v1/turns/{turn}/actions", body)
    assert (refused.status, refused.code) == (409, "turn_ended")


def test_opsroom_carries_out_what_it_can(office: Office) -> None:
    told = office.propose(office.turn(), "send", order="o1")
    assert (told["kind"], told["result"]) == ("done", {"ok": True})
    again = office.propose(office.turn(), "send", order="o1")
    assert (again["id"], office.there.sent) == (told["id"], 1)
    assert office.events(told["id"])[-2:] == ["action.executing", "action.succeeded"]


def test_what_had_no_effect_is_tried_again_as_often_as_its_contract_says(
    office: Office,
) -> None:
    no = Effect(state="not_happened", reached=False, error="no connection")
    office.there.say = [no, no]
    assert office.propose(office.turn(), "send", order="o1")["kind"] == "done"
    assert office.there.sent == 3
    office.there.say = [no] * 9
    told = office.propose(office.turn(), "send", order="o2")
    assert (told["kind"], office.there.sent) == ("failed", 6)
    assert office.action(told["id"]).attempt == 3


def test_an_integration_that_fails_is_left_alone_for_a_while(office: Office) -> None:
    no = Effect(state="not_happened", reached=False, error="no connection")
    office.there.say = [no] * 30
    turn = office.turn()
    kinds = []
    for number in range(3):
        grant(office.db, Level.EXPANDED)  # a failure narrows it
        kinds.append(office.propose(turn, "send", order=f"o{number}")["kind"])
    assert kinds == ["failed", "deferred", "deferred"]
    sent = office.there.sent
    told = office.propose(turn, "send", order="more")
    assert (told["kind"], office.there.sent) == ("deferred", sent)
    assert told["until"] is not None
    office.there.say = []
    office.clock.move(timedelta(minutes=2))
    assert office.propose(turn, "send", order="and on")["kind"] == "done"
    assert office.propose(turn, "send", order="again")["kind"] == "done"


def test_without_an_answer_nothing_is_known_and_nothing_repeated(office: Office) -> None:
    put_once = {
        "retry": {"attempts": 3},
        "tool": "once",
        "executor": {"kind": "http", "method": "POST", "url": "https://x.example/"},
        "risk": "write",
    }
    put(office.db, "contract", "once", put_once)
    office.store_agent(contracts=["once"])
    grant(office.db, Level.EXPANDED)
    office.there.say = [Effect(state="unknown", error="no answer")]
    told = office.propose(office.turn(), "once")
    assert (told["kind"], office.there.sent) == ("unknown", 1)


def test_with_a_key_what_is_unknown_may_be_sent_again(office: Office) -> None:
    office.there.say = [Effect(state="unknown", error="no answer")]
    told = office.propose(office.turn(), "send", order="o1")
    assert (told["kind"], office.there.sent) == ("done", 2)


def test_a_lookup_says_what_became_of_it(office: Office) -> None:
    where = {"kind": "http", "method": "GET", "url": "https://x.example/{order}"}
    found = {
        "tool": "found",
        "risk": "read",
        "executor": where,
        "input": {"type": "object", "properties": {"order": {"type": "string"}}},
        "effects": {"read_only": True},
    }
    put(office.db, "contract", "found", found)
    there = {**where, "method": "POST"}
    move = {
        **found,
        "tool": "move",
        "risk": "write",
        "lookup": "found@1",
        "executor": there,
        "effects": {},
    }
    put(office.db, "contract", "move", move)
    office.store_agent(contracts=["move"])
    grant(office.db, Level.EXPANDED)
    unknown = Effect(state="unknown", error="no answer")
    for answer, kind in (
        ({"happened": True, "result": {"id": 7}}, "done"),
        ({"happened": False}, "failed"),
        ({"other": 1}, "unknown"),
    ):
        office.there.say = [unknown, Effect(state="happened", result=answer)]
        grant(office.db, Level.EXPANDED)  # an unknown outcome narrows it
        assert office.propose(office.turn(), "move", order=kind)["kind"] == kind


def test_lists_are_paged_by_key_and_filtered(office: Office) -> None:
    turn = office.turn()
    ids = [office.propose(turn, "look", order=f"o{n}")["id"] for n in range(5)]
    seen: list[str] = []
    page = office.clerk.get("/v1/actions", limit=2, turn=turn)
    while True:
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        page = office.clerk.get("/v1/actions", limit=2, turn=turn, before=page["next"])
    assert seen == ids[::-1]
    assert office.clerk.get("/v1/actions", state="succeeded")["items"] == []
    assert [one["id"] for one in office.clerk.get("/v1/turns")["items"]] == [turn]


def test_unknown_fields_are_refused(office: Office) -> None:
    path = f"/v1/turns/{office.turn()}/actions"
    for body in (
        {"tool": "look", "arguments": {"order": "o"}, "approved": True},
        {"tool": "look", "arguments": {"order": "o"}, "level": "expanded"},
    ):
        assert office.clerk.refused("POST", path, body).status == 422


def test_everything_an_action_was_judged_by_is_kept(office: Office) -> None:
    told = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    record = office.clerk.get(f"/v1/actions/{told['id']}/record")
    assert record["request"]["facts"]["autonomy_level"] == "expanded"
    assert record["action"]["policy"]
    assert json.dumps(record["binding"])


def test_what_if_gives_every_verdict_again_and_shows_what_flips(office: Office) -> None:
    turn = office.turn()
    for number in range(3):
        office.propose(turn, "book", order=f"o{number}", slot=1)
    office.propose(turn, "book", order="forbidden", slot=1)
    office.propose(turn, "pay", invoice="i", amount=2000)
    olga = office.api.person("operator")
    office.clock.move(timedelta(minutes=5))
    same = olga.post("/v1/policies/simulate", {})
    assert (same["decided"], same["flips"], same["before"]) == (5, {}, same["after"])
    assert same["before"] == {"permit": 3, "deny": 1, "escalate": 1}
    nobody = {"cedar": '@id("none") forbid (principal, action, resource);'}
    other = olga.post("/v1/policies/simulate", {"draft": nobody})
    assert other["after"] == {"deny": 5}
    assert other["flips"] == {"permit → deny": 3, "escalate → deny": 1}
    assert len(other["shown"]) == 4
    assert olga.post("/v1/policies/simulate", {"agent": "nobody"})["decided"] == 0
