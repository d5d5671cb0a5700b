"""Many who do the same at once: exactly one of them acts."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.actions.world import CLERK, SYSTEM, Office
from tests.api import Api

from opsroom.actions import doors
from opsroom.actions.errors import KeyReused
from opsroom.actions.model import Execute, Proposal, Running, State
from opsroom.budgets import queries as budgets
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor

AGENT = Actor("token:clerk", "default", frozenset({"act"}), human=False, agent=CLERK)
CROWD = 8


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Office:
    return Office(api, clock)


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """What each of so many gets that begin together; an error counts as an answer."""
    ready = threading.Barrier(count)

    def one(number: int) -> Any:
        ready.wait()
        try:
            return do(number)
        except Exception as error:  # noqa: BLE001  # it is what is looked at
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def propose(office: Office, turn: str, **given: Any) -> Any:
    return doors.propose(office.db, AGENT, turn, Proposal(**given), executors=office.executors)


def test_one_key_is_one_execution(office: Office) -> None:
    turns = [office.turn() for _ in range(CROWD)]
    call = {"tool": "pay", "key": "k", "arguments": {"invoice": "i", "amount": 5}}
    found = at_once(CROWD, lambda number: propose(office, turns[number], **call))
    assert sum(isinstance(one, Execute) for one in found) == 1, found
    assert sum(isinstance(one, Running) for one in found) == CROWD - 1
    assert len({one.id for one in found}) == 1


def test_one_key_and_other_payloads_are_one_execution_and_conflicts(office: Office) -> None:
    turns = [office.turn() for _ in range(CROWD)]

    def go(number: int) -> Any:
        arguments = {"invoice": "i", "amount": number + 1}
        return propose(office, turns[number], tool="pay", key="k", arguments=arguments)

    found = at_once(CROWD, go)
    assert sum(isinstance(one, Execute) for one in found) == 1, found
    assert sum(isinstance(one, KeyReused) for one in found) == CROWD - 1
    assert office.events().count("action.refused") == CROWD - 1


def test_what_opsroom_sends_is_sent_once(office: Office) -> None:
    turns = [office.turn() for _ in range(CROWD)]
    call = {"tool": "send", "arguments": {"order": "o1"}}
    found = at_once(CROWD, lambda number: propose(office, turns[number], **call))
    assert office.there.sent == 1
    assert len({one.id for one in found}) == 1


def test_one_approval_is_one_execution(office: Office) -> None:
    asked = office.propose(office.turn(), "pay", invoice="i", amount=2000)
    office.approve(asked["request"])
    office.grace()
    found = at_once(
        CROWD,
        lambda _: doors.begin(office.db, AGENT, asked["id"], executors=office.executors),
    )
    assert sum(isinstance(one, Execute) for one in found) == 1, found
    assert office.events(asked["id"]).count("action.executing") == 1


def test_a_budget_for_some_lets_some_through(office: Office) -> None:
    budget = office.budget("30")
    turns = [office.turn() for _ in range(CROWD)]

    def go(number: int) -> Any:
        arguments = {"invoice": f"i{number}", "amount": 10}
        return propose(office, turns[number], tool="pay", arguments=arguments)

    found = at_once(CROWD, go)
    assert sum(isinstance(one, Execute) for one in found) == 3, found
    with office.db.read(SYSTEM) as tx:
        standing = budgets.outlook(tx, budget).standing
    assert (int(standing.held), int(standing.settled)) == (30, 0)


def test_a_report_and_the_end_of_its_time_agree_on_one_story(office: Office) -> None:
    told = office.propose(office.turn(), "book", order="o1", slot=1)
    late = office.action(told["id"]).lease_until
    assert late is not None
    office.clock.move(late - office.clock.now())

    def go(number: int) -> Any:
        return (
            office.expire()
            if number % 2
            else office.report(told["id"], result={"booking": "b"})
        )

    at_once(4, go)
    assert office.state(told["id"]) is State.SUCCEEDED
    assert office.events(told["id"]).count("action.succeeded") == 1
