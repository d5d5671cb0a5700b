"""Promises at the edges: what is counted, what a key stands for, what an approval is spent on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from tests.actions.world import ASK, SYSTEM, Office, grant, put
from tests.api import Api

from opsroom.actions import doors, executing, key_store, store, workflow
from opsroom.actions.model import State
from opsroom.actions.ports import Effect, nobody
from opsroom.autonomy.model import Envelope, Level
from opsroom.budgets import commands as budgets
from opsroom.budgets.model import Unit
from opsroom.inbox import queries as requests
from opsroom.inbox.model import Say
from opsroom.integrations import commands as watching
from opsroom.integrations import queries as integrations
from opsroom.kit.clock import ManualClock
from opsroom.memory import queries as memories

NOT_REACHED = Effect(state="not_happened", reached=False, error="no connection")


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Office:
    return Office(api, clock)


def house(office: Office, *rules: str) -> None:
    """The same policies and some more."""
    put(office.db, "policy", "house", {"cedar": "\n".join((ASK, *rules))})
    office.store_agent()
    grant(office.db, Level.EXPANDED)


def changing(name: str, to: str, when: str) -> str:
    return (
        f'@id("{name}") @verdict("modify") @set("{to}") @reason("{name}")\n'
        f'forbid (principal, action == Action::"pay", resource) when {{ {when} }};'
    )


ABOUT_150 = (
    'context.facts.amount.greaterThan(decimal("100.0"))'
    ' && context.facts.amount.lessThan(decimal("200.0"))'
)


def lapse(office: Office) -> None:
    office.clock.move(timedelta(seconds=60))
    assert office.expire() == 1


def keys(office: Office) -> set[str]:
    with office.db.read(SYSTEM) as tx:
        return set(tx.conn.execute(select(key_store.keys.c.key)).scalars())


def test_what_policies_change_is_put_to_them_again(office: Office) -> None:
    house(office, changing("round", "/amount=5000", ABOUT_150))
    asked = office.propose(office.turn(), "pay", invoice="i", amount=150)
    assert (asked["kind"], asked["because"]) == ("pending", "a large payment")
    action = office.action(asked["id"])
    assert action.arguments == {"invoice": "i", "amount": 5000}
    with office.db.read(SYSTEM) as tx:
        assert requests.request(tx, asked["request"]).amount == Decimal(5000)


def test_a_change_that_breaks_the_contract_is_a_denial(office: Office) -> None:
    house(office, changing("break", "/amount=-1", ABOUT_150))
    told = office.propose(office.turn(), "pay", invoice="i", amount=150)
    assert (told["kind"], told["refused_by"]) == ("denied", "policy")
    assert "as policies changed it" in told["because"]


def test_changes_that_chase_each_other_are_a_denial(office: Office) -> None:
    house(
        office,
        changing("up", "/amount=300", ABOUT_150),
        changing("down", "/amount=150", 'context.facts.amount == decimal("300.0")'),
    )
    told = office.propose(office.turn(), "pay", invoice="i", amount=150)
    assert (told["kind"], told["refused_by"]) == ("denied", "policy")
    assert "again and again" in told["because"]


def test_what_was_changed_counts_as_what_it_became(office: Office) -> None:
    house(office, changing("cap", "/amount=40", ABOUT_150))
    office.budget("100")
    turn = office.turn()
    told = office.propose(turn, "pay", invoice="i", amount=150)
    assert (told["kind"], told["arguments"]) == ("execute", {"invoice": "i", "amount": 40})
    action = office.action(told["id"])
    counted = count(office, turn, payload=action.payload)
    assert counted == (1, 1, 1, Decimal(40), Decimal(40))
    assert action.digest != action.payload


def count(office: Office, turn: str, *, payload: str = "", beside: str = "") -> Any:
    with office.db.read(SYSTEM) as tx:
        return store.counts(
            tx, turn_id=turn, agent="clerk", tool="pay", payload=payload, beside=beside
        )


def test_an_edit_moves_what_it_says(office: Office) -> None:
    turn = office.turn()
    asked = office.propose(turn, "pay", invoice="i", amount=2000)
    office.approve(asked["request"], Say.EDIT, arguments={"invoice": "i", "amount": 1500})
    office.grace()
    assert office.begin(asked["id"])["kind"] == "execute"
    assert count(office, turn)[3:] == (Decimal(1500), Decimal(1500))
    assert count(office, turn, beside=asked["id"]) == (0, 0, 0, Decimal(0), Decimal(0))


def test_what_did_not_happen_was_not_spent(office: Office) -> None:
    turn = office.turn()
    told = office.propose(turn, "pay", invoice="i", amount=60)
    lapse(office)
    assert count(office, turn)[3] == Decimal(60), "it may have happened"
    olga = office.api.person("operator", name="olga")
    path = f"/v1/actions/{told['id']}/reconcile"
    olga.post(path, {"happened": False, "reason": "the bank says so"})
    assert count(office, turn)[3] == Decimal(0)


def test_a_key_outlives_its_time_while_its_action_may_still_happen(office: Office) -> None:
    turn = office.turn()
    told = office.propose(turn, "pay", key="k", invoice="i", amount=60)
    lapse(office)
    office.clock.move(timedelta(days=40))
    assert office.expire() == 0
    again = office.propose(turn, "pay", key="k", invoice="i", amount=60)
    assert (again["kind"], again["id"]) == ("unknown", told["id"])
    office.report(told["id"], "failed", error="it never arrived")
    grant(office.db, Level.EXPANDED)  # an unknown outcome narrows it
    done = office.propose(turn, "pay", key="k", invoice="i", amount=60)
    office.report(done["id"], result="paid")
    assert "k" in keys(office)
    office.clock.move(timedelta(days=31))
    office.expire()
    assert "k" not in keys(office), "what is over and old is forgotten"


def test_a_refusal_on_the_way_gives_every_key_back(office: Office) -> None:
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(office.turn(), "book", order="o1", slot=3)
    office.approve(asked["request"], Say.EDIT, arguments={"order": "o2", "slot": 4})
    office.grace()
    told = office.begin(asked["id"])
    assert (told["kind"], len(keys(office))) == ("execute", 2)
    office.kill()
    path = f"/v1/actions/{told['id']}/begin"
    assert office.clerk.post(path, {"attempt": told["attempt"]})["kind"] == "denied"
    assert keys(office) == set()


def test_what_an_agent_found_out_itself_is_not_verified(office: Office) -> None:
    told = office.propose(office.turn(), "pay", invoice="i", amount=60)
    lapse(office)
    path = f"/v1/actions/{told['id']}/reconcile"
    office.clerk.post(path, {"happened": True, "reason": "my lookup says so"})
    with office.db.read(SYSTEM) as tx:
        (memory,) = memories.memories(tx, agent="clerk")
    assert (memory.outcome, memory.verified) == ("succeeded", False)


def test_nothing_is_used_up_where_nobody_can_carry_it_out(office: Office) -> None:
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(office.turn(), "send", order="o1")
    office.approve(asked["request"])
    office.grace()
    told = doors.begin(office.db, SYSTEM, asked["id"], executors=nobody)
    assert told.kind == "pending"
    with office.db.read(SYSTEM) as tx:
        assert requests.request(tx, asked["request"]).state == "approved"
    assert office.begin(asked["id"])["kind"] == "done"


def test_an_approval_waits_for_an_integration_that_is_left_alone(office: Office) -> None:
    turn = office.turn()
    grant(office.db, Level.APPROVE_EACH)
    asked = office.propose(turn, "send", order="o1")
    office.approve(asked["request"])
    office.grace()
    grant(office.db, Level.EXPANDED)
    office.there.say = [NOT_REACHED] * 3
    assert office.propose(turn, "send", order="broken")["kind"] == "failed"
    driver = workflow.Driver(office.db, office.executors)
    assert driver.look(asked["id"]) is not None
    assert (office.state(asked["id"]), office.there.sent) == (State.AWAITING_APPROVAL, 3)
    office.clock.move(timedelta(minutes=2))
    assert driver.look(asked["id"]) is None
    assert office.state(asked["id"]) is State.SUCCEEDED


def test_a_call_that_is_refused_spends_neither_the_trial_nor_the_number(office: Office) -> None:
    office.there.say = [NOT_REACHED] * 3
    turn = office.turn()
    assert office.propose(turn, "send", order="o0")["kind"] == "failed"
    office.clock.move(timedelta(minutes=2))
    budget = office.budget("0", Unit.CALLS)
    grant(office.db, Level.BOUNDED, envelope=Envelope(max_per_day=1))
    refused = office.propose(turn, "send", order="o1")
    assert (refused["kind"], refused["refused_by"]) == ("denied", "budget")
    with office.db.write(SYSTEM) as tx:
        budgets.remove_budget(tx, budget, reason="tests")
    assert office.propose(turn, "send", order="o2")["kind"] == "done"
    assert office.propose(turn, "send", order="o3")["kind"] == "pending"


def test_what_cannot_be_settled_holds_nothing_else_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = office.turn()
    first, second = (office.propose(turn, "pay", invoice=i, amount=1)["id"] for i in "ab")
    office.clock.move(timedelta(seconds=60))
    lapse_one = executing._lapse

    def poisoned(tx: Any, was: Any) -> None:
        lapse_one(tx, was)
        if was.id == first:
            raise RuntimeError("a row that nobody can read")

    with monkeypatch.context() as patch:
        patch.setattr(executing, "_lapse", poisoned)
        assert office.expire() == 1
    assert (office.state(first), office.state(second)) == (State.EXECUTING, State.UNKNOWN)
    assert "action.unknown" not in office.events(first)
    assert office.expire() == 1
    assert office.state(first) is State.UNKNOWN


def test_nothing_is_renewed_for_a_retired_agent_or_a_turn_whose_time_is_over(
    office: Office,
) -> None:
    turn = office.turn(deadline_seconds=5)
    told = office.propose(turn, "look", order="o")
    office.clock.move(timedelta(seconds=6))
    with office.db.write(SYSTEM) as tx:
        outcome = executing.begin(tx, told["id"], attempt=told["attempt"])
    assert (outcome.kind, office.action(told["id"]).refused_by) == ("denied", "budget")


def test_calls_of_agents_count_for_the_health_of_an_integration(office: Office) -> None:
    put(office.db, "integration", "tms", {"endpoint": "https://tms.example"})
    with office.db.write(SYSTEM) as tx:
        watching.watch(tx, "tms")
    office.there.say = [NOT_REACHED] * 3
    turn = office.turn()
    office.propose(turn, "send", order="o1")
    office.clock.move(timedelta(minutes=2))
    grant(office.db, Level.EXPANDED)
    assert office.propose(turn, "send", order="o2")["kind"] == "done"
    with office.db.read(SYSTEM) as tx:
        found = integrations.health_of(tx, integrations.standing_of(tx, "tms"))
    assert (found.calls, found.failures, found.faults) == (4, 3, {"unreachable": 3})
