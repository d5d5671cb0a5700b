"""From an override to a case that later versions are put to, and back."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import update
from tests.acting import act
from tests.corrections.world import (
    AGENT,
    BEN,
    CAT,
    RIA,
    accept,
    count,
    hire,
    learn,
    look,
    override,
    person,
    taught,
)

from opsroom.agents import commands as agents
from opsroom.app.kinds import KINDS
from opsroom.corrections import (
    Correction,
    CorrectionNotFound,
    CorrectionOver,
    State,
    commands,
    queries,
)
from opsroom.corrections.errors import TooMany
from opsroom.corrections.store import corrections
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets_commands
from opsroom.datasets import queries as datasets
from opsroom.inbox import overriding
from opsroom.inbox.model import Override, Say
from opsroom.journal import queries as journal
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Database, Raced
from opsroom.kit.reasons import ReasonMissing
from opsroom.kit.wire import plain
from opsroom.registry import Criticality
from opsroom.registry.errors import VersionsKept


def test_an_override_becomes_a_case_of_the_agents_dataset(db: Database) -> None:
    one = taught(db)
    assert one.state is State.CANDIDATE
    done = accept(db, one)
    assert done.accepted == (one.id,)
    assert done.versions == ("dataset/corrections-customs@1",)
    with db.read(BEN) as tx:
        _, spec = datasets.dataset(tx, "corrections-customs")
        item = datasets.items(tx, spec)[0]
        found = queries.lineage(tx, one.id)
    assert (item.input, item.expected, item.split) == ("laptops, 14 inch", "8471.30", one.split)
    assert spec.evaluators == ("corrected@1",)
    assert "ben" not in str(plain(item))
    assert [each.by for each in found.overrides] == ["ben"]
    assert found.datasets == done.versions
    assert look(db, one).state is State.ACCEPTED


def test_hearing_of_it_again_changes_nothing(db: Database) -> None:
    one = taught(db)
    made = override(db, asked="ball bearings", human_decision="8482.10")
    learn(db)
    with db.write(BEN) as tx:
        head = journal.head(tx).seq
        commands.take_in(tx, made.id)
        assert journal.head(tx).seq == head
    assert look(db, one).times == 1


def test_who_says_the_same_strengthens_it(db: Database) -> None:
    first = taught(db)
    again = taught(db, CAT, reasoning="it computes")
    assert again.id == first.id
    assert (again.times, again.people) == (2, ("ben", "cat"))
    with db.read(BEN) as tx:
        ledger = queries.ledger(tx)
    assert [(one.agent_said, one.human_said, one.times) for one in ledger.confusion] == [
        ("8504.40", "8471.30", 2)
    ]
    assert ledger.states[State.CANDIDATE] == 1


def test_people_who_contradict_each_other_teach_nothing_yet(db: Database) -> None:
    first = taught(db)
    second = taught(db, CAT, human_decision="8471.41")
    assert (first.asked, first.split) == (second.asked, second.split)
    refused = accept(db, first, second, by=RIA)
    assert refused.accepted == ()
    assert "contradict" in refused.refused[0].why
    with db.write(RIA) as tx:
        commands.retire(tx, second.id, reason="it has a screen", kinds=KINDS)
    assert accept(db, first, by=RIA).accepted == (first.id,)
    with db.read(BEN) as tx:
        assert queries.lineage(tx, first.id).rivals == ()


def test_of_an_agent_that_acts_alone_nobody_accepts_what_they_alone_said(db: Database) -> None:
    hire(db, Criticality.AUTONOMOUS)
    one = taught(db)
    assert "nobody but you" in accept(db, one, by=BEN).refused[0].why
    assert accept(db, one, by=CAT).accepted == (one.id,)


def test_a_retired_case_stays_in_its_dataset_and_is_measured_no_more(db: Database) -> None:
    one, other = taught(db), taught(db, asked="pumps", human_decision="8413.70")
    accept(db, one, other)
    with db.write(CAT) as tx:
        gone = commands.retire(tx, one.id, reason="the tariff changed", kinds=KINDS)
    assert (gone.state, gone.version) == (State.RETIRED, "dataset/corrections-customs@2")
    with db.read(BEN) as tx:
        _, spec = datasets.dataset(tx, "corrections-customs")
        splits = {ref.id: ref.split for ref in spec.items}
    assert splits == {one.id: "retired", other.id: other.split}
    with db.write(CAT) as tx, pytest.raises(CorrectionOver):
        commands.retire(tx, one.id, reason="again", kinds=KINDS)
    with db.write(CAT) as tx:
        assert commands.readmit(tx, one.id, reason="it changed back").state is State.CANDIDATE
    assert accept(db, one).accepted == (one.id,)
    with db.read(BEN) as tx:
        _, spec = datasets.dataset(tx, "corrections-customs")
        assert {ref.id: ref.split for ref in spec.items}[one.id] == one.split


def test_what_the_agent_was_asked_comes_from_its_turn(sqlite_db: Database) -> None:
    acted = act(sqlite_db)
    learn(sqlite_db)
    with sqlite_db.read(BEN) as tx:
        (one,) = queries.corrections(tx)
    assert one.input == "Please pay the invoice for order 40017."
    assert one.agent == acted.agent
    with sqlite_db.read(BEN) as tx:
        version = queries.ledger(tx).versions[0]
    assert version.version == f"agent/{acted.agent}@1"


def test_what_nothing_can_be_learnt_from_waits_for_what_is_missing(db: Database) -> None:
    one = taught(db, asked=None)
    assert (one.state, one.because) == (
        State.QUARANTINED,
        "what the agent was asked is not known",
    )
    other = taught(db, asked=None)
    assert other.id != one.id
    assert accept(db, one).refused[0].why == "it is quarantined"
    with db.write(CAT) as tx, pytest.raises(CorrectionOver, match="not known"):
        commands.readmit(tx, one.id, reason="never mind")
    with db.write(CAT) as tx, pytest.raises(CorrectionOver, match="is known"):
        commands.complete(tx, one.id, input_="laptops", expected="what cat thinks")
    with db.write(CAT) as tx:
        now = commands.complete(tx, one.id, input_="laptops", expected=None)
    assert (now.state, now.input, now.expected) == (State.CANDIDATE, "laptops", "8471.30")
    with db.write(CAT) as tx, pytest.raises(CorrectionOver, match=one.id):
        commands.complete(tx, other.id, input_="laptops", expected=None)
    assert accept(db, one).accepted == (one.id,)


def test_secrets_do_not_become_cases(db: Database) -> None:
    key = "sk-proj-" + "a1B2" * 10
    one = taught(db, asked=f"use {key}", human_decision={"key": key, "card": "none"})
    assert key not in str(plain(one))
    assert "[redacted:" in str(one.input)


def test_a_flood_is_looked_at_first(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_A_DAY", 5)
    for n in range(12):
        override(sqlite_db, asked=f"goods {n}")
    override(sqlite_db, CAT, asked="goods of somebody else")
    for _ in range(3):
        override(sqlite_db, asked="goods 0")
    learn(sqlite_db)
    assert count(sqlite_db, State.CANDIDATE) == 6
    assert count(sqlite_db, State.QUARANTINED) == 7
    with sqlite_db.read(BEN) as tx:
        held = queries.corrections(tx, state=State.QUARANTINED)
        assert "more than 5 times in a day" in held[0].because
        ledger = queries.ledger(tx)
    assert sum(one.times for one in ledger.confusion) == 6
    assert sum(one.overrides for one in ledger.reasons) == 6
    with sqlite_db.write(CAT) as tx:
        commands.readmit(tx, held[0].id, reason="a whole ship was wrong")
    assert count(sqlite_db, State.CANDIDATE) == 7


def test_overrides_of_a_retired_agent_are_kept_apart(sqlite_db: Database) -> None:
    hire(sqlite_db, Criticality.ASSISTIVE)
    with sqlite_db.write(person("root", "admin")) as tx:
        agents.retire(tx, AGENT, reason="replaced")
    one = taught(sqlite_db)
    assert (one.state, one.because) == (State.QUARANTINED, "customs is retired: replaced")


def test_content_that_was_changed_in_the_database_is_not_taken_in(db: Database) -> None:
    one = taught(db)
    forged = replace(one, expected="0000.00")
    with db.write(BEN) as tx:
        tx.conn.execute(
            update(corrections)
            .where(corrections.c.id == one.id)
            .values(body=canonical(plain(forged)).decode())
        )
    done = accept(db, one)
    assert (done.accepted, done.versions) == ((), ())
    assert "not what its hash says" in done.refused[0].why
    assert look(db, one).state is State.QUARANTINED


def test_an_answer_that_is_taken_back_teaches_nothing(db: Database) -> None:
    made = override(db, say=Say.RELABEL)
    learn(db)
    with db.read(BEN) as tx:
        (one,) = queries.corrections(tx)
    accept(db, one)
    with db.write(BEN) as tx:
        tx.record("override.retracted", made.subject, override=made.id)
    learn(db)
    gone = look(db, one)
    assert (gone.state, gone.because) == (State.RETIRED, "the answer was taken back")
    with db.read(BEN) as tx:
        _, spec = datasets.dataset(tx, "corrections-customs")
        assert spec.splits == {"retired": 1}
        assert queries.ledger(tx).confusion == ()


def take_back(db: Database, made: Override) -> None:
    with db.write(BEN) as tx:
        tx.record("override.retracted", made.subject, override=made.id)
    learn(db)


def test_who_takes_an_answer_back_speaks_for_it_no_more(db: Database) -> None:
    mine, theirs = override(db), override(db, CAT)
    learn(db)
    with db.read(BEN) as tx:
        (one,) = queries.corrections(tx)
    assert (one.times, one.people) == (2, ("ben", "cat"))
    take_back(db, mine)
    left = look(db, one)
    assert (left.state, left.times, left.people) == (State.CANDIDATE, 1, ("cat",))
    take_back(db, theirs)
    gone = look(db, one)
    assert (gone.state, gone.times, gone.people) == (State.RETIRED, 0, ())
    with db.write(CAT) as tx, pytest.raises(CorrectionOver, match="taken back by all"):
        commands.readmit(tx, one.id, reason="it was right")


def test_what_was_taken_back_is_a_candidate_once_somebody_says_it_again(db: Database) -> None:
    made = override(db)
    learn(db)
    take_back(db, made)
    again = taught(db, CAT)
    assert (again.state, again.times, again.people) == (State.CANDIDATE, 1, ("cat",))
    assert accept(db, again, by=RIA).accepted == (again.id,)
    with db.write(CAT) as tx:
        commands.retire(tx, again.id, reason="the tariff changed", kinds=KINDS)
    assert taught(db).state is State.RETIRED, "what somebody retired stays so"


def test_what_waits_in_quarantine_is_retired_with_its_last_override(db: Database) -> None:
    made = override(db, asked=None)
    learn(db)
    take_back(db, made)
    with db.read(BEN) as tx:
        (one,) = queries.corrections(tx)
    assert one.state is State.RETIRED


def test_who_completes_a_case_does_not_accept_it_alone(db: Database) -> None:
    hire(db, Criticality.AUTONOMOUS)
    one = taught(db, asked=None)
    with db.write(CAT) as tx:
        done = commands.complete(tx, one.id, input_="laptops", expected=None)
    assert (done.completed_by, done.people) == ("cat", ("ben",))
    assert "you completed it" in accept(db, one, by=CAT).refused[0].why
    assert accept(db, one, by=RIA).accepted == (one.id,)


def test_an_agent_that_no_dataset_can_be_named_after_holds_up_nobody(db: Database) -> None:
    odd = taught(db, agent="x" * 95)
    assert "no dataset can be named after" in odd.because
    one = taught(db)
    done = accept(db, odd, one)
    assert done.accepted == (one.id,)
    with db.write(CAT) as tx, pytest.raises(CorrectionOver, match="no dataset"):
        commands.readmit(tx, odd.id, reason="why not")


def test_too_many_at_once_are_refused_whole(db: Database) -> None:
    with db.write(CAT) as tx, pytest.raises(TooMany):
        commands.accept(tx, [f"cor_{n}" for n in range(501)], kinds=KINDS)


def test_nobody_else_makes_versions_of_what_people_corrected(db: Database) -> None:
    accept(db, taught(db))
    items = [Item(id="easy", input="1 + 1", expected="2")]
    with db.write(person("ada", "author")) as tx:
        with pytest.raises(VersionsKept, match="corrections alone"):
            datasets_commands.put(tx, "corrections-customs", items, kinds=KINDS)
        datasets_commands.put(tx, "regressions-customs", items, kinds=KINDS)


def test_two_who_accept_the_first_at_once_lose_nothing(db: Database) -> None:
    one, other = taught(db), taught(db, asked="pumps", human_decision="8413.70")
    both = threading.Barrier(2)

    def take(which: Correction) -> None:
        both.wait()
        while True:
            try:
                accept(db, which)
            except Raced:
                continue
            return

    threads = [threading.Thread(target=take, args=(each,)) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read(BEN) as tx:
        _, spec = datasets.dataset(tx, "corrections-customs")
    assert {ref.id for ref in spec.items} == {one.id, other.id}


def test_sorting_an_override_sorts_what_it_taught(db: Database) -> None:
    made = override(db)
    learn(db)
    with db.write(BEN) as tx:
        overriding.recategorise(tx, made.id, "electronics")
    learn(db)
    with db.read(BEN) as tx:
        assert [one.category for one in queries.corrections(tx)] == ["electronics"]
        assert [one.category for one in queries.ledger(tx).reasons] == ["electronics"]


def test_reasons_are_asked_for(db: Database) -> None:
    one = taught(db)
    with db.write(CAT) as tx, pytest.raises(ReasonMissing):
        commands.retire(tx, one.id, reason=" ", kinds=KINDS)


def test_another_project_sees_nothing(db: Database) -> None:
    one = taught(db)
    stranger = replace(BEN, project="other")
    with db.read(stranger) as tx:
        assert queries.corrections(tx) == []
        assert queries.ledger(tx).confusion == ()
        with pytest.raises(CorrectionNotFound):
            queries.correction(tx, one.id)
