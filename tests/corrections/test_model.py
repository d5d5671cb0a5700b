"""What an override teaches, and who may take it in."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import START

from opsroom.corrections.model import (
    Correction,
    State,
    cleaned,
    content_hash,
    label,
    taught,
    unclear,
    why_not,
)
from opsroom.datasets import Item
from opsroom.datasets.model import SELECTION, TEST, TRAIN, split_of
from opsroom.inbox.model import Override, Say
from opsroom.kit.canonical import digest

CALL = {"tool": "declare", "arguments": {"code": "8504.40", "pieces": 3}}
TEXTS = st.text(max_size=20)
JSON = st.recursive(
    TEXTS | st.integers(0, 9) | st.none(), lambda one: st.lists(one, max_size=3)
)


def override(say: Say, agent: Any, human: Any) -> Override:
    return Override(
        id="ovr_1",
        request="",
        subject="trace/1",
        agent="customs",
        version="",
        tool="declare",
        agent_decision=agent,
        human_decision=human,
        say=say,
        reasoning="so",
        by="ben",
        at=START,
    )


@pytest.mark.parametrize(
    ("say", "agent", "human", "expected"),
    [
        (Say.RELABEL, "8504.40", "8471.30", "8471.30"),
        (Say.RELABEL, "8504.40", {"code": "8471.30"}, {"code": "8471.30"}),
        (
            Say.EDIT,
            CALL,
            {"say": "edit", "arguments": {"code": "8471.30", "pieces": 3}},
            "8471.30",
        ),
        (
            Say.EDIT,
            CALL,
            {"say": "edit", "arguments": {"code": "8504.40", "pieces": 4}},
            {"tool": "declare", "arguments": {"pieces": 4}},
        ),
        (
            Say.EDIT,
            CALL,
            {"say": "edit", "arguments": {"code": "8471.30", "pieces": 4}},
            {"tool": "declare", "arguments": {"code": "8471.30", "pieces": 4}},
        ),
        (Say.EDIT, CALL, {"say": "edit", "arguments": CALL["arguments"]}, None),
        (Say.REJECT, CALL, {"say": "reject"}, {"not": CALL}),
        (Say.RESPOND, CALL, {"say": "respond", "text": "ask"}, {"not": CALL}),
    ],
)
def test_what_is_taught(say: Say, agent: Any, human: Any, expected: Any) -> None:
    assert taught(override(say, agent, human)).expected == expected


def test_labels_are_what_changed() -> None:
    edited = {"say": "edit", "arguments": {"code": "8471.30", "pieces": 3}}
    told = taught(override(Say.EDIT, CALL, edited))
    assert (told.agent_said, told.human_said) == ("8504.40", "8471.30")
    told = taught(override(Say.REJECT, CALL, {"say": "reject"}))
    assert (told.agent_said, told.human_said) == ("declare", "not that")
    assert len(label("long " * 100)) <= 60


@given(asked=TEXTS, right=TEXTS, other=TEXTS)
def test_a_question_is_in_one_split_whatever_its_answer(
    asked: str, right: str, other: str
) -> None:
    assert split_of(digest(asked)) in {TRAIN, SELECTION, TEST}
    assert content_hash(asked, right) == Item(id="i", input=asked, expected=right).hash
    assert (content_hash(asked, right) == content_hash(asked, other)) is (right == other)


def test_splits_are_a_half_and_two_quarters() -> None:
    found = [split_of(digest(f"question {n}")) for n in range(2000)]
    assert 900 < found.count(TRAIN) < 1100
    assert 400 < found.count(SELECTION) < 600
    assert 400 < found.count(TEST) < 600


@given(JSON)
def test_cleaning_touches_texts_alone(value: Any) -> None:
    assert cleaned(value, lambda text: text) == value
    assert "secret" not in str(cleaned(["a secret", {"secret": 1}], lambda _: "x"))


@pytest.mark.parametrize(
    ("input_", "expected", "why"),
    [
        ("a", "b", ""),
        ("a", 0, ""),
        ("a", False, ""),
        (None, "b", "asked"),
        ("", "b", "asked"),
        ("a", None, "right"),
        ("a" * 70_000, "b", "larger"),
    ],
)
def test_what_nothing_can_be_learnt_from(input_: Any, expected: Any, why: str) -> None:
    assert (why in unclear(input_, expected)) if why else not unclear(input_, expected)


ONE = Correction(
    id="cor_1",
    agent="customs",
    tool="",
    category="",
    input="laptops",
    expected="8471.30",
    agent_said="8504.40",
    human_said="8471.30",
    asked="0" * 64,
    hash=content_hash("laptops", "8471.30"),
    split=TEST,
    state=State.CANDIDATE,
    people=("ben",),
    first_at=START,
    last_at=START,
)


@pytest.mark.parametrize(
    ("one", "rivals", "by", "grave", "why"),
    [
        (ONE, [], "cat", True, ""),
        (ONE, [], "ben", False, ""),
        (ONE, [], "ben", True, "nobody but you"),
        (replace(ONE, people=("ben", "cat")), [], "ben", True, ""),
        (ONE, [replace(ONE, id="cor_2")], "cat", False, "contradict"),
        (replace(ONE, state=State.RETIRED), [], "cat", False, "retired"),
        (replace(ONE, expected=None), [], "cat", False, "right is not known"),
    ],
)
def test_who_may_take_it_in(
    one: Correction, rivals: list[Correction], by: str, *, grave: bool, why: str
) -> None:
    said = why_not(one, rivals, by, grave=grave)
    assert (why in said) if why else said == ""
