"""Thresholds over HTTP and from the terminal."""

from tests.actions.world import Office
from tests.installation import Shell, home, home_template, own_environment, shell
from tests.thresholds.world import (
    BOOK,
    CLERK,
    Source,
    earned,
    grant,
    rated,
    sure_when_right,
)

from opsroom.autonomy.model import Envelope, Level
from opsroom.kit.clock import ManualClock
from opsroom.thresholds import cli

__all__ = ["home", "home_template", "own_environment", "shell"]
BASE = "/v1/thresholds"


def test_examining_and_proposing(office: Office, clock: ManualClock) -> None:
    api, here = office.api, f"{BASE}/agents/{CLERK}"
    ada, ops = api.person("author"), api.person("operator")
    assert ada.get(here)["contracts"] == []
    empty = ada.get(f"{here}/{BOOK}")
    assert (empty["labelled"], empty["calibration"], empty["watch"]) == (0, None, None)
    wanted = {"agent": CLERK, "contract": BOOK}
    assert ops.refused("POST", BASE, wanted).code == "never_rated"
    rated(office.db, sure_when_right(1_500))
    made = ops.post(BASE, wanted)
    assert made["cutoff"]["error_bound"] <= made["target"] == 0.05
    assert ops.refused("POST", BASE, wanted).code == "nothing_new"
    assert ada.get(f"{BASE}/{made['id']}") == made
    assert ada.get(BASE, agent=CLERK)["items"] == [made]
    standing = ada.get(f"{here}/{BOOK}")
    assert standing["meaning"]["kind"] == "useful"
    assert sum(one["n"] for one in standing["calibration"]["bins"]) == 1_500
    path = f"{BASE}/{made['id']}"
    assert ada.refused("POST", f"{path}/propose", {"reason": "x"}).code == "not_earned"
    earned(office, clock)
    ada, ops = api.person("author"), api.person("operator")  # their sessions are long over
    asked = ada.post(f"{path}/propose", {"reason": "it does well", "max_amount": "50"})
    assert asked["envelope"]["max_amount"] == "50"
    assert ada.refused("GET", f"{BASE}/cut_none").code == "cutoff_not_found"
    assert ops.refused("POST", f"{path}/tighten", {"reason": "x"}).code == "not_narrower"


def test_settings_of_a_project(office: Office) -> None:
    api = office.api
    root, viewer = api.person("admin"), api.person("viewer")
    now = viewer.get(f"{BASE}/settings")
    assert (now["targets"]["write"], now["spot_share"]) == (0.05, 0.1)
    changed = {**now, "targets": {"write": 0.08}, "wrong_outcomes": ["failed"]}
    assert root.put(f"{BASE}/settings", changed)["targets"] == {"write": 0.08}
    wrong = root.refused("PUT", f"{BASE}/settings", {**now, "spot_share": 3})
    assert (wrong.status, wrong.code) == (422, "broken_threshold_settings")
    assert viewer.get(f"{BASE}/settings")["wrong_outcomes"] == ["failed"]


def test_what_the_terminal_says(office: Office) -> None:
    grant(
        office.db,
        Level.BOUNDED,
        scope=f"contract/{BOOK}",
        envelope=Envelope(min_confidence=0.7),
    )
    rated(office.db, sure_when_right(1_500))
    rated(office.db, [(0.9, False)] * 30, source=Source.ALONE)
    who = office.api.person("admin")
    made = who.post(BASE, {"agent": CLERK, "contract": BOOK})
    said = cli._examination(made)
    assert f"{made['id']}  {CLERK} under {BOOK}: {made['cutoff']['value']:g}" in said
    assert "calibration error" in said
    assert "alone it would decide" in said
    standing = cli._standing(who.get(f"{BASE}/agents/{CLERK}/{BOOK}"))
    assert "1530 decisions, 1500 answered by people" in standing
    assert "its confidence tells right from wrong" in standing
    assert "the watch: evidence" in standing
    assert made["id"] in cli._list(who.get(BASE)["items"])
    assert "bounded" in cli._confidence(who.get(f"{BASE}/agents/{CLERK}"))


def test_from_the_terminal(shell: Shell, home: object) -> None:
    del home
    changes = ("--target", "write=0.08", "--spot-share", "0.2", "--wrong-outcome", "failed")
    assert shell("threshold", "settings", *changes) == 0
    assert shell("threshold", "settings") == 0
    assert "8.0%" in shell.out
    assert "spot checks: 20%" in shell.out
    assert shell("threshold", "settings", "--target", "write") == 2
    assert shell("threshold", "list") == 0
    assert "none" in shell.out
    assert shell.refused("threshold", "show", "nobody")["exit_code"] == 2
    assert shell.refused("threshold", "examine", "nobody", BOOK)["exit_code"] == 2
    refused = shell.refused("threshold", "propose", "cut_1", "-m", "x")
    assert refused["code"] == "cutoff_not_found"
    assert shell.refused("threshold", "tighten", "cut_1", "-m", "x")["exit_code"] == 2
