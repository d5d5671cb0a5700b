"""One spelling per argument, and nothing that does not fit gets through (attacks C4, T2, T6)."""

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.checking import checker
from opsroom.contracts.closing import closed
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.model import ContractSpec

SCHEMA = closed(
    {
        "type": "object",
        "properties": {
            "recipient": {"type": "string"},
            "url": {"type": "string"},
            "amount": {"type": "number"},
            "copies": {"type": "integer"},
            "subject": {"type": "string"},
            "cc": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
            "currency": {"enum": ["EUR", "USD"]},
            "line": {"$ref": "#/$defs/Line"},
        },
        "required": ["recipient", "amount"],
        "$defs": {
            "Line": {"type": "object", "properties": {"price": {"type": "number"}}},
        },
    }
)
PAY = ContractSpec(tool="pay", input=SCHEMA)
GOOD: dict[str, Any] = {"recipient": "ann@example.com", "amount": 10}


def form(**arguments: Any) -> dict[str, Any]:
    return canonicalise(PAY, {**GOOD, **arguments}).arguments


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("amount", "1e3", 1000),
        ("amount", "١٠٠٠", 1000),
        ("amount", " 10 ", 10),
        ("amount", "１０．５", 10.5),
        ("amount", 10.0, 10),
        ("amount", Decimal("10.50"), 10.5),
        ("amount", -5, -5),
        ("copies", "2", 2),
        ("line", {"price": "7.5"}, {"price": 7.5}),
        ("recipient", "ａnn@example.com", "ann@example.com"),
        ("recipient", "an\u200bn@example.com", "ann@example.com"),
        ("recipient", "ann@example.com\u202e", "ann@example.com"),
        ("recipient", " ann@example.com. ", "ann@example.com"),
        ("recipient", "Ann@Example.com", "Ann@Example.com"),
        ("url", "https://example.com./a.", "https://example.com/a."),
        ("url", "https://example.com:8080/ ", "https://example.com:8080/"),
        ("subject", "cafe\u0301", "caf\u00e9"),
        ("subject", " kept as it is. ", " kept as it is. "),
        ("cc", ["a@b.c"], ["a@b.c"]),
    ],
)
def test_one_spelling(name: str, written: Any, read: Any) -> None:
    found = form(**{name: written})[name]
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("an\u200bn@example.com", "hidden"),
        ("ann@example.com\u202e", "bidi"),
        ("\u0430nn@example.com", "mixed_script"),
        ("ａnn@example.com", "respelt"),
    ],
)
def test_what_looks_like_something_else_is_noted(written: str, code: str) -> None:
    found = canonicalise(PAY, {**GOOD, "recipient": written})
    assert code in found.codes
    assert {note.path for note in found.notes} == {"/recipient"}


def test_a_name_in_one_foreign_script_is_left_in_peace() -> None:
    assert not canonicalise(PAY, {**GOOD, "recipient": "Дмитрий Иванов"}).codes


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": ["ann@example.com"]},
        {"cc": "a@b.c"},
        {"amount": "ten"},
        {"amount": "1e999"},
        {"amount": float("nan")},
        {"amount": float("inf")},
        {"amount": Decimal("NaN")},
        {"amount": 2**53},
        {"amount": 10**1_000_000},
        {"amount": "9" * 1_000_000},
        {"amount": True},
        {"amount": None},
        {"copies": 1.5},
        {"copies": "1.5"},
        {"recipient": 7},
        {"currency": "eur"},
        {"currency": "GBP"},
        {"recipient": "a\0b"},
        {"recipient": "\ud800"},
        {"line": {"price": 1, "discount": 2}},
        {"__proto__": {}},
        {"lc": 1, "type": "constructor"},
        {"py/object": "os.system"},
        {"Amount": 1},
        {"ａmount": 1},
        {"subject": "x" * 300_000},
        {"cc": nested(100)},
        {"cc": nested(100_000)},
    ],
    ids=",".join,
)
def test_what_does_not_fit_is_refused_at_once(wrong: dict[str, Any]) -> None:
    begun = time.perf_counter()
    with pytest.raises(BrokenContract) as refused:
        form(**wrong)
    assert refused.value.tool == "pay"
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_field_is_refused_and_never_invented(name: str) -> None:
    with pytest.raises(BrokenContract):
        canonicalise(PAY, {one: value for one, value in GOOD.items() if one != name})


def test_no_default_is_invented() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "default": 100}}}
    assert canonicalise(ContractSpec(tool="recent", input=schema), {}).arguments == {}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
numbers = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9
)
arguments = st.fixed_dictionaries(
    {"recipient": st.text() | values, "amount": numbers | numbers.map(str) | values},
    optional={
        "url": st.text().map(lambda text: f"https://{text}") | values,
        "cc": st.lists(st.text()) | values,
        "line": st.fixed_dictionaries({"price": numbers.map(str)}) | values,
        "subject": st.text(),
    },
)


@settings(max_examples=300, deadline=None)
@given(arguments)
def test_the_canonical_form_fits_and_is_its_own(given_: dict[str, Any]) -> None:
    try:
        once = canonicalise(PAY, given_).arguments
    except BrokenContract:
        return
    assert checker(SCHEMA, tool="pay").wrong(once) is None
    assert canonicalise(PAY, once).arguments == once
    assert once.keys() == given_.keys()
