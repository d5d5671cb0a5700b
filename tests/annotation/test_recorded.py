"""Three real people on 608 real pairs of answers (PandaLM), through a queue."""

from pathlib import Path

import pytest
from tests.annotation.world import ADA, person, report
from tests.drift.recorded import lines

from opsroom.annotation import QueueDraft, State, TaskDraft, commands, exporting
from opsroom.annotation.agreeing import verdict
from opsroom.app.kinds import KINDS
from opsroom.datasets import queries as datasets
from opsroom.kit.canonical import digest
from opsroom.kit.db import Database

SAID = {1: "the first", 2: "the second", 0: "a tie"}
PEOPLE = [person(f"human-{number}") for number in (1, 2, 3)]


@pytest.mark.slow
def test_what_three_people_said_comes_out_as_it_was(
    sqlite_db: Database, data_dir: Path
) -> None:
    recorded = [
        one
        for one in lines(data_dir, "judges/pandalm_human_vs_judge")
        if all(vote in SAID for vote in one["human_votes"])
    ]
    votes = {
        f"pair/{one['idx']}": [SAID[vote] for vote in one["human_votes"]] for one in recorded
    }
    draft = QueueDraft(name="Which is better?", labels=tuple(SAID.values()), second=1.0)
    with sqlite_db.write(ADA) as tx:
        queue = commands.open_queue(tx, draft)
        tasks = [
            TaskDraft(
                subject=f"pair/{one['idx']}",
                input=f"{one['instruction']}\n{one['input']}",
                output={"the first": one["response_1"], "the second": one["response_2"]},
                domain=one["application"],
            )
            for one in recorded
        ]
        commands.add_tasks(tx, queue.id, tasks)
    for seat, who in enumerate(PEOPLE):
        while True:
            with sqlite_db.write(who) as tx:
                task = commands.take_next(tx, queue.id)
                if task is None:
                    break
                said = votes[task.subject][seat]
                commands.label(tx, queue.id, task.id, said, revision=task.revision)
    found = report(sqlite_db, queue)
    agreed = found.agreement
    assert agreed is not None
    assert agreed.kappa is not None
    # As the README of the data says of the first two people: 0.910 and κ 0.849 over 608.
    assert (agreed.pairs, agreed.open, agreed.kappa.items) == (608, 0, 608)
    assert agreed.rate == pytest.approx(0.910, abs=0.0005)
    assert agreed.kappa.kappa == pytest.approx(0.849, abs=0.0005)
    assert verdict(agreed) == ("substantial agreement, or better", "good")
    third = sum(one[0] != one[1] for one in votes.values())
    assert dict(found.progress.people)["human-3"] == third
    assert found.progress.settled == 608
    exported = list(exporting.settled(sqlite_db, ADA, queue.id))
    assert len(exported) == 608
    for view, settled in exported:
        one, other, last = votes[view.subject]
        assert settled.label == (one if one == other else last)
        assert view.state is State.SETTLED
    with sqlite_db.write(ADA) as tx:
        version, kept, left = commands.as_dataset(tx, queue.id, "pandalm", kinds=KINDS)
        _, spec = datasets.dataset(tx, version.ref)
        items = datasets.items(tx, spec)
    # Some systems gave the same two answers to the same question: such a case is there once.
    told = {digest([v.input, v.output, one.label]) for v, one in exported}
    assert (kept, left) == (len(told), 608 - len(told))
    assert len(items) == kept > 500
