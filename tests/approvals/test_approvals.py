"""An approval speaks for exactly what was shown, once, and only in somebody else's name."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from opsroom.access import commands as access
from opsroom.approvals import Answer, ApproverIsRequester, NotAPerson, consume, give, standing
from opsroom.approvals.errors import AlreadyAnswered
from opsroom.approvals.queries import history
from opsroom.journal import queries as journal
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor, Database, Raced

MakeActor = Callable[..., Actor]
SHOWN = digest({"version": "v1", "evidence": ["e1"]})
APPROVE, CHANGE = Answer.APPROVE, Answer.REQUEST_CHANGES
THING = "release/rel_1"


def approve(
    db: Database, who: Actor, shown: str = SHOWN, answer: Answer = APPROVE, subject: str = THING
) -> None:
    with db.write(who) as tx:
        give(tx, subject, shown, requester="ada", answer=answer, reason="looked at it")


def speaking(db: Database, who: Actor, shown: str = SHOWN, subject: str = THING) -> list[str]:
    with db.read(who) as tx:
        return [one.approver for one in standing(tx, subject, shown)]


@pytest.fixture
def bob(make_actor: MakeActor) -> Actor:
    return make_actor("reviewer", name="bob")


def test_it_speaks_for_what_was_shown_and_nothing_else(db: Database, bob: Actor) -> None:
    approve(db, bob)
    assert speaking(db, bob) == ["bob"]
    assert speaking(db, bob, digest({"version": "v1", "evidence": ["e2"]})) == []
    assert speaking(db, bob, subject="release/rel_2") == []


def test_it_does_not_speak_in_another_project(
    db: Database, bob: Actor, make_actor: MakeActor
) -> None:
    approve(db, bob)
    assert speaking(db, make_actor("reviewer", project="elsewhere")) == []
    with db.write(make_actor("admin", project="elsewhere")) as tx:
        consume(tx, THING, SHOWN)
    assert speaking(db, bob) == ["bob"]


def test_it_speaks_once(db: Database, bob: Actor) -> None:
    approve(db, bob)
    for _ in range(2):
        with db.write(bob) as tx:
            consume(tx, THING, SHOWN)
    assert speaking(db, bob) == []
    with pytest.raises(AlreadyAnswered):
        approve(db, bob)
    with db.read(bob) as tx:
        assert [one.consumed_at is not None for one in history(tx, THING)] == [True]
        assert len(journal.entries(tx, event="approval.consumed")) == 1


def test_the_requester_and_programs_do_not_give_it(db: Database, make_actor: MakeActor) -> None:
    with pytest.raises(ApproverIsRequester):
        approve(db, make_actor("admin", name="ada"))
    for roles in (("reviewer",), ("admin",), ("agent",)):
        with pytest.raises(NotAPerson):
            approve(db, make_actor(*roles, name="token:ci", human=False))
    assert speaking(db, make_actor("viewer")) == []


def test_one_objection_silences_the_state_but_not_the_next(
    db: Database, bob: Actor, make_actor: MakeActor
) -> None:
    approve(db, bob)
    approve(db, make_actor("risk", name="rita"), answer=CHANGE)
    assert speaking(db, bob) == []
    changed = digest({"version": "v2"})
    approve(db, bob, changed)
    assert speaking(db, bob, changed) == ["bob"]


def test_it_falls_silent_with_the_role(db: Database, bob: Actor) -> None:
    root = Actor("root", "default")
    with db.write(root) as tx:
        access.create_user(tx, "bob", ("reviewer", "risk"))
        access.create_user(tx, "ada", ("admin",))
    approve(db, Actor("bob", "default", roles=("reviewer", "risk")))
    with db.write(root) as tx:
        access.set_roles(tx, "bob", ("reviewer", "admin"))
        (found,) = standing(tx, THING, SHOWN)
        assert found.roles == ("reviewer",)  # what he gained since does not count
        access.set_roles(tx, "bob", ("viewer",))
        assert standing(tx, THING, SHOWN) == []
        assert [one.roles for one in history(tx, THING)] == [("reviewer", "risk")]


def test_a_double_click_counts_once(db: Database, bob: Actor) -> None:
    ready = Barrier(4)

    def run(_: int) -> bool:
        ready.wait()
        try:
            approve(db, bob)
        except (AlreadyAnswered, Raced):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 1
    assert speaking(db, bob) == ["bob"]
    with db.read(bob) as tx:
        (entry, _), *rest = journal.entries(tx, event="approval.given")
    assert not rest
    assert entry.facts["digest"] == SHOWN
    assert entry.facts["reason"] == "looked at it"
