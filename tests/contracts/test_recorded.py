"""What recorded agents really called: which calls break the contract, and which are refused."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsroom.contracts.canonical import canonicalise
from opsroom.contracts.checking import checker
from opsroom.contracts.errors import BrokenContract
from opsroom.contracts.infer import tier_of
from opsroom.contracts.model import Tier
from opsroom.contracts.readers.tools import read_openai


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def test_recorded_calls_that_break_their_contract_are_refused(data_dir: Path) -> None:
    folder = data_dir / "agentdojo"
    specs = {
        (suite, spec.tool): spec
        for suite in ("banking", "slack", "workspace")
        for spec in read_openai(
            json.loads((folder / f"suite_{suite}.json").read_text())
        ).contracts
    }
    raw = {
        (suite, tool["name"]): checker(tool["parameters"], tool=tool["name"])
        for suite in ("banking", "slack", "workspace")
        for tool in json.loads((folder / f"suite_{suite}.json").read_text())["tools"]
    }
    broken: Counter[str] = Counter()
    for path in sorted((folder / "runs").glob("*.jsonl.gz")):
        for run in lines(path):
            for message in run["messages"]:
                for call in message.get("tool_calls") or ():
                    at = (run["suite"], call["function"])
                    if at not in raw:
                        continue
                    kinds = raw[at].kinds(call["args"])
                    if not kinds:
                        continue
                    broken[kinds[0]] += 1
                    with pytest.raises(BrokenContract):
                        canonicalise(specs[at], call["args"])
    assert broken == {"required": 5, "enum": 21, "type": 38, "anyOf": 1}


def test_no_recorded_call_of_tau_breaks_its_schema(data_dir: Path) -> None:
    """None breaks the schema as it is published; closed, it refuses the one call that brings
    fields which its schema does not describe.
    """
    folder = data_dir / "tau"
    calls, refused = 0, []
    for path in sorted((folder / "runs").glob("*.jsonl.gz")):
        tools = json.loads((folder / f"tools_{path.name.partition('__')[0]}.json").read_text())
        raw = {tool["name"]: checker(tool["parameters"], tool=tool["name"]) for tool in tools}
        specs = {spec.tool: spec for spec in read_openai(tools).contracts}
        for run in lines(path):
            for message in run["messages"]:
                for call in message.get("tool_calls") or ():
                    if call.get("requestor", "assistant") != "assistant":
                        continue
                    assert raw[call["function"]].wrong(call["args"]) is None
                    calls += 1
                    try:
                        canonicalise(specs[call["function"]], call["args"])
                    except BrokenContract as error:
                        refused.append((error.tool, error.path))
    assert calls == 3889
    assert refused == [("update_reservation_flights", "/flights/0")]


@pytest.mark.parametrize(
    ("tool", "tier"),
    [
        ("get_balance", Tier.READ),
        ("searchFiles", Tier.READ),
        ("update_profile", Tier.WRITE),
        ("frobnicate", Tier.WRITE),
        ("send_email", Tier.EXTERNAL),
        ("delete_file", Tier.IRREVERSIBLE),
        ("transfer_funds", Tier.IRREVERSIBLE),
        ("reset_password", Tier.CREDENTIAL),
    ],
)
def test_a_tier_is_guessed_from_plain_english(tool: str, tier: Tier) -> None:
    assert tier_of(tool) is tier


def test_fetching_any_address_reaches_the_outside() -> None:
    schema = {"type": "object", "properties": {"url": {"type": "string"}}}
    assert tier_of("fetch_page", "", schema) is Tier.EXTERNAL
