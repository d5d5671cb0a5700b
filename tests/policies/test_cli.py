"""Policies at the terminal: stored, looked at, tested; what cannot work is refused."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.installation import Shell

CONTRACT = """
tool: pay
input: {type: object, properties: {to: {type: string}, amount: {type: number}}, required: [to]}
"""
POLICY = """
cedar: |
  @id("pays")
  permit (principal, action == Action::"pay", resource);
  @id("much")
  @verdict("escalate")
  @reason("more than 100 usd")
  forbid (principal, action == Action::"pay", resource)
  when { context.arguments has amount && context.arguments.amount.greaterThan(decimal("100.0")) };
tests:
- {name: little, tool: pay, arguments: {to: bob, amount: 5}, expect: permit}
- {name: much, tool: pay, arguments: {to: bob, amount: "1e3"}, expect: escalate}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "pay.yaml").write_text(CONTRACT)
    path = tmp_path / "limits.yaml"
    path.write_text(POLICY)
    return path


def test_a_file_is_tested_before_anything_is_stored(shell: Shell, policy: Path) -> None:
    assert shell("policy", "test", policy, "--contract", policy.parent / "pay.yaml") == 0
    assert shell.out.endswith("all as expected\n")


def test_a_stored_policy_is_tested_against_stored_contracts(shell: Shell, policy: Path) -> None:
    assert shell("contract", "store", "pay", policy.parent / "pay.yaml") == 0
    assert shell("policy", "store", "limits", policy) == 0
    outcomes = shell.data("policy", "test", "limits")
    assert [one["verdict"] for one in outcomes] == ["permit", "escalate"]
    assert outcomes[1]["because"] == "limits/much: more than 100 usd"
    assert shell("policy", "lint", "limits") == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{name: x, tool: pay, arguments: {to: bob}, expect: deny}", "pays"),
        ("{name: x, tool: pay, arguments: {}, expect: deny}", "does not take this"),
        ("{name: x, tool: pay, arguments: {to: b}, context: {nope: 1}, expect: deny}", "'nope'"),
        ("{name: x, tool: pay, arguments: {to: b}, context: {hour: no}, expect: permit}", "permit"),
    ],
)  # fmt: skip
def test_what_does_not_come_out_as_expected_fails_the_build(
    shell: Shell, policy: Path, row: str, says: str
) -> None:
    policy.write_text(f"{POLICY}- {row}\n")
    code = shell("policy", "test", policy, "--contract", policy.parent / "pay.yaml")
    if "hour" in row:  # a fact that no policy reads is never looked at
        assert code == 0
        return
    assert code == 3
    assert "FAILED" in shell.out
    assert says in shell.out


def test_text_that_cedar_cannot_read_is_not_stored(shell: Shell, policy: Path) -> None:
    policy.write_text(
        'cedar: |\n  @id("a")\n  permit (principal, action, resource);\n\n  forbid (\n'
    )
    error = shell.refused("policy", "store", "limits", policy)
    assert (error["code"], error["exit_code"]) == ("policy_broken", 2)
    assert "line 4" in error["message"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("context.arguments has amount", "context.facts.nobody", "policy_unknown_fact"),
        ("context.arguments has amount", "context.arguments.too == 1", "policy_invalid"),
        ("expect: permit", "expect: deny", "policy_test_failed"),
    ],
)
def test_the_linter_finds_what_would_never_work(
    shell: Shell, policy: Path, before: str, after: str, code: str
) -> None:
    assert shell("contract", "store", "pay", policy.parent / "pay.yaml") == 0
    policy.write_text(POLICY.replace(before, after))
    assert shell("policy", "store", "limits", policy) == 0
    assert shell("--json", "policy", "lint", "limits") == 3
    assert f'"{code}"' in shell.out


def test_outcomes_are_written_for_build_servers(shell: Shell, policy: Path) -> None:
    file = policy.parent / "out.xml"
    contract = policy.parent / "pay.yaml"
    shell("policy", "test", policy, "--contract", contract, "--junit", file)
    suite = ET.parse(file).getroot()
    assert (suite.get("name"), suite.get("failures")) == ("policy limits", "0")
    assert len(suite.findall("testcase")) == int(suite.get("tests", "0")) > 0
