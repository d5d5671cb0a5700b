"""What leaves for training: accepted, never held out, without secrets, as OpenAI reads it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corrections.world import CAT, accept, taught
from tests.retraining.world import ADA, AGENT, desk

from opsroom.app.kinds import KINDS
from opsroom.corrections import Correction, commands
from opsroom.corrections.model import whole
from opsroom.inbox.model import Override, Say
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Database
from opsroom.retraining import exporting
from opsroom.retraining.errors import HeldOutExport, NothingToImprove
from opsroom.retraining.exporting import Format, Wanted

BOTH = ("train", "selection")
SECRET = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA"


def read(db: Database, format_: Format, splits: tuple[str, ...] = BOTH) -> list[Any]:
    with db.read(ADA) as tx:
        return [
            json.loads(line)
            for line in exporting.lines(tx, Wanted(agent=AGENT, format=format_, splits=splits))
        ]


def corrected(db: Database, number: int, **more: Any) -> Correction:
    asked = {"description": f"goods {number}"}
    return taught(db, agent=AGENT, asked=asked, **more)


@pytest.fixture
def some(sqlite_db: Database) -> list[Correction]:
    """Forty corrections that were accepted, and one that was not."""
    desk(sqlite_db, cases=0)
    found = [corrected(sqlite_db, number) for number in range(40)]
    accept(sqlite_db, *found, by=CAT)
    corrected(sqlite_db, 99)
    return found


@pytest.mark.parametrize("format_", Format)
def test_only_what_is_accepted_and_not_held_out(
    sqlite_db: Database, some: list[Correction], format_: Format
) -> None:
    kept = {one.input["description"] for one in some if one.split != "test"}
    held_out = {one.input["description"] for one in some} - kept
    assert held_out
    text = json.dumps(read(sqlite_db, format_))
    assert all(f"{one}\\n" in text for one in kept)
    assert not any(f"{one}\\n" in text for one in held_out)
    assert "goods 99" not in text
    train = [one for one in some if one.split == "train"]
    assert len(read(sqlite_db, format_, ("train",))) == len(train) < len(kept)


def test_a_chat_example_is_what_serves_would_ask_and_what_is_right(
    sqlite_db: Database, some: list[Correction]
) -> None:
    first = read(sqlite_db, Format.OPENAI_CHAT)[0]
    assert list(first) == ["messages"]
    *asked, answered = first["messages"]
    assert answered == {"role": "assistant", "content": "8471.30"}
    assert [one["role"] for one in asked] == ["user"]
    assert "You classify goods for customs." in asked[0]["content"]


def test_a_pair_prefers_what_is_right_to_what_was_said(
    sqlite_db: Database, some: list[Correction]
) -> None:
    first = read(sqlite_db, Format.DPO)[0]
    assert list(first) == ["input", "preferred_output", "non_preferred_output"]
    assert list(first["input"]) == ["messages"]
    assert first["preferred_output"] == [{"role": "assistant", "content": "8471.30"}]
    assert first["non_preferred_output"] == [{"role": "assistant", "content": "8504.40"}]


CALL = {"to": "harbour", "text": "It is late.", "copies": 2}


def edited(db: Database, number: int, human: dict[str, Any], was: Any = CALL) -> Correction:
    return corrected(
        db,
        number,
        say=Say.EDIT,
        tool="send",
        agent_decision={"tool": "send", "arguments": was},
        human_decision={"say": "edit", "arguments": human},
    )


def test_an_edit_leaves_as_the_whole_call(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    texts = [edited(db, number, {"text": "It is on time."}) for number in range(8)]
    two = [edited(db, number, {"copies": 3, "to": "customs"}) for number in range(8, 16)]
    accept(db, *texts, *two, by=CAT)
    pairs = read(db, Format.DPO)
    right = {one["preferred_output"][0]["content"] for one in pairs}
    assert right == {
        _call({**CALL, "text": "It is on time."}),
        _call({**CALL, "copies": 3, "to": "customs"}),
    }
    assert {one["non_preferred_output"][0]["content"] for one in pairs} == {_call(CALL)}
    chats = read(db, Format.OPENAI_CHAT)
    assert {one["messages"][-1]["content"] for one in chats} == right


def test_an_edit_of_which_the_rest_is_not_known_is_left_out(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    made = [edited(db, number, {"copies": 3}, was=None) for number in range(8)]
    accept(db, *made, by=CAT)
    wanted = Wanted(agent=AGENT, format=Format.OPENAI_CHAT, splits=BOTH)
    with db.read(ADA) as tx:
        found = exporting.count(tx, wanted)
    kept = sum(one.split != "test" for one in made)
    assert (found.lines, found.left_out) == (
        0,
        {"of an edited call, only what was changed is known": kept},
    )


@given(
    was=st.dictionaries(st.sampled_from("abc"), st.integers(), min_size=1),
    now=st.dictionaries(st.sampled_from("abc"), st.integers(), min_size=1),
    asked=st.booleans(),
)
def test_what_is_whole_holds_all_that_was_said(
    was: dict[str, int], now: dict[str, int], asked: bool
) -> None:
    one = Override(
        id="ovr_1",
        request="req_1" if asked else "",
        subject="turn/1",
        agent=AGENT,
        version="",
        tool="send",
        agent_decision={"arguments": was},
        human_decision={"arguments": now},
        say=Say.EDIT,
        reasoning="so",
        by="ben",
        at=datetime(2026, 1, 5, tzinfo=UTC),
    )
    found = whole(one)
    assert found is not None
    right, wrong = found
    assert wrong["arguments"] == was
    assert right["arguments"] == (now if asked else {**was, **now})


def _call(arguments: dict[str, Any]) -> str:
    return canonical({"tool": "send", "arguments": arguments}).decode()


@pytest.mark.parametrize("split", ["test", "retired", "train,test"])
def test_what_is_held_out_is_refused(split: str) -> None:
    with pytest.raises(HeldOutExport):
        Wanted(agent=AGENT, format=Format.DPO, splits=tuple(split.split(",")))


def test_what_is_left_out_is_counted_with_why(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    made = [
        corrected(db, number, human_decision="x" * 5000)
        if number % 2
        else taught(db, agent=AGENT, asked={"description": f"y {number} " + "z" * 5000})
        for number in range(8)
    ]
    accept(db, *made, by=CAT)
    wanted = Wanted(agent=AGENT, format=Format.OPENAI_CHAT, splits=BOTH)
    with db.read(ADA) as tx:
        found = exporting.count(tx, wanted)
    assert found.version == "agent/customs@1"
    assert found.lines == len(read(db, Format.OPENAI_CHAT))
    assert found.lines + sum(found.left_out.values()) == sum(
        one.split != "test" for one in made
    )
    assert set(found.left_out) <= {"the prompt that serves cannot be filled with it"}


def test_secrets_do_not_leave_with_what_the_agent_had_said(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    made = [
        corrected(db, number, agent_decision=f"use the key {SECRET}") for number in range(8)
    ]
    accept(db, *made, by=CAT)
    pairs = read(db, Format.DPO)
    assert pairs
    assert SECRET not in json.dumps(pairs)
    assert "use the key" in pairs[0]["non_preferred_output"][0]["content"]


def test_what_was_retired_does_not_leave(sqlite_db: Database) -> None:
    db = sqlite_db
    desk(db, cases=0)
    made = [corrected(db, number) for number in range(4)]
    accept(db, *made, by=CAT)
    with db.write(CAT) as tx:
        for one in made:
            commands.retire(tx, one.id, reason="we do it otherwise now", kinds=KINDS)
    assert read(db, Format.DPO) == read(db, Format.OPENAI_CHAT) == []


def test_an_agent_that_does_not_serve_asks_nothing(sqlite_db: Database) -> None:
    wanted = Wanted(agent="nobody", format=Format.OPENAI_CHAT)
    with sqlite_db.read(ADA) as tx, pytest.raises(NothingToImprove):
        exporting.count(tx, wanted)
