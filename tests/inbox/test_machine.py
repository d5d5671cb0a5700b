"""The inbox against a model of it small enough to be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.inbox.world import draft, person

from opsroom.inbox import Request, Say, State, commands, queries
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError

PEOPLE = {
    "ada": "operator",
    "ben": "reviewer",
    "cat": "operator",
    "ria": "risk",
    "eve": "viewer",
}
GRACE = timedelta(seconds=5)


@dataclass
class Asked:
    """What the model knows of a request."""

    made: Request
    roles: tuple[str, ...]
    quorum: int
    state: str = "pending"
    approved: dict[str, int] = field(default_factory=dict[str, int])  # by whom, of which draft
    draft: int = 0  # goes up with every edit and every undo
    release: datetime | None = None
    last: str = ""

    def counts(self) -> int:
        return sum(number == self.draft for number in self.approved.values())


class Inbox(RuleBasedStateMachine):
    counter = 0
    db: Database
    clock: ManualClock

    def __init__(self) -> None:
        super().__init__()
        type(self).counter += 1
        self.project = f"p{self.counter}"
        self.all: list[Asked] = []

    def who(self, name: str) -> Actor:
        return person(name, PEOPLE[name], project=self.project)

    @property
    def agent(self) -> Actor:
        return Actor("agent:clerk", self.project, human=False)

    def refused(self, codes: set[str], run: Callable[[], object]) -> None:
        with pytest.raises(OpsroomError) as found:
            run()
        assert found.value.code in codes, found.value.code

    def now(self, one: Asked) -> Request:
        with self.db.read(self.agent) as tx:
            return queries.request(tx, one.made.id)

    @rule(
        quorum=st.sampled_from([1, 1, 2]),
        roles=st.sampled_from([(), (), ("risk",), ("reviewer", "risk")]),
        why=st.sampled_from(["one", "two"]),
    )
    def ask(self, quorum: int, roles: tuple[str, ...], why: str) -> None:
        with self.db.write(self.agent) as tx:
            given = draft(
                now=tx.now,
                quorum=quorum,
                roles=roles,
                why=why,
                subject=f"action/act_{len(self.all)}",
            )
            made = commands.ask(tx, given)
        self.all.append(Asked(made, roles, quorum))

    @precondition(lambda self: self.all)
    @rule(
        data=st.data(),
        name=st.sampled_from(sorted(PEOPLE)),
        say=st.sampled_from([Say.APPROVE, Say.APPROVE, Say.APPROVE, Say.REJECT, Say.RESPOND]),
        stale=st.sampled_from([False, False, False, True]),
    )
    def answer(self, data: st.DataObject, name: str, say: Say, *, stale: bool) -> None:
        one = data.draw(st.sampled_from(self.all[-4:]))
        shown = "0" * 64 if stale else self.now(one).shown

        def run() -> Request:
            with self.db.write(self.who(name)) as tx:
                return commands.answer(
                    tx, one.made.id, say, binding=shown, reason="because", text="words"
                )

        role = PEOPLE[name]
        if say is Say.APPROVE and name == "ada":
            self.refused({"approver_is_requester"}, run)
        elif role == "viewer" or (one.roles and role not in one.roles):
            self.refused({"not_yours_to_answer"}, run)
        elif one.state != "pending":
            self.refused({"request_closed"}, run)
        elif self.clock.now() >= one.made.expires_at:
            self.refused({"request_expired"}, run)
        elif stale:
            self.refused({"request_moved"}, run)
        elif say is Say.APPROVE and one.approved.get(name) == one.draft:
            self.refused({"already_answered"}, run)
        else:
            run()
            if say is Say.APPROVE:
                one.approved[name] = one.draft
                if one.counts() >= one.quorum:
                    one.state, one.release = "approved", self.clock.now() + GRACE
            else:
                one.state = "rejected" if say is Say.REJECT else "responded"
            one.last = name

    @precondition(lambda self: self.all)
    @rule(data=st.data(), name=st.sampled_from(["ben", "cat", "ria"]))
    def undo(self, data: st.DataObject, name: str) -> None:
        one = data.draw(st.sampled_from(self.all[-4:]))

        def run() -> None:
            with self.db.write(self.who(name)) as tx:
                commands.undo(tx, one.made.id)

        mine = one.approved.get(name) == one.draft
        live = one.state in {"pending", "approved"}
        late = one.release is not None and self.clock.now() >= one.release
        if not live or not mine or late:
            self.refused({"too_late_to_undo"}, run)
        else:
            run()
            one.state, one.release, one.draft = "pending", None, one.draft + 1

    @precondition(lambda self: self.all)
    @rule(data=st.data(), wrong=st.sampled_from([False, False, True]))
    def consume(self, data: st.DataObject, *, wrong: bool) -> None:
        one = data.draw(st.sampled_from(self.all[-4:]))
        binding = "0" * 64 if wrong else one.made.binding

        def run() -> None:
            with self.db.write(self.agent) as tx:
                commands.consume(tx, one.made.id, binding=binding)

        if one.state != "approved":
            self.refused({"not_approved"}, run)
        elif wrong:
            self.refused({"other_binding"}, run)
        elif self.clock.now() >= one.made.expires_at:
            self.refused({"request_expired"}, run)
        elif one.release is not None and self.clock.now() < one.release:
            self.refused({"not_released"}, run)
        else:
            run()
            one.state = "consumed"

    @precondition(lambda self: self.all)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.all[-4:]))

        def run() -> None:
            with self.db.write(self.agent) as tx:
                commands.cancel(tx, one.made.id, "over")

        if one.state in {"pending", "approved"}:
            run()
            one.state = "cancelled"
        else:
            self.refused({"request_closed"}, run)

    @rule(span=st.sampled_from([timedelta(seconds=2), GRACE, timedelta(hours=3)]))
    def time_passes(self, span: timedelta) -> None:
        self.clock.move(span)

    @rule()
    def tick(self) -> None:
        with self.db.write(Actor("system", self.project, human=False)) as tx:
            changed = commands.expire(tx)
        late = [
            one
            for one in self.all
            if one.state in {"pending", "approved"} and self.clock.now() >= one.made.expires_at
        ]
        for one in late:
            one.state = "expired"
        assert changed == len(late)

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        with self.db.read(self.agent) as tx:
            found = {one.subject: one for one in queries.requests(tx, limit=1000)}
            entries = queries.waiting(tx, limit=1000)
        assert len(found) == len(self.all)
        for one in self.all:
            there = found[one.made.subject]
            assert there.state.value == one.state
            assert there.binding == one.made.binding
        pending = [one for one in self.all if one.state == "pending"]
        assert sum(1 + one.more for one in entries) == len(pending)
        assert all(one.request.state is State.PENDING for one in entries)


def run(db: Database, clock: ManualClock, examples: int, steps: int) -> None:
    machine = type("Machine", (Inbox,), {"db": db, "clock": clock, "counter": 0})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # A database is too slow to shrink on; the seed that is printed repeats the run.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


def test_the_inbox_is_its_model(sqlite_db: Database, clock: ManualClock) -> None:
    run(sqlite_db, clock, examples=25, steps=20)


@pytest.mark.slow
def test_the_inbox_is_its_model_at_length(db: Database, clock: ManualClock) -> None:
    run(db, clock, examples=80, steps=50)
