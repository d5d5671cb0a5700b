"""Drawing from traces: what is taken, of how many, and that nothing comes in twice."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.annotation.world import ADA, BEN
from tests.drift.world import look, run_of, usual, work
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.actions import turn_store
from opsroom.actions.model import Final, Turn
from opsroom.annotation import (
    How,
    NothingToDraw,
    QueueDraft,
    Source,
    commands,
    queries,
    sampling,
    store,
)
from opsroom.annotation.model import Queue
from opsroom.drift.errors import DriftNotFound
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.traces.draws import Way, draw, exchanges
from opsroom.traces.errors import BadTraceFilter, TraceNotFound
from opsroom.traces.exchange import exchange
from opsroom.traces.model import Filter
from opsroom.traces.queries import page, trace

DAY = timedelta(days=1)


def at_home(who: Actor, room: Room) -> Actor:
    return replace(who, project=room.project)


def queue_of(db: Database, room: Room, how: How, **given: Any) -> Queue:
    target = given.pop("target", 50)
    draft = QueueDraft(
        name=how.value, source=Source(how=how, hours=24, **given), target=target, second=0.5
    )
    with db.write(at_home(ADA, room)) as tx:
        return commands.open_queue(tx, draft)


def drawn(db: Database, room: Room, queue: Queue, **given: Any) -> Any:
    return sampling.sample(db, room.traces, at_home(ADA, room), queue.id, **given)


def views(db: Database, room: Room, queue: Queue) -> list[Any]:
    with db.read(at_home(BEN, room)) as tx:
        return [one for _, one in queries.tasks(tx, queue.id, limit=500)]


def test_a_random_draw_says_of_how_many_and_never_twice(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), days=1, a_day=40)
    queue = queue_of(sqlite_db, room, How.RANDOM, target=10)
    first = drawn(sqlite_db, room, queue)
    assert (first.population, first.drawn, first.added, first.wordless) == (40, 10, 10, 0)
    again = drawn(sqlite_db, room, queue)
    assert (again.population, again.drawn, again.added) == (40, 10, 0)
    more = drawn(sqlite_db, room, queue, size=25)
    assert (more.drawn, more.added) == (25, 15)  # the larger draw holds the smaller one
    found = views(sqlite_db, room, queue)
    assert len({one.subject for one in found}) == 25
    assert all(one.input.startswith("where is the") for one in found)
    assert all(one.output.startswith("the ") for one in found)
    assert {one.domain for one in found} == {"clerk"}
    assert all(one.subject == f"trace/{one.trace}" for one in found)
    with sqlite_db.read(at_home(ADA, room)) as tx:
        last = queries.queue(tx, queue.id).last
    assert last == more


def test_a_seed_draws_the_same_and_without_one_nobody_can_foresee_it(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), a_day=40)

    def taken(seed: str) -> set[str]:
        queue = queue_of(sqlite_db, room, How.RANDOM, seed=seed, target=10)
        drawn(sqlite_db, room, queue)
        with sqlite_db.read(at_home(ADA, room)) as tx:
            assert store.secret_of(tx, queue.id) not in str(queries.report(tx, queue.id))
        return {one.trace for one in views(sqlite_db, room, queue)}

    assert taken("7") == taken("7")
    assert taken("") != taken("")


def test_a_draw_takes_every_trace_with_the_same_chance(room: Room, clock: ManualClock) -> None:
    now = clock.now()
    work(room, now, a_day=40)
    taken: dict[str, int] = {}
    for seed in range(100):
        lot = draw(
            room.traces, room.project, Filter(), Way.RANDOM,
            since=now - DAY, until=now, seed=str(seed), most=10,
        )  # fmt: skip
        assert lot.population == 40
        for one in lot.traces:
            taken[one] = taken.get(one, 0) + 1
    # Each is expected 25 times of 100, standard deviation 4.3: four and a half of them each way.
    assert len(taken) == 40
    assert all(6 <= many <= 44 for many in taken.values())


def test_a_draw_keeps_to_its_window_its_agent_and_its_filter(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    work(room, clock.now(), a_day=20, strange_share=0.25)
    work(room, clock.now(), a_day=20, agent="porter", seed=2)
    clerk = queue_of(sqlite_db, room, How.RANDOM, agent="clerk")
    assert drawn(sqlite_db, room, clerk).population == 20
    refunds = queue_of(sqlite_db, room, How.RANDOM, q="tool:refund")
    assert drawn(sqlite_db, room, refunds).population == 5
    nothing = queue_of(sqlite_db, room, How.RANDOM, agent="nobody")
    none = drawn(sqlite_db, room, nothing)
    assert (none.population, none.drawn, none.added) == (0, 0, 0)
    clock.move(timedelta(hours=12))
    assert drawn(sqlite_db, room, clerk).population == 9
    with pytest.raises(BadTraceFilter):
        queue_of(sqlite_db, room, How.RANDOM, q="tool:")
    given = queue_of(sqlite_db, room, How.GIVEN)
    with pytest.raises(NothingToDraw):
        drawn(sqlite_db, room, given)


def test_the_least_sure_come_first(sqlite_db: Database, room: Room, clock: ManualClock) -> None:
    work(room, clock.now(), a_day=40, strange_share=0.1)  # four runs with a third of confidence
    queue = queue_of(sqlite_db, room, How.UNCERTAIN, target=4)
    found = drawn(sqlite_db, room, queue)
    assert (found.population, found.added) == (40, 4)
    assert all("subscription" in one.input for one in views(sqlite_db, room, queue))


def test_what_failed_or_went_to_a_person(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    begin = int((clock.now() - timedelta(hours=2)).timestamp()) * 10**9
    draw_of = random.Random(1)
    spans: list[dict[str, Any]] = []
    for number in range(1, 7):
        one = run_of(f"{number:032x}", begin + number * 10**9, usual(draw_of), "clerk")
        spans += one
    spans[1] |= {"status": 2}  # the model call of the first failed
    spans[4] |= {"gen_ai.evaluation.score.label": "Fail"}  # an evaluator said so of the second
    room.send(request(*spans))
    home = at_home(Actor("agent:clerk", "", human=False, agent="clerk"), room)
    for number, final in ((3, Final.ESCALATED), (4, Final.ABANDONED), (5, Final.DONE)):
        with sqlite_db.write(home) as tx:
            _turn(tx, f"{number:032x}", final)
    queue = queue_of(sqlite_db, room, How.FAILED)
    found = drawn(sqlite_db, room, queue)
    assert found.population == 4
    assert {int(one.trace, 16) for one in views(sqlite_db, room, queue)} == {1, 2, 3, 4}


def _turn(tx: Any, trace_id: str, final: Final) -> None:
    """A turn that ended like that, as the agent's program reports it."""
    turn = Turn(
        id=tx.ids.new("trn"),
        agent="clerk",
        version="agent/clerk@1",
        manifest="0" * 64,
        environment="production",
        intent="answer",
        trace=trace_id,
        final=final,
        started_at=tx.now - timedelta(hours=2),
        ended_at=tx.now - timedelta(hours=1),
    )
    turn_store.add_turn(tx, turn)


