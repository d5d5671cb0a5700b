"""Diffs as they are read: what is far from a change is folded, and nothing of a change is."""

from hypothesis import given
from hypothesis import strategies as st

from opsroom.registry.diff import Span, word_diff
from opsroom.registry.reading import read

WORDS = st.lists(st.sampled_from(("goods", "tariff", "answer", "\n", "only")), max_size=400)


def test_long_unchanged_text_is_folded_and_counted() -> None:
    before = "one line of ten words that nobody has ever changed\n" * 100
    after = before + "and a new end"
    found = read(word_diff(before, after))
    assert (found.added, found.removed, found.same) == (4, 0, False)
    assert found.folded > 800
    shown = "".join(text for _, text in found.ops)
    assert len(shown) < 1_000
    assert f"{found.folded:,} words unchanged" in shown


def test_whole_means_whole() -> None:
    before = "one line of ten words that nobody has ever changed\n" * 100
    found = read(word_diff(before, before + "end"), whole=True)
    assert found.folded == 0
    assert "".join(text for _, text in found.ops) == before + "end"


def test_two_equal_texts_are_the_same() -> None:
    assert read(word_diff("as it was", "as it was")).same


@given(before=WORDS, after=WORDS)
def test_every_change_is_shown_in_full(before: list[str], after: list[str]) -> None:
    spans = word_diff(" ".join(before), " ".join(after))
    found = read(spans)
    changed = [(span.op, span.text) for span in spans if span.op != "equal"]
    assert [one for one in found.ops if one[0] != "equal"] == changed


@given(text=st.text(max_size=5_000))
def test_what_is_folded_begins_and_ends_as_it_did(text: str) -> None:
    around = (
        Span(op="insert", text="a"),
        Span(op="equal", text=text),
        Span(op="delete", text="b"),
    )
    shown = read(around).ops[1][1]
    assert shown[:200] == text[:200]
    assert shown[-200:] == text[-200:]
