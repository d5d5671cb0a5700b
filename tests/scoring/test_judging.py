"""A share of finished traces is judged, told in telemetry once, and stands for the others."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from tests.telemetry import Room
from tests.traces.otlp import request

from opsroom.app.kinds import KINDS
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.models import ModelRefused, ModelRequest, ModelUnavailable, Output
from opsroom.registry import ArtifactDraft, ArtifactNotFound, BadReference, VersionDraft
from opsroom.registry import commands as registry
from opsroom.scoring import commands, judging
from opsroom.scoring.errors import BadScoring
from opsroom.scoring.model import Scoring, Wanted, below, weight
from opsroom.traces.judgements import judged

SECOND = 1_000_000_000
POLITE = {"type": "icontains", "value": "please", "metric": "polite"}


JUDGE = {"type": "llm-judge", "metric": "kind", "rubric": "Is it kind?", "model": "m"}
GOOD = Output(text='{"reason": "fine", "verdict": "pass"}')
AWAY = ModelUnavailable(model="m", endpoint="e", why="it is down")
REFUSED = ModelRefused(model="m", endpoint="e", answered=400, why="content filter")
NO_KEY = ModelRefused(model="m", endpoint="e", answered=401, why="wrong key")


class Judge:
    """Models that all answer, or raise, what is said of the words in the question."""

    def __init__(self, **to: Output | Exception) -> None:
        self.to, self.times = to, 0

    @asynccontextmanager
    async def opened(self) -> Any:
        yield lambda _: self

    async def complete(self, asked: ModelRequest) -> Output:
        self.times += 1
        words = str(asked.messages)
        said = next((one for word, one in self.to.items() if word in words), GOOD)
        if isinstance(said, Exception):
            raise said
        return said


class NoModels:
    @asynccontextmanager
    async def opened(self) -> Any:
        yield lambda name: pytest.fail(f"{name} was asked")


def actor(room: Room) -> Actor:
    return Actor("olga", room.project, frozenset({"read", "operate", "administer"}))


def put(db: Database, room: Room, kind: str, name: str, spec: dict[str, Any]) -> None:
    with db.write(actor(room)) as tx:
        of = registry.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
        made = registry.create_version(tx, kind, name, VersionDraft(spec=spec), kinds=KINDS)
        registry.move_label(tx, of, "production", made.number, how="merge", reason="tests")


def decide(
    db: Database,
    room: Room,
    *,
    agent: str = "clerk",
    evaluators: tuple[str, ...] = ("polite",),
    **wanted: Any,
) -> Scoring:
    with db.write(actor(room)) as tx:
        return commands.decide(tx, agent, Wanted(evaluators=evaluators, **wanted))


def standing(db: Database, room: Room) -> Scoring:
    with db.read(actor(room)) as tx:
        return commands.scoring(tx, "clerk")


def work(room: Room, clock: ManualClock, *said: str, first: int = 1) -> None:
    start = int(clock.now().timestamp()) * SECOND
    for number, text in enumerate(said, first):
        trace = f"{number:032x}"
        room.send(
            request(
                {
                    "trace": trace, "id": "00000000000000a1", "name": "invoke_agent clerk",
                    "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk",
                    "start": start, "end": start + SECOND, "input.value": "where is it?",
                    "output.value": text,
                }
            )
        )  # fmt: skip
    room.settle()


def look(db: Database, room: Room, clock: ManualClock, models: Any = None) -> int:
    clock.move(timedelta(minutes=6))
    return judging.look(db, room.traces, models or NoModels())


def found(room: Room, clock: ManualClock) -> dict[tuple[str, str], int]:
    now = clock.now()
    told = judged(room.traces, room.project, since=now - timedelta(days=2), until=now, limit=50)
    assert {one.evaluation for one in told} <= {"polite", "kind"}
    return {(one.agent, one.label): one.times for one in told}


@pytest.fixture
def desk(db: Database, room: Room) -> Room:
    """A clerk, and an evaluator in production."""
    put(db, room, "evaluator", "polite", POLITE)
    put(db, room, "agent", "clerk", {"model": {"model": "m"}})
    return room


def test_what_finishes_is_judged_once_and_counted_where_others_verdicts_are(
    db: Database, desk: Room, clock: ManualClock
) -> None:
    work(desk, clock, "please wait", first=90)  # finished before anybody decided
    clock.move(timedelta(minutes=1))
    decide(db, desk, share=1.0)
    work(desk, clock, "yes, please", "no", "please")
    assert look(db, desk, clock) == 3
    assert found(desk, clock) == {("clerk", "pass"): 2, ("clerk", "fail"): 1}
    assert look(db, desk, clock) == 0
    with db.read(actor(desk)) as tx:
        now = commands.scoring(tx, "clerk")
    assert (now.judged, now.unjudged) == (3, 0)
    spans = desk.traces.rows(
        "SELECT attributes['opsroom.evaluation.weight'] AS weight, parent_id, sender FROM spans "
        "FINAL WHERE project = {project:String} AND operation = 'evaluation'",
        {"project": desk.project},
    )
    assert {(one["weight"], one["parent_id"]) for one in spans} == {("1", "00000000000000a1")}
    assert {one["sender"] for one in spans} == {judging.SYSTEM}


def test_a_round_that_is_repeated_writes_the_same(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_sqlite
    decide(sqlite_db, desk, share=1.0)
    work(desk, clock, "please", "no")
    keep = judging._keep
    monkeypatch.setattr(judging, "_keep", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        look(sqlite_db, desk, clock)
    monkeypatch.setattr(judging, "_keep", keep)
    clock.move(judging.LEASE)
    assert look(sqlite_db, desk, clock) == 2
    assert sum(found(desk, clock).values()) == 2


def test_two_agents_in_one_trace_each_have_their_verdict(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock
) -> None:
    desk = desk_sqlite
    put(sqlite_db, desk, "agent", "helper", {"model": {"model": "m"}})
    for agent in ("clerk", "helper"):
        decide(sqlite_db, desk, agent=agent, share=1.0)
    start = int(clock.now().timestamp()) * SECOND
    took_part = [
        {
            "trace": f"{1:032x}", "id": span * 16, "parent": parent, "name": "invoke_agent",
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, "start": start,
            "end": start + SECOND, "input.value": "where is it?", "output.value": said,
        }
        for span, parent, name, said in (
            ("a", "", "clerk", "please wait"), ("b", "a" * 16, "helper", "no"),
        )
    ]  # fmt: skip
    desk.send(request(*took_part))
    desk.settle()
    assert [look(sqlite_db, desk, clock) for _ in range(2)] == [1, 1]
    assert found(desk, clock) == {("clerk", "pass"): 1, ("helper", "fail"): 1}


def test_a_days_limit_takes_the_same_ones_and_lets_them_stand_for_more(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock
) -> None:
    desk = desk_sqlite
    decide(sqlite_db, desk, share=1.0, most_a_day=2)
    work(desk, clock, *["please"] * 5)
    assert look(sqlite_db, desk, clock) == 2
    weights = desk.traces.rows(
        "SELECT DISTINCT attributes['opsroom.evaluation.weight'] AS weight FROM spans "
        "WHERE project = {project:String} AND operation = 'evaluation'",
        {"project": desk.project},
    )
    assert [one["weight"] for one in weights] == ["2.5"]
    work(desk, clock, "please", first=50)
    assert look(sqlite_db, desk, clock) == 0
    clock.move(timedelta(days=1))
    assert look(sqlite_db, desk, clock) == 1, "what waited for the next day is not forgotten"


def test_one_trace_that_is_refused_costs_the_others_nothing(
    db: Database, desk: Room, clock: ManualClock
) -> None:
    put(db, desk, "evaluator", "kind", JUDGE)
    decide(db, desk, evaluators=("kind",), share=1.0, most_a_day=5)
    work(desk, clock, "yes", "awful", "no")
    judge = Judge(awful=REFUSED)
    assert look(db, desk, clock, judge) == 3
    assert found(desk, clock) == {("clerk", "pass"): 2}
    now = standing(db, desk)
    assert (now.judged, now.unjudged, now.left(clock.now())) == (2, 1, 2)
    assert "of 1 of 3 traces" in now.because
    assert "content filter" in now.because
    assert look(db, desk, clock, judge) == 0, "what is refused is not asked again"
    assert judge.times == 3
    work(desk, clock, "yes", first=20)
    assert look(db, desk, clock, judge) == 1
    assert standing(db, desk).because == ""


@pytest.mark.parametrize("error", [AWAY, NO_KEY, TimeoutError()])
def test_while_the_judge_is_away_nothing_is_passed_over_and_the_days_limit_holds(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock, error: Exception
) -> None:
    db, desk = sqlite_db, desk_sqlite
    put(db, desk, "evaluator", "kind", JUDGE)
    since = decide(db, desk, evaluators=("kind",), share=1.0, most_a_day=6).since
    work(desk, clock, "yes", "no")
    away = Judge(o=error)
    assert look(db, desk, clock, away) == 0
    now = standing(db, desk)
    assert (now.since, now.judged, now.unjudged) == (since, 0, 2)
    assert now.because
    assert look(db, desk, clock, away) == 0
    assert look(db, desk, clock, away) == 0
    assert away.times == 4, "it waits longer from time to time"
    clock.move(timedelta(hours=2))
    look(db, desk, clock, away)
    clock.move(timedelta(hours=2))
    look(db, desk, clock, away)
    assert away.times == 6, "no more than a day's limit are asked"
    assert standing(db, desk).because, "why nothing is judged is still said"
    clock.move(timedelta(days=1))
    assert look(db, desk, clock, Judge()) == 2
    assert found(desk, clock) == {("clerk", "pass"): 2}


def test_a_judge_that_never_answers_is_not_waited_for(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asleep(Judge):
        async def complete(self, asked: ModelRequest) -> Output:
            if "awful" in str(asked.messages):
                await asyncio.Event().wait()
            return GOOD

    put(sqlite_db, desk_sqlite, "evaluator", "kind", JUDGE)
    decide(sqlite_db, desk_sqlite, evaluators=("kind",), share=1.0)
    work(desk_sqlite, clock, "yes", "awful")
    monkeypatch.setattr(judging, "LONGEST_VERDICT", timedelta(milliseconds=20))
    assert look(sqlite_db, desk_sqlite, clock, Asleep()) == 2
    assert found(desk_sqlite, clock) == {("clerk", "pass"): 1}


def test_what_cannot_judge_is_refused(
    sqlite_db: Database, desk_sqlite: Room, clock: ManualClock
) -> None:
    desk = desk_sqlite
    put(sqlite_db, desk, "evaluator", "tools", {"type": "tool-call", "tool": "x"})
    for wanted in (
        Wanted(evaluators=("tools",)),
        Wanted(evaluators=("polite", "polite")),
        Wanted(share=0.0),
        Wanted(share=float("nan")),
        Wanted(most_a_day=0),
    ):
        with sqlite_db.write(actor(desk)) as tx, pytest.raises(BadScoring):
            commands.decide(tx, "clerk", wanted)
    for wanted in (Wanted(evaluators=("nobody",)), Wanted(evaluators=("a b",))):
        with (
            sqlite_db.write(actor(desk)) as tx,
            pytest.raises((ArtifactNotFound, BadReference)),
        ):
            commands.decide(tx, "clerk", wanted)


def test_shares_and_weights() -> None:
    assert below(1.0) == 2**64 - 1
    assert below(0.5) == 2**63
    assert weight(0.1, drawn=40, taken=20) == 20.0
    assert weight(0.1, drawn=0, taken=0) == 0.0


@pytest.fixture
def desk_sqlite(sqlite_db: Database, room: Room) -> Room:
    put(sqlite_db, room, "evaluator", "polite", POLITE)
    put(sqlite_db, room, "agent", "clerk", {"model": {"model": "m"}})
    return room
