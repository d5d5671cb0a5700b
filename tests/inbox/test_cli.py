"""`opsroom inbox …` and `opsroom override …` as people and scripts type them."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.inbox.world import asked, look
from tests.installation import Shell

from opsroom.access import commands as access
from opsroom.app import Runtime, Settings, open_runtime
from opsroom.cli.main import run
from opsroom.inbox import Risk, State
from opsroom.kit.db import Actor

BEN = Actor("ben", "default")


@pytest.fixture
def runtime(home: Path) -> Iterator[Runtime]:
    opened = open_runtime(Settings(data=home))
    yield opened
    opened.close()


@pytest.fixture
def ben(shell: Shell, runtime: Runtime) -> Shell:
    """A terminal where ben has logged in."""
    with runtime.db.write(BEN) as tx:
        access.create_user(tx, "ben", ("reviewer",))
        link = access.issue_link(tx, "ben")
    assert shell("login", "--link", link) == 0, shell.err
    return shell


def test_what_waits_is_listed_shown_and_approved(ben: Shell, runtime: Runtime) -> None:
    request = asked(runtime.db)
    assert ben("inbox", "list") == 0
    assert request.id in ben.out
    assert ben("inbox", "show", request.id) == 0
    assert "why: the amount is over 2,500" in ben.out
    assert f"bound to {request.binding}" in ben.out
    assert ben("inbox", "approve", request.id) == 2  # nobody is there to be asked
    assert ben("inbox", "approve", request.id, "--yes", "-m", "fine") == 0
    assert "approved, it goes out at" in ben.out
    assert ben("inbox", "undo", request.id) == 0
    assert look(runtime.db, request).state is State.PENDING


def test_high_risk_takes_its_word_whatever_yes_says(ben: Shell, runtime: Runtime) -> None:
    request = asked(runtime.db, risk=Risk.HIGH, amount=Decimal("482.10"))
    assert ben("inbox", "approve", request.id, "--yes") == 2
    assert "type the last three digits of the amount" in ben.err
    assert look(runtime.db, request).state is State.PENDING
    refusal = ben.refused("inbox", "approve", request.id, "--type", "211")
    assert (refusal["code"], refusal["exit_code"]) == ("care_needed", 2)
    done = ben.data("inbox", "approve", request.id, "--type", "210")
    assert done["request"]["state"] == "approved"


def test_every_other_answer(ben: Shell, runtime: Runtime) -> None:
    first, second, third = (asked(runtime.db, subject=f"action/act_{n}") for n in range(3))
    assert ben("inbox", "reject", first.id) == 2  # without a reason
    assert ben.data("inbox", "reject", first.id, "-m", "no")["request"]["state"] == "rejected"
    assert (
        ben.data("inbox", "respond", second.id, "ask first")["request"]["text"] == "ask first"
    )
    assert ben("inbox", "snooze", third.id, "soon") == 2
    assert ben("inbox", "snooze", third.id, "30m") == 0, ben.err
    assert ben.refused("inbox", "handover", third.id, "nobody")["code"] == "nobody_there"
    assert ben("inbox", "handover", third.id, "risk") == 0
    assert ben("inbox", "list", "--all", "--state", "rejected") == 0
    assert first.id in ben.out


def test_watching_ends_with_the_answer(ben: Shell, runtime: Runtime) -> None:
    request = asked(runtime.db)
    assert ben("inbox", "watch", request.id, "--timeout", "0.3") == 5
    assert ben("inbox", "approve", request.id, "--yes") == 0
    assert ben("inbox", "watch", request.id) == 0
    assert "approved" in ben.out
    assert ben("inbox", "watch", "--timeout", "0.2") == 5


def test_overrides(ben: Shell) -> None:
    made = ben.data(
        "override", "add", "turn/trn_1", "--agent-said", "HS 8504.40", "--human-said", '{"hs": 1}',
        "-m", "CPU board, not transformer",
    )  # fmt: skip
    assert made["human_decision"] == {"hs": 1}
    assert ben("override", "list") == 0
    assert "cpu-board-transformer" in ben.out
    assert ben("inbox", "stats") == 0
    assert "everybody" in ben.out


def test_what_an_agent_wrote_moves_no_cursor(ben: Shell, runtime: Runtime) -> None:
    request = asked(
        runtime.db,
        title="pay \x1b[2J\x1b]0;owned\x07",
        why="\x1b[31mred",
        arguments={"note\x1b[A": "\u202egnp"},
        schema={},
        evidence={"mail": "\x1b[8m"},
    )
    for words in (("list",), ("show", request.id)):
        assert ben("inbox", *words) == 0
        assert "\x1b" not in ben.out
        assert "\u202e" not in ben.out


def test_without_a_login_nothing_is_answered(
    shell: Shell, runtime: Runtime, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    request = asked(runtime.db)
    assert run(["inbox", "approve", request.id, "--yes", "--json", "--data", str(home)]) == 4
    assert json.loads(capfd.readouterr().err)["error"]["code"] == "not_a_person"
