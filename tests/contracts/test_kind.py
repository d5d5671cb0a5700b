"""What is stored of a contract, what the linter says of it, and trying a call over HTTP."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api import Api

from opsroom.contracts.closing import closed
from opsroom.contracts.lint import lint
from opsroom.contracts.model import (
    ArgumentKind,
    ContractSpec,
    Effects,
    Retry,
    Sink,
    Tier,
)

SCHEMA = closed(
    {
        "type": "object",
        "properties": {"payee": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["payee", "amount"],
    }
)
GOOD = ContractSpec(
    tool="pay",
    input=SCHEMA,
    output={"type": "object"},
    risk=Tier.IRREVERSIBLE,
    key=("/payee", "/amount"),
    lookup="find-payment",
    spends="/amount",
    sinks=(
        Sink(path="/payee", kind=ArgumentKind.RECIPIENT),
        Sink(path="/amount", kind=ArgumentKind.AMOUNT),
    ),
)


def test_a_good_contract_is_left_in_peace() -> None:
    assert lint(GOOD, None) == []
    assert lint(GOOD, GOOD) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": ()}, "no_key"),
        ({"key": ("/invoice",)}, "pointer_leads_nowhere"),
        ({"spends": "/total"}, "pointer_leads_nowhere"),
        ({"retry": Retry(attempts=3)}, "retry_repeats"),
        ({"effects": Effects(read_only=True)}, "reads_or_acts"),
        ({"sinks": ()}, "sinks_inferred"),
        ({"output": None}, "no_output"),
        ({"lookup": None}, "no_lookup"),
        ({"input": {**SCHEMA, "additionalProperties": True}}, "input_open"),
    ],
)
def test_the_linter(change: dict[str, Any], code: str) -> None:
    assert [one.code for one in lint(replace(GOOD, **change), None)] == [code]


def test_another_face_and_less_risk_are_said() -> None:
    changed = replace(GOOD, description="Now better!", risk=Tier.WRITE)
    assert [one.code for one in lint(changed, GOOD)] == ["face_changed", "risk_lowered"]


def test_closing_leaves_what_was_meant_to_be_open() -> None:
    schema = {
        "type": "object",
        "properties": {
            "free": {"type": "object"},
            "said": {"type": "object", "properties": {}, "additionalProperties": True},
        },
        "allOf": [{"properties": {"a": {}}}],
    }
    shut = closed(schema)
    assert shut["properties"] == schema["properties"]
    assert shut["allOf"] == schema["allOf"]
    assert shut["unevaluatedProperties"] is False


schemas = st.recursive(
    st.just({"type": "string"}),
    lambda inner: (
        st.dictionaries(st.sampled_from("abc"), inner).map(
            lambda fields: {"type": "object", "properties": fields}
        )
        | inner.map(lambda one: {"type": "array", "items": one})
        | st.lists(inner, min_size=1, max_size=2).map(lambda several: {"anyOf": several})
    ),
)


@given(schemas)
def test_closing_twice_is_closing_once(schema: dict[str, Any]) -> None:
    assert closed(closed(schema)) == closed(schema)


def store(api: Api, name: str, spec: dict[str, Any]) -> Any:
    author = api.program("author")
    author.post("/v1/artifacts/contract", {"name": name})
    return author.post(f"/v1/artifacts/contract/{name}/versions", {"spec": spec})


PAY = {
    "tool": "pay",
    "input": {k: v for k, v in SCHEMA.items() if k != "additionalProperties"},
    "risk": "irreversible",
    "key": ["/payee", "/amount"],
    "spends": "/amount",
}


def test_what_is_stored_is_closed_and_pinned(api: Api) -> None:
    store(api, "find-payment", {"tool": "find_payment", "risk": "read"})
    made = store(api, "pay", {**PAY, "lookup": "find-payment"})
    assert made["spec"]["input"]["additionalProperties"] is False
    assert made["spec"]["lookup"] == "find-payment@1"
    assert set(made["spec"]["cites"]) == {"contract/find-payment@1"}


def test_a_call_is_tried_without_being_made(api: Api) -> None:
    store(api, "pay", PAY)
    author = api.program("author")
    found = author.post(
        "/v1/contracts/pay/check", {"arguments": {"payee": "ａcme", "amount": "1e3"}}
    )
    assert found["arguments"] == {"payee": "acme", "amount": 1000}
    assert found["amount"] == "1000"
    assert {one["path"] for one in found["notes"]} == {"/payee", "/amount"}
    same = author.post(
        "/v1/contracts/pay/check", {"arguments": {"payee": "acme", "amount": 1000.0}}
    )
    assert found["key"] == same["key"] != ""


def test_a_call_that_does_not_fit_is_refused(sqlite_api: Api) -> None:
    store(sqlite_api, "pay", PAY)
    author = sqlite_api.program("author")
    body = {"arguments": {"payee": "acme", "amount": 1, "memo": "x"}}
    refused = author.refused("POST", "/v1/contracts/pay/check", body)
    assert (refused.status, refused.code) == (422, "contract_broken")
    assert refused.facts["tool"] == "pay"


def test_a_schema_that_is_none_is_not_stored(sqlite_api: Api) -> None:
    author = sqlite_api.program("author")
    author.post("/v1/artifacts/contract", {"name": "bad"})
    for schema in ({"type": "nonsense"}, {"$ref": "https://example.com/x"}):
        body = {"spec": {"tool": "bad", "input": schema}}
        refused = author.refused("POST", "/v1/artifacts/contract/bad/versions", body)
        assert refused.code == "contract_bad"


def test_the_page_says_what_a_call_does(sqlite_api: Api) -> None:
    store(sqlite_api, "pay", PAY)
    author = sqlite_api.program("author")
    page = author.send("GET", "/contracts/pay")
    assert page.status_code == 200, page.text
    assert "cannot be taken back" in page.text
    assert "a guess" in page.text
    assert author.send("GET", "/contracts").status_code == 200
