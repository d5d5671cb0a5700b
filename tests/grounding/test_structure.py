"""Answers are read as records, and hostile ones cost no more than their length."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.grounding.structure import read

MEETING = "id: '24'\ntitle: Kick-off\nguests:\n- ada@corp.example\nnotes: 'Bring the plan, and ask Bob about the rest of it.'"


@pytest.mark.parametrize(
    "text",
    [
        MEETING,
        "- " + MEETING.replace("\n", "\n  "),
        f"```yaml\n{MEETING}\n```",
        '{"title": "Kick-off", "guests": ["ada@corp.example"], "notes": "Bring the plan, and ask Bob about the rest of it."}',
        "{'title': 'Kick-off', 'guests': ['ada@corp.example'], 'notes': 'Bring the plan, and ask Bob about the rest of it.'}",
    ],
)
def test_names_and_prose_are_told_apart(text: str) -> None:
    answer = read(text)
    assert answer.structured
    assert {"kick-off", "ada@corp.example"} <= {one.text for one in answer.leaves if one.name}
    assert [one.field for one in answer.leaves if not one.name] == ["/notes"]


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nthe party is on Friday and everybody is invited to come.",
        "",
        "- [",
        "{'a': 1",
    ],
)
def test_everything_else_is_prose(text: str) -> None:
    answer = read(text)
    assert not answer.structured
    assert all(not one.name for one in answer.leaves)


def test_an_address_amid_words_is_no_name() -> None:
    (leaf,) = read('{"subject": "pay GB29NWBK60161331926819 now"}').leaves
    assert not leaf.name


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 60_000,
        "{'a':" * 20_000,
        ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]"),
        "a@" * 50_000,
        "1 " * 90_000,
    ],
    ids=["brackets", "lists", "maps", "anchors", "addresses", "digits"],
)  # fmt: skip
def test_hostile_answers_end_soon(text: str) -> None:
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < 5


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    read(text)
