"""What is read from descriptions of tools, and that a claim makes nothing milder."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.errors import BrokenContract, Unreadable
from opsroom.contracts.model import Http, Mcp, Tier
from opsroom.contracts.readers.files import read_arguments, read_file
from opsroom.contracts.readers.openapi import read_openapi
from opsroom.contracts.readers.python import read_function, read_model
from opsroom.contracts.readers.tools import read_mcp, read_openai


class Invoice(BaseModel):
    number: str
    amount: float


def send_offer(to: list[str], price: float, note: str = "") -> dict[str, int]:
    """Send an offer.

    Args:
        to: whom it goes to
        price (float): in euros
    """
    return {"sent": len(to) + int(price) + len(note)}


def test_a_function_with_its_docstring() -> None:
    spec = read_function(send_offer)
    assert (spec.tool, spec.risk) == ("send_offer", Tier.EXTERNAL)
    assert spec.input["required"] == ["to", "price"]
    assert spec.input["additionalProperties"] is False
    assert spec.input["properties"]["to"]["description"] == "whom it goes to"
    assert spec.input["properties"]["price"]["description"] == "in euros"
    assert spec.output == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert canonicalise(spec, {"to": ["a@b.c"], "price": "9"}).arguments["price"] == 9


def test_one_model_is_taken_by_its_fields() -> None:
    def post_invoice(invoice: Invoice) -> None: ...

    spec = read_function(post_invoice)
    assert set(spec.input["properties"]) == {"number", "amount"}
    assert spec.input == read_model(Invoice, tool="post_invoice").input
    with pytest.raises(BrokenContract):
        canonicalise(spec, {"number": "1", "amount": 2, "discount": 3})


def test_what_has_no_name_or_type_is_unreadable() -> None:
    def loose(*parts: str) -> None: ...
    def bare(part) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001  # the point

    for function in (loose, bare):
        with pytest.raises(Unreadable):
            read_function(function)


def mcp(name: str, **hints: bool) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, "annotations": hints}


@pytest.mark.parametrize(
    ("tool", "tier"),
    [
        (mcp("delete_all", readOnlyHint=True), Tier.IRREVERSIBLE),
        (mcp("frobnicate", readOnlyHint=True), Tier.WRITE),
        (mcp("frobnicate", destructiveHint=True), Tier.IRREVERSIBLE),
        (mcp("frobnicate", destructiveHint=False), Tier.WRITE),
        (mcp("frobnicate", openWorldHint=True), Tier.EXTERNAL),
        (mcp("get_file", idempotentHint=True), Tier.READ),
        (mcp("pay", idempotentHint=True), Tier.IRREVERSIBLE),
    ],
)
def test_the_hints_of_a_server_make_nothing_milder(tool: dict[str, Any], tier: Tier) -> None:
    (spec,) = read_mcp({"tools": [tool]}, url="https://tools.example/mcp").contracts
    assert spec.risk is tier
    assert not spec.effects.idempotent
    assert spec.executor == Mcp(url="https://tools.example/mcp", tool=tool["name"])


def test_a_schema_that_leads_outside_is_left_out_and_never_fetched() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}}
    tools = [{"name": "bad", "parameters": schema}, {"name": "good"}]
    found = read_openai(tools)
    assert [one.tool for one in found.contracts] == ["good"]
    assert [one.tool for one in found.left_out] == ["bad"]


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://api.example/{v}", "variables": {"v": {"default": "v1"}}}],
    "paths": {
        "/orders/{order}": {
            "parameters": [{"$ref": "#/components/parameters/Order"}],
            "get": {
                "operationId": "getOrder",
                "parameters": [{"name": "full", "in": "query", "schema": {"type": "boolean"}}],
            },
            "delete": {"operationId": "dropOrder"},
            "patch": {
                "operationId": "changeOrder",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Change"}}
                    },
                },
            },
        },
        "/scan": {"post": {"requestBody": {"content": {"image/png": {}}}}},
    },
    "components": {
        "parameters": {
            "Order": {
                "name": "order",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
            }
        },
        "schemas": {
            "Change": {
                "type": "object",
                "required": ["price"],
                "properties": {
                    "price": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "note": {"type": "string", "nullable": True},
                    "parent": {"$ref": "#/components/schemas/Change"},
                },
            }
        },
    },
}


def test_operations_of_openapi() -> None:
    found = read_openapi(DOCUMENT)
    specs = {spec.tool: spec for spec in found.contracts}
    assert specs["getOrder"].risk is Tier.READ
    assert specs["dropOrder"].risk is Tier.IRREVERSIBLE
    url = "https://api.example/v1/orders/{order}"
    assert specs["changeOrder"].executor == Http(method="PATCH", url=url)
    assert set(specs["getOrder"].input["properties"]) == {"order", "full"}
    assert [one.tool for one in found.left_out] == ["post_scan"]


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"order": "1", "price": 2, "note": None}, True),
        ({"order": "1", "price": 2, "parent": {"price": "3"}}, True),
        ({"order": "1", "price": 0}, False),
        ({"order": "1"}, False),
        ({"price": 1}, False),
        ({"order": "1", "price": 2, "parent": {"price": 3, "x": 1}}, False),
    ],
)
def test_a_call_of_an_operation(arguments: dict[str, Any], fits: bool) -> None:
    spec = next(s for s in read_openapi(DOCUMENT).contracts if s.tool == "changeOrder")
    if fits:
        canonicalise(spec, arguments)
        return
    with pytest.raises(BrokenContract):
        canonicalise(spec, arguments)


def test_a_field_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="twice"):
        read_arguments('{"amount": 1, "amount": 1000}')
    with pytest.raises(Unreadable):
        read_arguments("[" * 100_000)
    file = tmp_path / "tools.json"
    file.write_text('{"tools": [], "tools": []}')
    with pytest.raises(Unreadable, match="twice"):
        read_file("mcp", file)


def test_a_file_of_contracts(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    file.write_text(json.dumps([{"tool": "pay", "risk": "irreversible"}]))
    (spec,) = read_file("json", file).contracts
    assert (spec.tool, spec.risk) == ("pay", Tier.IRREVERSIBLE)
    file.write_text(json.dumps([{"tool": "pay", "risk": "harmless"}]))
    with pytest.raises(Unreadable, match="risk"):
        read_file("json", file)
