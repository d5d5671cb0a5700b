"""Reports over HTTP, at the terminal, and in the browser."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.installation import Shell
from tests.pages import Site, holds

from opsroom.journal import checkpoints
from opsroom.journal import verify_journal as stranger


def test_a_report_of_a_real_day(shown: Site) -> None:
    signed = checkpoints.make(shown.api.db, shown.api.app.state.notary)
    report = json.loads(shown.read("/v1/evidence/soc2"))
    controls = {one["id"]: one for one in report["controls"]}
    reviewed = next(
        one for one in controls["CC8.1"]["found"] if one["look"] == "changes_reviewed"
    )
    assert reviewed["count"] == reviewed["tested"] > 0
    assert reviewed["exceptions"] == []  # cat proposes and ben approves
    assert report["gaps"]["signed"] == signed.size
    path = [bytes.fromhex(one) for one in report["gaps"]["first"]]
    entries = json.loads(shown.read("/v1/journal?limit=1000"))["items"]
    assert {one["hash"] for one in report["changes"]} <= {one["hash"] for one in entries}
    first = report["gaps"]["after"] + 1
    proof = json.loads(shown.read(f"/v1/journal/proofs/entry?seq={first}"))
    assert [bytes.fromhex(one) for one in proof["path"]] == path
    checkpoint = stranger.read_checkpoint(
        report["gaps"]["checkpoint"], stranger.read_key(signed.key)
    )
    assert stranger.check_entry(json.dumps(proof), checkpoint) == first


def test_the_page_that_stands_by_itself(shown: Site) -> None:
    page = shown.read("/v1/evidence/aiact?format=html")
    assert "<style>" in page
    assert not re.search(r"<(script|link|img)|src=|@import|url\(", page)
    assert "Every change of the period" in page
    assert "nothing found" in page
    assert 'href="http://127.0.0.1' in page


def test_bad_periods(shown: Site) -> None:
    for query in ("since=yesterday", "since=2026-12-01&until=2026-11-01", "until=9999-99-99"):
        shown.read(f"/v1/evidence/soc2?{query}", status=422)
    shown.read("/v1/evidence/iso9001", status=404)
    shown.read("/evidence?framework=iso9001", status=404)


def test_evidence_is_for_those_who_audit(shown: Site) -> None:
    for role in ("viewer", "author", "reviewer", "operator"):
        shown.read("/evidence", by=shown.person(role), status=403)


def test_at_the_terminal(shell: Shell, tmp_path: Path) -> None:
    assert {one["name"] for one in shell.data("evidence", "list")} >= {"aiact", "aarm"}
    report = tmp_path / "report.html"
    assert shell("evidence", "export", "--framework", "aiact", "-o", report) == 0
    assert "Evidence: EU AI Act" in report.read_text()
    found = shell.data("evidence", "export", "--framework", "iso42001")
    assert found["framework"] == "iso42001"
    assert shell("evidence", "export", "--framework", "iso9001") == 2


@pytest.mark.browser
def test_the_page_holds(page: Page, shown: Site, base: str) -> None:
    holds(page, shown, base, "/evidence")
