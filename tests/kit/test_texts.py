"""The texts inside of plain data."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opsroom.kit.texts import changed, texts

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=3), some, max_size=3)
    ),
    max_leaves=12,
)


@given(plain)
def test_every_text_is_found_and_changed_where_it_stands(value: Any) -> None:
    marked = changed(value, lambda text: f"<{text}>")
    assert list(texts(marked)) == [f"<{text}>" for text in texts(value)]
    assert changed(marked, lambda text: text[1:-1]) == value


def test_keys_are_changed_where_that_is_asked_for() -> None:
    value = {"a": ["b", {"c": 1}]}
    assert changed(value, str.upper) == {"a": ["B", {"c": 1}]}
    assert changed(value, str.upper, keys=True) == {"A": ["B", {"C": 1}]}
    assert list(texts(value)) == ["b"]
