"""An agent ends step by step, and not while anybody calls it."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.sunset.world import (
    AGENT,
    DAY,
    NEXT,
    approved,
    ben,
    driven,
    hire,
    olga,
    proposed,
    root,
    work,
)
from tests.telemetry import Room

from opsroom.access import commands as access
from opsroom.access import queries as access_queries
from opsroom.access.errors import AgentGone
from opsroom.access.uses import Uses
from opsroom.actions import turning
from opsroom.actions.model import Final, Turn
from opsroom.actions.turning import TurnDraft
from opsroom.agents import AgentWindingDown
from opsroom.agents import queries as agents
from opsroom.app.acting import serve
from opsroom.app.kinds import KINDS
from opsroom.approvals import ApproverIsRequester, NotAPerson
from opsroom.autonomy import queries as autonomy
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.overview import queries as overview
from opsroom.sunset import commands, queries, watching
from opsroom.sunset.errors import (
    BadSunset,
    CallersAlive,
    NoProof,
    NotQuietLongEnough,
    SunsetMoved,
    SunsetUnderWay,
    WrongState,
)
from opsroom.sunset.model import Plan, State, Sunset
from opsroom.sunset.workflow import Driver


def begun(db: Database, room: Room) -> Sunset:
    hire(db, AGENT, NEXT, project=room.project)
    one = proposed(db, project=room.project)
    assert asked_of(db, ben(room.project)) == ["waits for your approval"]
    assert asked_of(db, olga(room.project)) == []  # who proposed it
    return approved(db, one, project=room.project)


def asked_of(db: Database, who: Actor) -> list[str]:
    """What the first page asks somebody to do about sunsets."""
    with db.read(who) as tx:
        return [one.wants for one in overview.tasks(tx) if one.href.startswith("/sunsets/")]


def asleep(db: Database, clock: ManualClock, room: Room) -> Sunset:
    one = driven(db, clock, begun(db, room), room.traces, 8)
    assert one.state is State.DORMANT
    return one


def sign(db: Database, room: Room, one: Sunset, telemetry: object = True) -> Sunset:
    actor = ben(room.project)
    seen = watching.observe(db, room.traces if telemetry else None, actor, one.id)
    with db.write(actor) as tx:
        now = queries.sunset(tx, one.id)
        return commands.decommission(tx, one.id, seen, binding=now.binding, reason="yes")


def turn(db: Database, room: Room, subject: str) -> Turn:
    actor = Actor(f"agent:{AGENT}", room.project, human=False, agent=AGENT, token="tok_1")
    with db.write(actor) as tx:
        draft = TurnDraft(agent=AGENT, intent="quote", subject=subject)
        return turning.begin_turn(tx, draft, serve=serve)


def served(db: Database, room: Room) -> int:
    """Of a hundred subjects, how many the agent still serves."""
    found = 0
    for number in range(100):
        with suppress(AgentWindingDown), db.read(olga(room.project)) as tx:
            agents.admit(tx, AGENT, f"customer {number}")
            found += 1
    return found


def test_the_whole_way(db: Database, clock: ManualClock, room: Room) -> None:
    one = begun(db, room)
    with db.write(root(room.project)) as tx:
        token, secret = access.issue_token(tx, "desk-1", ("agent",), agent=AGENT)
    left = turn(db, room, "customer 1")
    shares = [served(db, room)]
    for days in (0, 4, 2, 2):
        one = driven(db, clock, one, room.traces, days)
        shares.append(served(db, room))
    assert shares[:2] == [100, 100]
    assert 35 < shares[2] < 65
    assert 3 < shares[3] < 20
    assert shares[4] == 0
    assert (one.state, one.share) == (State.DORMANT, 0)
    with pytest.raises(NotQuietLongEnough):
        sign(db, room, one)
    one = driven(db, clock, one, room.traces, 10)
    assert one.asked
    (wants,) = asked_of(db, ben(room.project))
    assert wants == "waits for your signature: nobody called for 10 days"
    one = sign(db, room, one)
    assert one.state is State.DECOMMISSIONED
    with db.read(Actor("nobody", "", human=False)) as tx, pytest.raises(AgentGone) as gone:
        access.actor_of_token(tx, secret)
    assert (
        gone.value.as_dict()["hint"]
        == f"call the agent '{NEXT}' instead, with a token of its own"
    )
    one = driven(db, clock, one, room.traces, 0)
    assert one.state is State.ARCHIVED
    with db.read(olga(room.project)) as tx:
        assert autonomy.stopped(tx, AGENT) is not None
        assert all(not each.alive(tx.now) for each in access_queries.tokens(tx))
        assert turning.get(tx, left.id).final is Final.ABANDONED
        lines = "".join(queries.export(tx, one.id)).splitlines()
        told = [tell(entry) for entry, _ in journal.entries(tx, subject=one.subject)]
    parts = [json.loads(line) for line in lines]
    assert {
        "sunset",
        "agent",
        "version",
        "labels",
        "autonomy",
        "retraining",
        "token",
        "turn",
    } == {each["part"] for each in parts}
    assert secret.rpartition("_")[2] not in "".join(lines)
    assert [each["token"]["id"] for each in parts if each["part"] == "token"] == [token.id]
    steps = [each.step for each in one.done]
    assert steps == [
        "proposed", "approved", "announced", "ramp_50", "ramp_10", "dormant", "quiet", "proof",
        "signed", "credentials", "export", "integrations", "schedules", "archived",
    ]  # fmt: skip
    assert "desk is archived" in {each.title for each in told}
    with pytest.raises(WrongState), db.write(olga(room.project)) as tx:
        commands.reinstate(tx, one.id, reason="we want it back")
    with pytest.raises(AgentGone):
        turn(db, room, "customer 1")


def test_one_hidden_caller_keeps_it_alive(db: Database, clock: ManualClock, room: Room) -> None:
    """Whoever still calls is seen by the token, however silent their traces are."""
    one = asleep(db, clock, room)
    clock.move(9 * DAY)
    uses = Uses()
    hidden = Actor("token:nightly", room.project, human=False, token="tok_night")
    uses.note(hidden, AGENT, "GET /v1/resolve", at=clock.now())
    assert uses.keep(db) == 1
    clock.move(2 * DAY)
    with pytest.raises(CallersAlive) as refused:
        sign(db, room, one)
    assert "token:nightly with tok_night, last 2026-12-07 00:00 UTC (token)" in str(
        refused.value
    )
    one = driven(db, clock, one, room.traces, 7)
    assert one.seen is not None
    assert [each.caller for each in one.seen.callers] == ["token:nightly"]
    with pytest.raises(NotQuietLongEnough):
        sign(db, room, one)
    one = driven(db, clock, one, room.traces, 2)
    assert sign(db, room, one).state is State.DECOMMISSIONED


def test_a_caller_known_from_traces_alone(
    sqlite_db: Database, clock: ManualClock, room: Room
) -> None:
    db = sqlite_db
    one = asleep(db, clock, room)
    clock.move(11 * DAY)
    work(room, led_by="orchestrator", at=clock.now() - timedelta(hours=3))
    with pytest.raises(CallersAlive) as refused:
        sign(db, room, one)
    assert "agent:orchestrator, last" in str(refused.value)
    assert "(trace)" in str(refused.value)


def test_a_call_between_looking_and_signing_counts(
    sqlite_db: Database, clock: ManualClock, room: Room
) -> None:
    db = sqlite_db
    one = asleep(db, clock, room)
    one = driven(db, clock, one, room.traces, 10)
    actor = ben(room.project)
    seen = watching.observe(db, room.traces, actor, one.id)
    clock.move(timedelta(seconds=1))
    uses = Uses()
    uses.note(
        Actor("token:late", room.project, human=False), AGENT, "POST /v1/turns", at=clock.now()
    )
    uses.keep(db)
    with pytest.raises(CallersAlive), db.write(actor) as tx:
        commands.decommission(tx, one.id, seen, binding=one.binding)


def test_nothing_is_proven_without_traces(
    sqlite_db: Database, clock: ManualClock, room: Room
) -> None:
    db = sqlite_db
    one = asleep(db, clock, room)
    one = driven(db, clock, one, None, 12)
    assert one.state is State.DORMANT
    assert not one.asked
    with pytest.raises(NoProof):
        sign(db, room, one, telemetry=False)


def test_who_proposes_neither_approves_nor_signs(
    sqlite_db: Database, clock: ManualClock, room: Room
) -> None:
    db = sqlite_db
    hire(db, AGENT, NEXT, project=room.project)
    one = proposed(db, project=room.project)
    author = Actor("olga", room.project, frozenset({"review"}), ("reviewer",))
    with pytest.raises(ApproverIsRequester), db.write(author) as tx:
        commands.approve(tx, one.id, binding=one.binding)
    with (
        pytest.raises(NotAPerson),
        db.write(Actor("token:ci", room.project, frozenset({"review"}), human=False)) as tx,
    ):
        commands.approve(tx, one.id, binding=one.binding)
    with pytest.raises(SunsetMoved), db.write(ben(room.project)) as tx:
        commands.approve(tx, one.id, binding="0" * 64)
    one = driven(db, clock, approved(db, one, project=room.project), room.traces, 18)
    seen = watching.observe(db, room.traces, author, one.id)
    with pytest.raises(ApproverIsRequester), db.write(author) as tx:
        commands.decommission(tx, one.id, seen, binding=one.binding)


@pytest.mark.parametrize("days", [None, 0, 5, 15])
def test_reinstated_from_everywhere_before_the_end(
    sqlite_db: Database, clock: ManualClock, room: Room, days: int | None
) -> None:
    db = sqlite_db
    hire(db, AGENT, NEXT, project=room.project)
    one = proposed(db, project=room.project)
    if days is not None:
        one = driven(db, clock, approved(db, one, project=room.project), room.traces, days)
    with db.write(olga(room.project)) as tx:
        one = commands.reinstate(tx, one.id, reason="somebody needs it")
    assert one.state is State.REINSTATED
    assert served(db, room) == 100
    assert Driver(db, room.traces, KINDS).look(one.id) is None
    assert proposed(db, project=room.project).state is State.PROPOSED


def test_what_cannot_be_proposed(sqlite_db: Database) -> None:
    db = sqlite_db
    hire(db, AGENT, NEXT, "other")
    proposed(db)
    with pytest.raises(SunsetUnderWay):
        proposed(db)
    with pytest.raises(BadSunset):
        proposed(db, agent="other", successor="other")
    with pytest.raises(BadSunset):
        Plan(dormant=0.5)
    with pytest.raises(BadSunset):
        Plan(at_100=float("nan"))


def test_a_sunset_is_of_its_project(sqlite_db: Database, clock: ManualClock) -> None:
    db = sqlite_db
    hire(db, AGENT, NEXT)
    hire(db, AGENT, NEXT, project="elsewhere")
    one = driven(db, clock, approved(db, proposed(db)), None, 9)
    with db.read(olga("elsewhere")) as tx:
        assert queries.sunsets(tx, everything=True) == []
        assert agents.admit(tx, AGENT, "x") is None
    assert one.share == 0
