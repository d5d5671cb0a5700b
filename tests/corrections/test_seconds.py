"""A second look by somebody who does not know which answer was whose."""

import pytest
from tests.corrections.world import BEN, CAT, RIA, accept, learn, look, taught

from opsroom.annotation import commands as annotation
from opsroom.annotation import queries as queues
from opsroom.annotation.model import QueueDraft, TaskDraft, TaskView
from opsroom.corrections import Correction, CorrectionOver, queries, seconds
from opsroom.inbox.model import Say
from opsroom.kit.db import Actor, Database


def ask(db: Database, *some: Correction) -> str:
    with db.write(BEN) as tx:
        return seconds.ask(tx, [one.id for one in some])


def choose(db: Database, queue: str, by: Actor, *, whose: str, one: Correction) -> TaskView:
    """Let somebody choose an answer; what they saw before they did."""
    with db.write(by) as tx:
        mine = annotation.take_next(tx, queue)
        assert mine is not None
        seen = queues.task(tx, queue, mine.id)
        label = {"neither": "neither"}.get(
            whose, "A" if (whose == "agent") is one.agent_is_a else "B"
        )
        annotation.label(tx, queue, mine.id, label, reason="as the tariff says")
    learn(db)
    return seen


def test_who_looks_again_does_not_know_who_said_what(db: Database) -> None:
    one = taught(db)
    queue = ask(db, one)
    assert ask(db, one) == queue
    with db.write(BEN) as tx:
        assert annotation.take_next(tx, queue) is None, "it is ben's own correction"
    seen = choose(db, queue, CAT, whose="people", one=one)
    assert isinstance(seen.output, dict)
    assert {str(answer) for answer in seen.output.values()} == {"8471.30", "8504.40"}
    assert "ben" not in str(seen)
    assert [each.said for each in look(db, one).seconds] == ["people"]
    assert accept(db, one, by=RIA).accepted == (one.id,)


@pytest.mark.parametrize("whose", ["agent", "neither"])
def test_what_as_many_doubt_as_say_is_not_taken_in(db: Database, whose: str) -> None:
    one = taught(db)
    choose(db, ask(db, one), CAT, whose=whose, one=one)
    assert "chose otherwise" in accept(db, one, by=RIA).refused[0].why
    taught(db, RIA)
    assert accept(db, one, by=CAT).accepted == (one.id,)


def test_how_far_people_agree_is_shown(db: Database) -> None:
    some = [taught(db, asked=f"goods {n}", human_decision=f"84{n:02}") for n in range(4)]
    queue = ask(db, *some)
    for n, one in enumerate(some):
        choose(db, queue, CAT, whose="agent" if n == 0 else "people", one=one)
    with db.read(BEN) as tx:
        found = queries.ledger(tx).seconds
        assert queries.ledger(tx, agent="somebody").seconds is None
    assert found is not None
    assert (found.agreed, found.items) == (3, 4)
    assert found.kappa_interval.low < found.kappa < 1


def test_only_candidates_are_looked_at(db: Database) -> None:
    one = taught(db)
    accept(db, one)
    with pytest.raises(CorrectionOver):
        ask(db, one)


def test_answers_are_shown_whole_and_refusals_as_a_question(db: Database) -> None:
    long = taught(db, agent_decision="a " * 100, human_decision="b " * 100)
    refused = taught(
        db, say=Say.REJECT, tool="pay", agent_decision={"amount": 12}, human_decision=None
    )
    queue = ask(db, long, refused)
    first = choose(db, queue, CAT, whose="people", one=long)
    second = choose(db, queue, CAT, whose="people", one=refused)
    assert isinstance(first.output, dict)
    assert set(first.output.values()) == {"a " * 100, "b " * 100}
    assert isinstance(second.output, dict)
    assert {"do": {"amount": 12}} in second.output.values()
    assert {"do not": {"amount": 12}} in second.output.values()


def test_nobody_looks_again_in_a_queue_of_their_own(db: Database) -> None:
    one = taught(db)
    draft = QueueDraft(name="mine", labels=("A", "B"))
    with db.write(BEN) as tx:
        own = annotation.open_queue(tx, draft).id
        annotation.add_task(
            tx, own, TaskDraft(subject=one.subject, input="?", output="!", double=False)
        )
    choose(db, own, BEN, whose="people", one=one)
    assert look(db, one).seconds == ()


def test_looks_of_other_queues_are_nobodys_business_here(db: Database) -> None:
    with db.read(BEN) as tx:
        assert queues.queues(tx) == []
    with db.write(BEN) as tx:
        seconds.take_in(tx, "correction/cor_nobody", "que_1", "tsk_1", "A")
