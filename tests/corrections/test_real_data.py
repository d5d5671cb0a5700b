"""Recorded failures and judgements, as overrides with their reasons, and what they teach."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.corrections.world import BEN, CAT, learn

from opsroom.app.kinds import KINDS
from opsroom.corrections import State, commands, queries
from opsroom.importing import commands as importing
from opsroom.importing.model import Report
from opsroom.importing.readers import read
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Actor, Database

IMPORTER = replace(BEN, may=BEN.may | {"import"})


def take_in(db: Database, format_: str, path: Path, by: Actor = IMPORTER) -> Report:
    with db.write(by) as tx:
        return importing.take_in(tx, read(format_, path), kinds=KINDS)


def test_failures_of_teams_of_agents_keep_their_reasons(
    sqlite_db: Database, data_dir: Path
) -> None:
    path = data_dir / "failures" / "who_and_when.jsonl.gz"
    assert take_in(sqlite_db, "who-and-when", path).new["override"] == 126
    assert not take_in(sqlite_db, "who-and-when", path).changed
    learn(sqlite_db)
    with sqlite_db.read(BEN) as tx:
        newest = inbox.overrides(tx, limit=200)
        states = queries.ledger(tx).states
        made = queries.corrections(tx, limit=200)
    assert len(newest) == 126
    assert all(one.reasoning and one.by == "import:who-and-when" for one in newest)
    assert sum(states.values()) == len(made) <= 126
    assert sum(one.times for one in made) == 126
    assert Counter(one.agent for one in newest)["verification_expert"] == 18
    with sqlite_db.write(CAT) as tx:
        done = commands.accept(tx, [one.id for one in made], kinds=KINDS)
    assert len(done.accepted) + len(done.refused) == len(made)
    assert len(done.accepted) > 100


def test_judges_that_chose_otherwise_than_people_are_overridden(
    sqlite_db: Database, data_dir: Path
) -> None:
    """608 pairs with a majority; the judges agree with 0.688 and 0.656 of them."""
    path = data_dir / "judges" / "pandalm_human_vs_judge.jsonl.gz"
    report = take_in(sqlite_db, "pandalm", path)
    assert report.new["override"] == round(608 * (1 - 0.688)) + round(608 * (1 - 0.656))
    learn(sqlite_db)
    with sqlite_db.read(BEN) as tx:
        ledger = queries.ledger(tx, agent="gpt-3.5-turbo")
        everything = queries.ledger(tx)
    assert ledger.states[State.QUARANTINED] == 0, "an import is no flood"
    said = {(one.agent_said, one.human_said) for one in ledger.confusion}
    assert said <= {
        (one, other)
        for one in ("tie", "response 1", "response 2", "unreadable")
        for other in ("tie", "response 1", "response 2")
        if one != other
    }
    total = sum(one.times for one in everything.confusion)
    assert total == report.new["override"]


@pytest.mark.parametrize(
    ("format_", "line", "wrong"),
    [
        ("who-and-when", '{"case": "1", "question": "q", "ground_truth": "a"}', "steps"),
        (
            "who-and-when",
            '{"case":"1","question":"q","ground_truth":"a","steps":[],"human_label":{}}',
            "human_label",
        ),
        (
            "pandalm",
            '{"idx":1,"human_decision":1,"judges":{"j":{"decision":2}}}',
            "instruction",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_named(
    tmp_path: Path, format_: str, line: str, wrong: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(Exception, match=wrong):
        read(format_, path)
