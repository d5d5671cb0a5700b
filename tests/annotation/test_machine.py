"""A queue against a model of it small enough to be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.annotation.world import ADA, opened, person, task
from tests.conftest import START

from opsroom.annotation import State, commands, queries
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError

PEOPLE = [person(name) for name in ("ben", "cat", "ria", "eve")]
LABELS = ("pass", "fail", "unclear")
MINUTES = 15


@dataclass
class Paper:
    """One task as a clerk would keep it on paper."""

    double: bool
    said: list[tuple[str, str]] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    holder: str = ""
    until: int = 0

    @property
    def settled(self) -> str | None:
        words = [word for _, word in self.said]
        if not words or (self.double and len(words) == 1):
            return None
        if len(words) == 2 and words[0] != words[1]:
            return None
        return words[-1]

    @property
    def rank(self) -> int:
        return {2: 0, 1: 1, 0: 2}[len(self.said)]

    def held(self, now: int) -> bool:
        return self.until > now

    def may(self, who: str, now: int) -> bool:
        mine = any(by == who for by, _ in self.said)
        taken = self.held(now) and self.holder != who
        return self.settled is None and not mine and not taken


class Labelling(RuleBasedStateMachine):
    """Four people, a few tasks, and a clock."""

    db: Database
    clock: ManualClock

    @initialize(doubles=st.lists(st.booleans(), min_size=1, max_size=4))
    def open(self, doubles: list[bool]) -> None:
        self.clock.move(START - self.clock.now())  # every run begins at the same time
        self.queue = opened(self.db, labels=LABELS).id
        self.papers: dict[str, Paper] = {}
        self.now = 0
        for double in doubles:
            self.add(double)

    @rule(double=st.booleans())
    def add(self, double: bool) -> None:
        if len(self.papers) >= 6:
            return
        with self.db.write(ADA) as tx:
            made = commands.add_task(tx, self.queue, task(len(self.papers), double=double))
        self.papers[made.id] = Paper(double)

    @rule(who=st.sampled_from(PEOPLE))
    def take_next(self, who: Actor) -> None:
        name = who.name
        held = [
            key for key, one in self.papers.items() if one.held(self.now) and one.holder == name
        ]
        free = [
            key
            for key, one in self.papers.items()
            if one.may(name, self.now) and name not in one.skipped
        ]
        ranked = sorted(free, key=lambda key: self.papers[key].rank)
        wanted = next(iter([*held, *ranked]), None)
        with self.db.write(who) as tx:
            found = commands.take_next(tx, self.queue)
        assert (found and found.id) == wanted
        if wanted:
            self._take(wanted, name)

    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def take(self, data: st.DataObject, who: Actor) -> None:
        key = data.draw(st.sampled_from(sorted(self.papers)))
        name = who.name
        if self._does(who, lambda tx: commands.take(tx, self.queue, key), key):
            for other, one in self.papers.items():
                if other != key and one.holder == name:
                    one.until = 0
            self._take(key, name)

    @rule(data=st.data(), who=st.sampled_from(PEOPLE), label=st.sampled_from(LABELS))
    def label(self, data: st.DataObject, who: Actor, label: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.papers)))
        if self._does(who, lambda tx: commands.label(tx, self.queue, key, label), key):
            self.papers[key].said.append((who.name, label))
            self.papers[key].until = 0

    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def skip(self, data: st.DataObject, who: Actor) -> None:
        key = data.draw(st.sampled_from(sorted(self.papers)))
        name = who.name
        if self._does(who, lambda tx: commands.skip(tx, self.queue, key, reason="no"), key):
            self.papers[key].skipped.add(name)
            if self.papers[key].holder == name:
                self.papers[key].until = 0

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.clock.move(timedelta(minutes=minutes))
        self.now += minutes

    @invariant()
    def the_queue_says_what_the_paper_says(self) -> None:
        if not hasattr(self, "papers"):
            return
        with self.db.read(ADA) as tx:
            report = queries.report(tx, self.queue)
            settled = {one.id: each.label for one, each in queries.export(tx, self.queue)[0]}
            views = {one.id: one for _, one in queries.tasks(tx, self.queue)}
        papers = self.papers.values()
        assert settled == {k: one.settled for k, one in self.papers.items() if one.settled}
        assert report.progress.settled == len(settled)
        disputed = [one for one in papers if not one.settled and len(one.said) == 2]
        assert report.progress.disputed == len(disputed)
        pairs = [one for one in papers if len(one.said) >= 2]
        agreed = report.agreement
        assert (agreed.pairs if agreed else 0) == len(pairs)
        if agreed:
            assert agreed.agreed == sum(one.said[0][1] == one.said[1][1] for one in pairs)
            assert agreed.open == len(disputed)
        for key, view in views.items():
            if not self.papers[key].settled:
                assert view.labels == ()
                assert view.state in {State.WAITING, State.DISPUTED}

    def _does(self, who: Actor, command: Callable[[Tx], object], key: str) -> bool:
        expected = self.papers[key].may(who.name, self.now)
        try:
            with self.db.write(who) as tx:
                command(tx)
            done = True
        except OpsroomError:
            done = False
        assert done == expected
        return done

    def _take(self, key: str, name: str) -> None:
        self.papers[key].holder, self.papers[key].until = name, self.now + MINUTES


def _run(db: Database, clock: ManualClock, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Machine", (Labelling,), {"db": db, "clock": clock}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # A database is too slow to shrink on; the seed that is printed repeats the run.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


def test_a_queue_is_its_model(sqlite_db: Database, clock: ManualClock) -> None:
    _run(sqlite_db, clock, examples=10, steps=25)


@pytest.mark.slow
def test_a_queue_is_its_model_at_length(db: Database, clock: ManualClock) -> None:
    _run(db, clock, examples=60, steps=40)
