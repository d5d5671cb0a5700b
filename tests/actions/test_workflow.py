"""What goes on without anybody asking: approved actions, lookups, and what was left behind."""

from datetime import timedelta

import pytest
from tests.actions.world import SYSTEM, Office, grant
from tests.api import Api

from opsroom.actions import doors, proposing, store, workflow
from opsroom.actions.model import Proposal, State
from opsroom.autonomy.model import Level
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock


class Stopped(BaseException):
    """The process ended here."""


@pytest.fixture
def office(api: Api, clock: ManualClock) -> Office:
    return Office(api, clock, level=Level.APPROVE_EACH)


def test_an_approved_action_is_carried_out_by_the_loop_once(office: Office) -> None:
    driver = workflow.Driver(office.db, office.executors)
    asked = office.propose(office.turn(), "send", order="o1")
    assert asked["kind"] == "pending"
    assert driver.look(asked["id"]) is not None, "it goes on waiting"
    office.approve(asked["request"])
    assert driver.look(asked["id"]) is not None, "it can still be taken back"
    assert office.there.sent == 0
    office.grace()
    assert driver.look(asked["id"]) is None
    assert driver.look(asked["id"]) is None
    assert (office.state(asked["id"]), office.there.sent) == (State.SUCCEEDED, 1)


def test_the_loop_obeys_the_kill_switch(office: Office) -> None:
    driver = workflow.Driver(office.db, office.executors)
    asked = office.propose(office.turn(), "send", order="o1")
    office.approve(asked["request"])
    office.grace()
    office.kill()
    assert driver.look(asked["id"]) is None
    assert (office.state(asked["id"]), office.there.sent) == (State.DENIED, 0)


def test_what_was_reserved_and_never_begun_is_given_up(office: Office) -> None:
    """The server died between deciding and beginning: nothing was sent, so nothing is unknown."""
    grant(office.db, Level.EXPANDED)
    turn = office.turn()
    with office.db.write(SYSTEM) as tx:
        left = proposing.propose(tx, turn, Proposal(tool="send", arguments={"order": "o1"}))
    assert office.state(left.id) is State.RESERVED
    assert office.expire() == 0
    office.clock.move(timedelta(minutes=2))
    assert office.expire() == 1
    assert office.state(left.id) is State.DEFERRED
    assert office.propose(turn, "send", order="o1")["kind"] == "done"


def test_what_was_sent_and_never_recorded_is_unknown(office: Office) -> None:
    grant(office.db, Level.EXPANDED)

    def stop() -> None:
        raise Stopped

    faults.arm("action.after_effect", stop)
    turn = office.turn()
    proposal = Proposal(tool="send", arguments={"order": "o1"})
    with pytest.raises(Stopped):
        doors.propose(office.db, SYSTEM, turn, proposal, executors=office.executors)
    faults.disarm()
    assert office.there.sent == 1
    office.clock.move(timedelta(minutes=2))
    assert office.expire() == 1
    with office.db.read(SYSTEM) as tx:
        (only,) = store.page(tx, limit=10)
    assert only.state is State.UNKNOWN
    again = office.propose(turn, "send", order="o1")
    assert (again["kind"], office.there.sent) == ("unknown", 1), "never a silent retry"
