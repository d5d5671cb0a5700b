"""How a proposal stands, as forges and build servers read it."""

from typing import Any
from xml.etree import ElementTree as ET

from opsroom.registry import reports

FOUND: dict[str, Any] = {
    "proposal": {
        "id": "prp_1",
        "kind": "prompt",
        "name": "triage",
        "label": "production",
        "number": 2,
        "base": 1,
        "state": "open",
        "title": "Ask | *first*",
        "checks": [
            {"name": "lint", "state": "passed", "summary": "nothing to remark"},
            {"name": "gate", "state": "failed", "summary": "worse on <right>"},
        ],
    },
    "needs": {"checks": ["lint", "gate", "regression"]},
    "missing": ["check 'gate' is failed", "0 of 1 approvals"],
    "comments": [{"state": "open"}, {"state": "resolved"}],
}
READY: dict[str, Any] = {
    **FOUND,
    "needs": {"checks": ["lint"]},
    "proposal": {**FOUND["proposal"], "checks": FOUND["proposal"]["checks"][:1]},
    "missing": [],
    "comments": [],
}


def test_a_summary_says_what_was_checked_and_what_is_missing() -> None:
    said = reports.markdown(FOUND)
    assert "### Ask \\| \\*first\\*" in said
    assert "| gate | failed | worse on \\<right\\> |" in said
    assert "| regression | missing | it has not been made |" in said
    assert "Open comments: 1." in said
    assert "- 0 of 1 approvals" in said
    assert "Nothing is missing." in reports.markdown(READY)


def test_a_build_server_sees_every_check_and_whether_it_is_ready() -> None:
    cases = {
        case.get("name"): case.find("failure")
        for case in ET.fromstring(reports.junit(FOUND)).iter("testcase")
    }
    assert set(cases) == {"lint", "gate", "regression", "ready to merge"}
    assert cases["lint"] is None
    assert all(cases[name] is not None for name in ("gate", "regression", "ready to merge"))
    assert "<failure" not in reports.junit(READY)


def test_it_is_good_when_it_is_merged_or_may_be() -> None:
    assert not reports.good(FOUND)
    assert reports.good(READY)
    merged = {**FOUND, "proposal": {**FOUND["proposal"], "state": "merged"}}
    assert reports.good(merged)
    assert not reports.good({**merged, "proposal": {**FOUND["proposal"], "state": "withdrawn"}})
