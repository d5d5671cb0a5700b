"""Many people at once: one history, one winner for each step, nobody overwritten."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier

import pytest
from tests.registry.world import KINDS, person

from opsroom.approvals import Answer
from opsroom.journal import queries as journal
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import Conflict, Failed, OpsroomError
from opsroom.registry import (
    ArtifactDraft,
    Check,
    Criticality,
    LabelMoved,
    NotReady,
    Ref,
    VersionDraft,
    commands,
    proposals,
    queries,
)

ADA = person("ada", "author")
AT_ONCE = 8


def together(count: int, run: Callable[[int], object]) -> list[object]:
    """Run it `count` times, all starting together; errors of ours are outcomes."""
    ready = Barrier(min(count, AT_ONCE))

    def one(number: int) -> object:
        if number < AT_ONCE:
            ready.wait()
        try:
            return run(number)
        except OpsroomError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def desk(db: Database) -> Database:
    """An assistive artifact with ten versions, the first in production."""
    with db.write(ADA) as tx:
        draft = ArtifactDraft(kind="note", name="a", criticality=Criticality.ASSISTIVE)
        of = commands.create_artifact(tx, draft, kinds=KINDS)
        for number in range(1, 11):
            version = VersionDraft(spec={"text": str(number)})
            commands.create_version(tx, "note", "a", version, kinds=KINDS)
        commands.move_label(tx, of, "production", 1, how="merge", reason="")
    return db


def check_history(db: Database, label: str = "production") -> list[int]:
    """The moves of a label as a chain: each begins where the one before it ended."""
    with db.read(ADA) as tx:
        moves = queries.label_history(tx, "note", "a", label, limit=1000)[::-1]
        now = queries.label(tx, "note", "a", label)
        journal.verify(tx)
        told = journal.entries(tx, event="label.moved", limit=1000)[::-1]
    assert now is not None
    assert [one.revision for one in moves] == list(range(1, len(moves) + 1))
    assert all(one.after == other.before for one, other in pairwise(moves))
    assert (moves[-1].after, moves[-1].revision) == (now.number, now.revision)
    mine = [entry.facts["after"] for entry, _ in told if entry.facts["label"] == label]
    assert mine == [one.after for one in moves]
    return [one.after for one in moves]


def test_promotions_and_rollbacks_at_once_make_one_history(desk: Database) -> None:
    def act(number: int) -> object:
        rng = random.Random(number)
        who = person(f"p{number}", "operator")
        with desk.read(who) as tx:
            seen = queries.label(tx, "note", "a", "production")
        assert seen is not None
        with desk.write(who) as tx:
            if rng.random() < 0.5:
                return commands.roll_back(
                    tx, "note", "a", "production", reason="", expected=seen.number
                )
            of = queries.artifact(tx, "note", "a")
            to = rng.randint(1, 10)
            return commands.move_label(
                tx, of, "production", to, how="merge", reason="", expected=seen.number
            )

    outcomes = together(100, act)
    assert all(isinstance(one, Conflict) for one in outcomes if isinstance(one, OpsroomError))
    assert len(check_history(desk)) > 5


def test_of_two_who_go_back_from_the_same_place_one_is_told(desk: Database) -> None:
    with desk.write(ADA) as tx:
        of = queries.artifact(tx, "note", "a")
        for number in (2, 3):
            commands.move_label(tx, of, "production", number, how="merge", reason="")

    def back(_: int) -> object:
        with desk.write(ADA) as tx:
            return commands.roll_back(tx, "note", "a", "production", reason="", expected=3)

    outcomes = together(8, back)
    assert sum(not isinstance(one, OpsroomError) for one in outcomes) == 1
    assert sum(isinstance(one, LabelMoved) for one in outcomes) == 7
    assert check_history(desk) == [1, 2, 3, 2]


def test_of_many_approved_proposals_for_one_place_one_is_merged(desk: Database) -> None:
    made: list[str] = []
    for number in range(2, 10):
        with desk.write(ADA) as tx:
            one = proposals.propose(
                tx, Ref("note", "a", str(number)), label="production", kinds=KINDS
            )
            one = proposals.report_check(
                tx, one.id, Check(name="gate", state="passed", summary="")
            )
        with desk.write(person("bob", "reviewer")) as tx:
            proposals.review(tx, one.id, answer=Answer.APPROVE, reason="")
        made.append(one.id)

    def merge(number: int) -> object:
        with desk.write(ADA) as tx:
            return proposals.merge(tx, made[number])

    outcomes = together(8, merge)
    assert sum(isinstance(one, NotReady) for one in outcomes) == 7
    assert len(check_history(desk)) == 2


def test_one_proposal_is_merged_once(desk: Database) -> None:
    with desk.write(ADA) as tx:
        one = proposals.propose(tx, Ref("note", "a", "2"), label="staging", kinds=KINDS)

    def merge(_: int) -> object:
        with desk.write(ADA) as tx:
            return proposals.merge(tx, one.id)

    outcomes = together(8, merge)
    assert sum(not isinstance(outcome, OpsroomError) for outcome in outcomes) == 1
    assert all(
        isinstance(o, Conflict | Failed) for o in outcomes if isinstance(o, OpsroomError)
    )
    assert check_history(desk, "staging") == [2]


def test_a_label_that_many_set_for_the_first_time_is_set_once_and_then_moved(
    desk: Database,
) -> None:
    def name(number: int) -> object:
        with desk.write(ADA) as tx:
            return commands.set_label(tx, "note", "a", "staging", number % 3 + 1)

    together(16, name)
    check_history(desk, "staging")


def test_versions_made_at_once_are_numbered_without_gaps(desk: Database) -> None:
    def make(number: int) -> object:
        with desk.write(ADA) as tx:
            draft = VersionDraft(spec={"text": f"x{number}"})
            return commands.create_version(tx, "note", "a", draft, kinds=KINDS).number

    assert sorted(together(40, make)) == list(range(11, 51))  # type: ignore[type-var]  # numbers


def test_the_same_artifact_made_at_once_is_one(db: Database) -> None:
    def make(number: int) -> object:
        with db.write(person(f"p{number}", "author")) as tx:
            draft = ArtifactDraft(kind="note", name="b", owner="ops")
            return commands.create_artifact(tx, draft, kinds=KINDS).id

    assert len(set(together(16, make))) == 1
    with db.read(ADA) as tx:
        assert len(journal.entries(tx, event="artifact.created")) == 1


def test_readers_never_see_half_of_a_change(desk: Database) -> None:
    """Two labels that always move together are never seen apart."""

    def move(actor: Actor, number: int) -> None:
        with desk.write(actor) as tx:
            of = queries.artifact(tx, "note", "a")
            for label in ("one", "other"):
                commands.move_label(tx, of, label, number, how="set", reason="")

    move(ADA, 1)
    stop: list[bool] = []

    def look(_: int) -> int:
        looked = 0
        while not stop:
            with desk.read(ADA) as tx:
                one = queries.label(tx, "note", "a", "one")
                other = queries.label(tx, "note", "a", "other")
            assert one is not None
            assert other is not None
            assert one.number == other.number
            looked += 1
        return looked

    with ThreadPoolExecutor(3) as pool:
        looking = [pool.submit(look, n) for n in range(3)]
        for number in range(60):
            move(ADA, number % 10 + 1)
        stop.append(True)
        assert sum(one.result() for one in looking) > 10
