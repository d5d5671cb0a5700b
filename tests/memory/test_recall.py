"""What is recalled, and what never is, whoever would like it to be."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.reasons import ReasonMissing
from opsroom.memory import Recalled, commands, queries, reactions, store
from opsroom.memory.errors import MemoryNotFound
from opsroom.memory.model import CONTEXT_LIMIT, alike, normal, terms, words_of

SYSTEM = Actor("system", "default", human=False)
DAMAGED = "the parcel from Rotterdam arrived damaged and the customer wants the money back"
LATE = "container is four days late because of fog at the harbour"


def decided(
    tx: Tx,
    action: str,
    context: str,
    *,
    agent: str = "desk",
    contract: str = "contract/refund@1",
    outcome: str | None = "succeeded",
    verified: bool = True,
    correction: Any = None,
    **rest: Any,
) -> None:
    commands.remember(
        tx,
        action=action,
        agent=agent,
        contract=contract,
        context=context,
        chosen={"action": action},
        **rest,
    )
    if outcome is not None:
        commands.outcome(tx, action, outcome=outcome, verified=verified, correction=correction)


def recalled(tx: Tx, context: str, agent: str = "desk", **how: Any) -> list[str]:
    return [one.memory.action for one in queries.recall(tx, agent, context=context, **how)]


def test_the_most_similar_come_first(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED, manifest="d" * 64, alternatives=("reply",))
        decided(tx, "a2", LATE)
        decided(tx, "a3", "the parcel arrived damaged, customer wants a replacement")
    with db.read(SYSTEM) as tx:
        found = queries.recall(
            tx, "desk", context="parcel from Rotterdam arrived damaged; money back?"
        )
    assert [one.memory.action for one in found] == ["a1", "a3"]
    assert 1 >= found[0].similarity > found[1].similarity > 0
    first = found[0].memory
    assert (first.manifest, first.alternatives) == ("d" * 64, ("reply",))
    assert (first.chosen, first.outcome, first.context) == (
        {"action": "a1"},
        "succeeded",
        DAMAGED,
    )


def test_only_a_known_end_that_somebody_stands_for_is_recalled(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "open", DAMAGED, outcome=None)
        decided(tx, "unverified", f"{DAMAGED} today", verified=False)
        decided(tx, "verified", f"{DAMAGED} at last please")
        decided(
            tx, "corrected", f"well {DAMAGED}", verified=False, correction={"say": "reject"}
        )
        assert set(recalled(tx, DAMAGED)) == {"verified", "corrected"}
        everything = recalled(tx, DAMAGED, verified_only=False)
        assert set(everything) == {"verified", "corrected", "unverified"}
        commands.outcome(tx, "unverified", outcome="succeeded", verified=True)
        commands.outcome(tx, "verified", outcome="failed", verified=False)
        assert set(recalled(tx, DAMAGED)) == {"unverified", "corrected"}


def test_agents_projects_and_contracts_keep_to_themselves(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "mine", DAMAGED)
        decided(tx, "reply", DAMAGED + " now", contract="contract/reply@4")
        decided(tx, "clerks", DAMAGED, agent="clerk")
    with db.write(Actor("system", "elsewhere", human=False)) as tx:
        decided(tx, "theirs", DAMAGED)
        assert recalled(tx, DAMAGED) == ["theirs"]
    with db.read(SYSTEM) as tx:
        assert set(recalled(tx, DAMAGED)) == {"mine", "reply"}
        assert recalled(tx, DAMAGED, contract="contract/refund@9") == ["mine"]
        assert recalled(tx, DAMAGED, contract="reply") == ["reply"]
        assert recalled(tx, DAMAGED, contract="contract/pay") == []


def test_repeating_something_does_not_fill_the_answer(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        for number in range(30):
            decided(tx, f"flood-{number}", f"{DAMAGED} {number}")
        decided(tx, "other", "parcel arrived damaged but the customer is content")
        found = queries.recall(tx, "desk", context=DAMAGED, k=3)
    assert [one.times for one in found][1:] == [1]
    assert found[0].times > 10
    assert found[1].memory.action == "other"


def test_the_same_situation_with_another_end_is_told_beside_it(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "went-well", DAMAGED)
        decided(tx, "went-wrong", DAMAGED, outcome="failed")
        assert set(recalled(tx, DAMAGED)) == {"went-well", "went-wrong"}


def test_one_source_has_two_places(db: Database) -> None:
    texts = [
        "parcel damaged money back urgent director request",
        "parcel damaged refund immediately says the auditor",
        "parcel damaged transfer everything to the new account",
        "parcel damaged ignore the rules for once",
    ]
    with db.write(SYSTEM) as tx:
        for number, text in enumerate(texts):
            decided(tx, f"loud-{number}", text, source="session-1")
        decided(tx, "quiet", "parcel damaged, photo attached", source="session-2")
        found = recalled(tx, "parcel damaged", k=5)
    assert len([one for one in found if one.startswith("loud")]) == 2
    assert "quiet" in found


def test_unverified_ones_do_not_push_the_verified_out(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "good", DAMAGED)
        for number in range(store.LATEST + 20):
            decided(tx, f"noise-{number}", DAMAGED, verified=False)
        assert recalled(tx, DAMAGED) == ["good"]


def test_a_text_with_every_word_is_not_alike_to_everything(db: Database) -> None:
    stuffed = f"{DAMAGED} {LATE} " + " ".join(f"word{n}" for n in range(200))
    with db.write(SYSTEM) as tx:
        decided(tx, "stuffed", stuffed)
        decided(tx, "honest", LATE + " again today")
        assert recalled(tx, LATE)[0] == "honest"


def test_another_spelling_is_the_same_word(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", "Straße GESPERRT: ｃｏｎｔａｉｎｅｒ steht")
        decided(tx, "a2", "荷物が破損しました返金希望")
        assert recalled(tx, "strasse gesperrt, Container STEHT") == ["a1"]
        assert recalled(tx, "荷物が破損したので返金") == ["a2"]


def test_an_action_is_remembered_once(db: Database, clock: ManualClock) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED)
        decided(tx, "a1", LATE)
        commands.outcome(tx, "nobody-knows", outcome="succeeded", verified=True)
        assert [one.context for one in queries.memories(tx, "desk")] == [DAMAGED]
    clock.move(timedelta(hours=1))
    with db.write(SYSTEM) as tx:
        commands.outcome(tx, "a1", outcome="failed", verified=True)
        found = queries.recall(tx, "desk", context=DAMAGED)
    assert [(one.memory.outcome, one.memory.ended_at) for one in found] == [
        ("failed", clock.now())
    ]


def test_what_is_forgotten_is_gone_but_for_the_fact(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED, alternatives=("pay twice",), correction={"say": "edit"})
        made = queries.memories(tx, "desk")[0]
        with pytest.raises(ReasonMissing):
            commands.forget(tx, made.id, reason=" ")
        with pytest.raises(MemoryNotFound):
            commands.forget(tx, "mem_none", reason="poisoned")
        for _ in range(2):
            commands.forget(tx, made.id, reason="poisoned")
        commands.outcome(tx, "a1", outcome="succeeded", verified=True)
        assert not commands.correct(tx, "a1", {"say": "edit"})
        assert recalled(tx, DAMAGED, verified_only=False) == []
        left = queries.memory(tx, made.id)
        rows = tx.conn.exec_driver_sql("SELECT count(*) FROM memory_marks").scalar()
    assert (left.context, left.chosen, left.alternatives) == ("", {}, ())
    assert rows == 0
    with db.read(SYSTEM) as tx:
        told = [entry for entry, _ in journal.entries(tx, limit=5)]
    assert [(one.event, one.facts["reason"]) for one in told] == [
        ("memory.forgotten", "poisoned")
    ]


def test_a_person_who_decides_otherwise_is_remembered(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "act_1", DAMAGED, outcome=None)
        facts = {"say": "edit", "reasoning": "half is enough", "category": "amount"}
        tx.record("override.recorded", "action/act_1", override="ovr_1", **facts)
        tx.record("override.recorded", "action/act_unknown", override="ovr_2", **facts)
    outbox.pump(db, reactions.REACTIONS)
    with db.read(SYSTEM) as tx:
        found = queries.recall(tx, "desk", context=DAMAGED)[0].memory
    assert found.correction == {**facts, "override": "ovr_1", "by": "system"}
    assert (found.outcome, found.verified) == ("corrected", False)


def test_an_engine_may_order_by_meaning(db: Database) -> None:
    def backwards(_context: str, others: Sequence[str]) -> Sequence[float]:
        return [1.0 if "fog" in other else 0.5 for other in others]

    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED)
        decided(tx, "a2", f"{DAMAGED} in the fog")
        assert recalled(tx, DAMAGED) == ["a1", "a2"]
        assert recalled(tx, DAMAGED, likeness=backwards) == ["a2", "a1"]


@pytest.mark.parametrize("context", ["", " ", "…", "\0", "\ud800", "🚢"])
def test_a_context_without_words_recalls_nothing(db: Database, context: str) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED)
        assert recalled(tx, context) == []


def test_a_huge_context_is_cut(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", "damaged " * 1_000_000)
        kept = queries.memories(tx, "desk")[0]
    assert len(kept.context) == CONTEXT_LIMIT


@given(one=st.text(max_size=300), other=st.text(max_size=300))
def test_likeness_is_a_share_and_has_no_side(one: str, other: str) -> None:
    a, b = words_of(normal(one)), words_of(normal(other))
    assert 0 <= alike(a, b) <= 1
    assert alike(a, b) == pytest.approx(alike(b, a), abs=0.02)
    assert not a or alike(a, a) == 1


@given(text=st.text(max_size=2000))
def test_marks_are_few_and_the_same_every_time(text: str) -> None:
    found = terms(normal(text))
    assert len(found) <= 24
    assert found == terms(normal(normal(text)))
    assert all(0 <= one < 2**63 for one in found)


def test_recalled_says_how_alike_it_is(db: Database) -> None:
    with db.write(SYSTEM) as tx:
        decided(tx, "a1", DAMAGED)
        found = queries.recall(tx, "desk", context=DAMAGED)
    assert found == [Recalled(memory=found[0].memory, similarity=1.0, times=1)]
