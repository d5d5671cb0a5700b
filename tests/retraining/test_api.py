"""The queue over HTTP, on its pages and in the terminal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api import Api
from tests.corrections.world import CAT, accept, taught
from tests.installation import Shell
from tests.releases.world import SMALL
from tests.retraining.world import (
    ADA,
    AGENT,
    added,
    desk,
    found,
    given,
    learn,
    merged,
    was_released,
)

from opsroom.app import Settings, open_runtime
from opsroom.app.kinds import KINDS
from opsroom.journal import outbox
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.db import Tx
from opsroom.registry import Ref, VersionDraft, commands
from opsroom.registry import queries as registry
from opsroom.retraining.reactions import ENDS, REASONS, STEPS, reactions
from opsroom.retraining.workflow import LOOP
from opsroom.retraining.workflow import reactions as gate

QUEUE = "/v1/retraining"


@pytest.fixture
def office(sqlite_api: Api) -> Api:
    desk(sqlite_api.db, cases=0)
    return sqlite_api


def test_the_queue_over_http(office: Api) -> None:
    author, viewer, admin = (office.program(one) for one in ("author", "viewer", "admin"))
    body = {"agent": AGENT, "because": "it is slow"}
    assert viewer.refused("POST", QUEUE, body).status == 403
    made = author.post(QUEUE, body)
    assert (made["state"], made["times"]) == ("queued", 1)
    assert author.post(QUEUE, body)["id"] == made["id"]
    assert viewer.get(QUEUE)["items"][0]["times"] == 2
    assert viewer.get(f"{QUEUE}/{made['id']}")["reasons"][0]["trigger"] == "manual"
    assert author.refused("POST", QUEUE, {**body, "agent": "nobody"}).status == 404
    assert author.refused("POST", QUEUE, {**body, "because": " "}).code == "reason_missing"
    assert author.refused("GET", f"{QUEUE}/rtr_x").code == "retraining_not_found"
    release = f"{QUEUE}/{made['id']}/release"
    assert author.refused("POST", release).status == 403
    refused = office.program("operator").refused("POST", release)
    assert (refused.status, refused.code) == (409, "retraining_not_releasable")
    dismiss = f"{QUEUE}/{made['id']}/dismiss"
    assert author.post(dismiss, {"reason": "not now"})["state"] == "dismissed"
    assert author.refused("POST", dismiss, {"reason": "x"}).code == "retraining_wrong_state"
    assert viewer.get(QUEUE)["items"] == []
    assert len(viewer.get(QUEUE, everything="true")["items"]) == 1
    settings = admin.get(f"{QUEUE}/settings/{AGENT}")
    assert settings["mode"] == "off"
    new = {**settings, "mode": "candidate", "share": 2.0}
    assert author.refused("PUT", f"{QUEUE}/settings/{AGENT}", new).status == 403
    refused = admin.refused("PUT", f"{QUEUE}/settings/{AGENT}", new)
    assert refused.code == "broken_retraining_settings"
    admin.put(f"{QUEUE}/settings/{AGENT}", {**new, "share": 0.1})
    assert viewer.get(f"{QUEUE}/settings/{AGENT}")["share"] == 0.1


def test_examples_leave_as_lines(office: Api) -> None:
    made = [
        taught(office.db, agent=AGENT, asked={"description": f"goods {number}"})
        for number in range(12)
    ]
    accept(office.db, *made, by=CAT)
    author, viewer = office.program("author"), office.program("viewer")
    path = f"{QUEUE}/export/{AGENT}"
    assert viewer.refused("GET", path).status == 403
    answer = author.send("GET", path, params={"format": "dpo", "split": "train,selection"})
    assert answer.headers["content-type"].startswith("application/jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    counted = author.get(f"{path}/count", format="dpo", split="train,selection")
    assert counted == {"version": "agent/customs@1", "lines": len(lines), "left_out": {}}
    assert author.refused("GET", f"{path}?split=test").code == "held_out_export"
    assert author.refused("GET", f"{QUEUE}/export/nobody").code == "nothing_to_improve"


def test_the_pages_say_it_in_words(office: Api) -> None:
    author, admin = office.person("author"), office.person("admin")
    html = {"Accept": "text/html"}
    made = office.program("author").post(QUEUE, {"agent": AGENT, "because": "it is slow"})
    learn(office.db)
    page = author.send("GET", "/retraining", headers=html).text
    assert "1 agent waits for a next step" in page
    assert "It is slow" in page
    assert "not known" in page
    shown = author.send("GET", f"/retraining/{made['id']}", headers=html).text
    assert "Somebody has to start it" in shown
    first = author.send("GET", "/", headers=html).text
    assert "Should get better" in first
    assert f"/retraining/{made['id']}" in first
    form = {
        "mode": "candidate", "method": "examples", "share": "7.5", "accepted": "9",
        "every_days": "30", "max_calls": "500", "max_usd": "2.50",
    }  # fmt: skip
    path = f"/retraining/settings/{AGENT}"
    assert author.send("POST", path, data=form).status_code == 403
    assert admin.send("POST", path, data=form, follow_redirects=False).status_code == 303
    kept = office.program("viewer").get(f"{QUEUE}/settings/{AGENT}")
    assert (kept["share"], kept["budget"]) == (0.075, {"max_calls": 500, "max_usd": "2.50"})
    assert admin.send("POST", path, data={**form, "share": "much"}).status_code == 422
    gone = f"/retraining/{made['id']}/dismiss"
    answer = author.send("POST", gone, data={"reason": "later"}, follow_redirects=False)
    assert answer.status_code == 303
    assert "notice=retraining_dismissed" in answer.headers["location"]


def test_the_release_is_started_from_the_page(office: Api) -> None:
    was_released(office.db, replace(SMALL, gate=None))
    one = found(office.db, added(office.db))
    person, path = office.person("operator"), f"/retraining/{one.id}"
    assert "Start the release" not in person.send("GET", path).text
    merged(office.db, one)
    assert "Start the release" in person.send("GET", path).text
    assert "Start the release" not in office.person("author").send("GET", path).text
    html = {"Accept": "text/html"}
    sent = person.send("POST", f"{path}/release", headers=html, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    begun = office.program("viewer").get(f"{QUEUE}/{one.id}")
    assert sent.headers["location"].startswith(f"/releases/{begun['release']}?")
    shown = person.send("GET", path).text
    assert "Its release is under way" in shown
    assert "Start the release" not in shown


def test_every_event_has_words(office: Api) -> None:
    made = office.program("author").post(QUEUE, {"agent": AGENT, "because": "it is slow"})
    office.program("author").post(f"{QUEUE}/{made['id']}/dismiss", {"reason": "later"})
    with office.db.read(ADA) as tx:
        entries = [one for one, _ in journal.entries(tx) if one.event.startswith("retraining.")]
    told = [tell(one) for one in entries]
    assert [one.title for one in told] == [
        "customs is not made better now",
        "customs should be made better: it is slow",
    ]
    assert {one.href for one in told} == {f"/retraining/{made['id']}"}


def test_the_loop_of_the_gate_is_begun_for_a_candidate(office: Api) -> None:
    begun: list[tuple[str, str]] = []

    class Durable:
        def begin(self, loop: str, key: str) -> None:
            begun.append((loop, key))

    with office.db.write(ADA) as tx:
        tx.record("retraining.gating", "retraining/rtr_7", agent=AGENT)
    outbox.pump(office.db, gate(Durable()))  # type: ignore[arg-type]
    assert begun == [(LOOP, "rtr_7")]


def test_it_hears_of_what_the_issue_names() -> None:
    names = {one.name for one in reactions(KINDS)}
    assert names == {"retraining.reasons", "retraining.ends", "retraining.steps"}
    assert {"drift.found", "correction.accepted"} <= REASONS
    assert {"improvement.finished", "improvement.failed", "label.moved"} <= ENDS
    assert {"proposal.merged", "approval.given", "release.promoted"} <= STEPS


def test_from_the_terminal(shell: Shell, home: Path, tmp_path: Path) -> None:
    runtime = open_runtime(Settings(data=home))
    desk(runtime.db, cases=0)
    made = [
        taught(runtime.db, agent=AGENT, asked={"description": f"goods {number}"})
        for number in range(6)
    ]
    accept(runtime.db, *made, by=CAT)
    runtime.close()
    assert shell("retraining", "list") == 0
    assert "nothing has to get better now" in shell.out
    entry = shell.data("retraining", "add", AGENT, "-m", "it is slow")
    assert shell("retraining", "list") == 0
    assert entry["id"] in shell.out
    assert shell("retraining", "show", entry["id"]) == 0
    assert "manual" in shell.out
    assert shell.refused("retraining", "start", entry["id"])["exit_code"] == 2
    assert shell("retraining", "settings", AGENT, "--mode", "candidate", "--max-usd", "3") == 0
    assert "by itself: candidate" in shell.out
    assert "3 USD" in shell.out
    file = tmp_path / "train.jsonl"
    wanted = ("retraining", "export", AGENT, "--format", "dpo", "--split", "train,selection")
    assert shell(*wanted, "-o", file) == 0
    assert f"{len(file.read_text().splitlines())} examples" in shell.err
    assert shell.refused("retraining", "export", AGENT, "--split", "test")["code"] == (
        "held_out_export"
    )
    refused = shell.refused("retraining", "release", entry["id"])
    assert refused["code"] == "retraining_not_releasable"
    assert shell("retraining", "dismiss", entry["id"], "-m", "later") == 0
    assert "dismissed" in shell.out


def test_the_share_is_of_all_turns_of_an_agent(office: Api) -> None:
    """Also of those of a version that nobody corrected: otherwise it would look worse than it is."""
    clerk = office.program("agent", agent=AGENT)
    draft = {"agent": AGENT, "intent": "classify", "human": "ada"}

    def worked(times: int) -> None:
        for _ in range(times):
            turn = clerk.post("/v1/turns", draft)["id"]
            clerk.post(f"/v1/turns/{turn}/final", {"final": "done"})

    worked(10)
    given(office.db, accepted=2, share=0.001)
    made = [
        taught(
            office.db,
            agent=AGENT,
            asked={"description": f"goods {number}"},
            subject=f"trace/{number:032x}",
        )
        for number in range(2)
    ]
    with office.db.write(ADA) as tx:
        of = registry.artifact(tx, "agent", AGENT)
        commands.move_label(tx, of, "production", _second(tx), how="import", reason="next")
    worked(30)
    accept(office.db, *made, by=CAT)
    learn(office.db)
    reason = office.program("viewer").get(QUEUE)["items"][0]["reasons"][0]
    assert (reason["rate"]["corrected"], reason["rate"]["turns"]) == (2, 40)
    assert reason["because"] == (
        "people decided otherwise in 2 of 40 turns in 30 days, 5.0% [0.6%, 16.9%];"
        " 2 new corrections were accepted"
    )


def _second(tx: Tx) -> int:
    spec = registry.version(tx, Ref("agent", AGENT, "1")).spec | {"description": "the next one"}
    made = commands.create_version(tx, "agent", AGENT, VersionDraft(spec=spec), kinds=KINDS)
    return made.number
