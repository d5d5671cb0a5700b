"""A word diff loses nothing and says what changed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.registry.diff import Span, word_diff

WORDS = st.lists(st.sampled_from(["go ", "stop", "\n", " and", "x.", "é"]), max_size=14).map(
    "".join
)


@given(before=WORDS, after=WORDS)
def test_both_texts_come_back(before: str, after: str) -> None:
    spans = word_diff(before, after)
    assert "".join(span.text for span in spans if span.op != "insert") == before
    assert "".join(span.text for span in spans if span.op != "delete") == after
    assert all(span.text for span in spans)


@given(text=WORDS)
def test_equal_texts_do_not_differ(text: str) -> None:
    assert all(span.op == "equal" for span in word_diff(text, text))


def test_words_that_change_together_are_read_together() -> None:
    assert word_diff("answer in one word", "answer in two long sentences") == (
        Span(op="equal", text="answer in "),
        Span(op="delete", text="one word"),
        Span(op="insert", text="two long sentences"),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a " * 120_000, "b " * 120_000),
        ("\n" * 250_000, "\n" * 200_000),
        ("x" * 250_000, "y" * 250_000),
    ],
)
def test_long_texts_end_soon(before: str, after: str) -> None:
    begun = time.perf_counter()
    word_diff(before, after)
    assert time.perf_counter() - begun < 2
