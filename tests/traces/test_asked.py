"""The filter language: whatever is asked is read as it was meant, or refused where it is wrong."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.traces.asked import (
    LONGEST,
    NUMBERS,
    STATUSES,
    WORDS,
    All,
    Any,
    Asked,
    Counted,
    Mentioned,
    Not,
    Noted,
    Said,
    written,
)
from opsroom.traces.choosing import COLUMNS, condition
from opsroom.traces.errors import BadTraceFilter
from opsroom.traces.parsing import parse

_texts = st.text(max_size=12)
_matches = st.sampled_from(("is", "has"))
_terms: st.SearchStrategy[Asked] = st.one_of(
    st.builds(Said, st.sampled_from(sorted(set(WORDS) - {"status"})), _matches, _texts),
    st.builds(Said, st.just("status"), st.just("is"), st.sampled_from(STATUSES)),
    st.builds(Noted, _texts, _matches, _texts),
    st.builds(
        Counted,
        st.sampled_from(sorted(NUMBERS)),
        st.sampled_from(("=", ">", ">=", "<", "<=")),
        st.decimals(0, 10**6, places=6),
    ),
    st.builds(Mentioned, _texts),
)
_trees = st.recursive(
    _terms,
    lambda inside: st.one_of(
        st.builds(Not, inside),
        st.lists(inside, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inside, min_size=2, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=6,
)


@given(_trees)
def test_what_is_written_is_read_as_it_was(asked: Asked) -> None:
    assert parse(written(asked)) == asked


@given(st.text(max_size=60) | st.text('agent:cost>-()"\\ ANDORT~=1s.', max_size=60))
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    refused: BadTraceFilter | None = None
    try:
        parse(text)
    except BadTraceFilter as error:
        refused = error
    assert refused is None or 0 <= refused.at <= len(text)
    assert refused is None or refused.as_dict()["hint"]


@given(_trees)
def test_no_value_is_ever_part_of_a_statement(asked: Asked) -> None:
    made = condition(asked)
    assert not set(made.sql) & set('"\\;#%')
    for name in made.values:
        assert f"{{{name}:" in made.sql


def test_every_word_has_a_column() -> None:
    assert COLUMNS.keys() == WORDS.keys()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", None),
        ("  ", None),
        ("agent:claims", Said("agent", "is", "claims")),
        ("model~gpt", Said("model", "has", "gpt")),
        ("cost>0.05", Counted("cost", ">", Decimal("0.05"))),
        ("duration>=300ms", Counted("duration", ">=", Decimal("0.3"))),
        ("duration<5m", Counted("duration", "<", Decimal(300))),
        ("tokens:1000", Counted("tokens", "=", Decimal(1000))),
        ("attr.http.route=/a/b", Noted("http.route", "is", "/a/b")),
        ('"no such order"', Mentioned("no such order")),
        ("-status:error", Not(Said("status", "is", "error"))),
        (
            "agent:a tool:b OR NOT user:u1",
            Any(
                (
                    All((Said("agent", "is", "a"), Said("tool", "is", "b"))),
                    Not(Said("user", "is", "u1")),
                )
            ),
        ),
        (
            "agent:a (tool:b OR tool:c)",
            All(
                (
                    Said("agent", "is", "a"),
                    Any((Said("tool", "is", "b"), Said("tool", "is", "c"))),
                )
            ),
        ),
    ],
)
def test_read(text: str, asked: Asked | None) -> None:
    assert parse(text) == asked


@pytest.mark.parametrize(
    ("text", "at", "hint"),
    [
        ("agnt:claims", 0, "did you mean 'agent'"),
        ("agent:a AND", 11, "write a term"),
        ("agent:a (tool:b", 8, "close it"),
        ("agent:a) tool:b", 7, "take it away"),
        ("cost>much", 5, "one like 0.05"),
        ("duration>2d", 9, "300ms"),
        ("agent: claims", 6, "without a space"),
        ("status:bad", 7, "status:ok"),
        ("agent>a", 0, "contains"),
        ('say "it', 4, "close it"),
        ("- agent:a", 0, "right before"),
        ("OR agent:a", 0, "quote it"),
        ("(" * 50 + "a" + ")" * 50, 11, "10 levels"),
        ("a " * 41, 80, "40 are read"),
        ("a" * (LONGEST + 1), LONGEST, "1000 characters"),
    ],
)
def test_refused_with_the_place_and_what_to_do(text: str, at: int, hint: str) -> None:
    with pytest.raises(BadTraceFilter) as refused:
        parse(text)
    assert refused.value.at == at
    assert hint in refused.value.as_dict()["hint"]