def test_examples_of_a_drift(sqlite_db: Database, room: Room, clock: ManualClock) -> None:
    work(room, clock.now(), days=14, strange_share=0.6)
    drifts = look(sqlite_db, room)
    queue = queue_of(sqlite_db, room, How.DRIFT, drift=drifts["tools"].id)
    found = drawn(sqlite_db, room, queue)
    assert found.population == found.added == len(drifts["tools"].traces_now) > 0
    assert all("subscription" in one.input for one in views(sqlite_db, room, queue))
    every = queue_of(sqlite_db, room, How.DRIFT, agent="clerk")
    assert drawn(sqlite_db, room, every).population >= found.population
    other = queue_of(sqlite_db, room, How.DRIFT, agent="porter")
    assert drawn(sqlite_db, room, other).added == 0
    lost = queue_of(sqlite_db, room, How.DRIFT, drift="dft_gone")
    with pytest.raises(DriftNotFound):
        drawn(sqlite_db, room, lost)


def test_traces_by_their_ids(sqlite_db: Database, room: Room, clock: ManualClock) -> None:
    work(room, clock.now(), a_day=5)
    ids = [one.trace_id for one in page(room.traces, room.project, Filter(), now=clock.now())]
    queue = queue_of(sqlite_db, room, How.GIVEN)
    ada = at_home(ADA, room)
    wanted = [ids[0], ids[1].upper()]
    assert sampling.add_traces(sqlite_db, room.traces, ada, queue.id, wanted) == 2
    assert sampling.add_traces(sqlite_db, room.traces, ada, queue.id, ids[:3]) == 1
    for missing in (["f" * 32], [ids[3], "f" * 32], []):
        with pytest.raises(TraceNotFound):
            sampling.add_traces(sqlite_db, room.traces, ada, queue.id, missing)
    assert len(views(sqlite_db, room, queue)) == 3


def test_what_a_draw_reads_is_what_the_trace_says(room: Room, clock: ManualClock) -> None:
    now = clock.now()
    work(room, now, a_day=10)
    ids = [one.trace_id for one in page(room.traces, room.project, Filter(), now=now)]
    found = exchanges(room.traces, room.project, ids, since=now - DAY, until=now)
    assert found == {one: exchange(trace(room.traces, room.project, one)) for one in ids}


def test_words_that_were_not_kept_are_counted(
    sqlite_db: Database, room: Room, clock: ManualClock
) -> None:
    begin = int((clock.now() - timedelta(hours=2)).timestamp()) * 10**9
    told = usual(random.Random(1))
    room.send(request(*run_of("1" * 32, begin, told, "clerk")), contents=False)
    queue = queue_of(sqlite_db, room, How.RANDOM)
    found = drawn(sqlite_db, room, queue)
    assert (found.added, found.wordless) == (1, 1)
