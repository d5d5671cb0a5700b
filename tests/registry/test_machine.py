"""The registry against a model of it small enough to be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.registry.world import KINDS, person, program

from opsroom.approvals import Answer
from opsroom.kit.db import Actor, Database
from opsroom.kit.errors import OpsroomError
from opsroom.registry import (
    ArtifactDraft,
    Check,
    Criticality,
    Proposal,
    ProposalState,
    Ref,
    VersionDraft,
    commands,
    proposals,
    queries,
)

NAMES = ("a", "b")
LABELS = ("production", "staging")
PEOPLE = {"ada": ("author", "reviewer"), "bob": ("reviewer",), "rita": ("risk",)}


@dataclass
class Move:
    before: int | None
    after: int
    how: str


@dataclass
class Artifact:
    criticality: Criticality
    texts: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    moves: dict[str, list[Move]] = field(default_factory=dict)

    def at(self, label: str) -> int | None:
        return self.moves[label][-1].after if self.moves.get(label) else None

    def move(self, label: str, after: int, how: str) -> None:
        if self.at(label) != after:
            self.moves.setdefault(label, []).append(Move(self.at(label), after, how))

    def left_by(self, label: str, number: int) -> str | None:
        left = [move.how for move in self.moves[label] if move.before == number]
        return left[-1] if left else None

    def back_from(self, label: str) -> int | None:
        for move in reversed(self.moves.get(label, [])):
            if move.after == self.at(label) and move.how != "rollback":
                return move.before
        return None


@dataclass
class Asked:
    made: Proposal
    gate: str = ""
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    state: ProposalState = ProposalState.OPEN

    def ready(self, of: Artifact) -> bool:
        standing = {
            who: answer for (who, gate), answer in self.answers.items() if gate == self.gate
        }
        if of.at(self.made.label) != self.made.base or self.gate.startswith("failed"):
            return False
        if "forbidden" in of.texts[self.made.number - 1]:
            return False
        if self.made.label != "production":
            return True
        if Answer.REQUEST_CHANGES in standing.values():
            standing = {}
        first = self.made.base is None
        gate = first or self.gate.startswith("passed")
        match of.criticality:
            case Criticality.ADVISORY:
                return True
            case Criticality.ASSISTIVE:
                return gate and len(standing) >= 1
            case Criticality.AUTONOMOUS:
                return first and len(standing) >= 2 and "rita" in standing


class Registry(RuleBasedStateMachine):
    """Every command against the database and against the model."""

    counter = 0
    db: Database

    def __init__(self) -> None:
        super().__init__()
        type(self).counter += 1
        self.project = f"p{self.counter}"
        self.artifacts: dict[str, Artifact] = {}
        self.asked: list[Asked] = []

    def who(self, name: str) -> Actor:
        return person(name, *PEOPLE[name], project=self.project)

    def refused(self, code: str, run: Callable[[], object]) -> None:
        with pytest.raises(OpsroomError) as refused:
            run()
        assert refused.value.code == code

    @initialize(criticality=st.sampled_from(Criticality))
    def begin_with_something_to_move(self, criticality: Criticality) -> None:
        self.create("a", criticality)
        for text in ("one", "two", "three", "one"):
            self.make_version("a", text, "ada", None)

    @rule(name=st.sampled_from(NAMES), criticality=st.sampled_from(Criticality))
    def create(self, name: str, criticality: Criticality) -> None:
        draft = ArtifactDraft(kind="note", name=name, criticality=criticality)

        def run() -> None:
            with self.db.write(self.who("ada")) as tx:
                commands.create_artifact(tx, draft, kinds=KINDS)

        there = self.artifacts.get(name)
        if there is not None and there.criticality is not criticality:
            self.refused("artifact_exists", run)
        else:
            run()
            self.artifacts.setdefault(name, Artifact(criticality))

    @rule(
        name=st.sampled_from(NAMES),
        text=st.sampled_from(["one", "two", "three", "forbidden"]),
        author=st.sampled_from(["ada", "bob"]),
        source=st.none() | st.sampled_from(["s1", "s2", "s3"]),
    )
    def make_version(self, name: str, text: str, author: str, source: str | None) -> None:
        of = self.artifacts.get(name)

        def run() -> int:
            with self.db.write(self.who(author)) as tx:
                draft = VersionDraft(spec={"text": text}, source=source)
                return commands.create_version(tx, "note", name, draft, kinds=KINDS).number

        if of is None:
            self.refused("artifact_not_found", run)
        elif source in of.sources:
            if of.texts[of.sources[source] - 1] == text:
                assert run() == of.sources[source]
            else:
                self.refused("source_changed", run)
        elif source is None and of.texts and of.texts[-1] == text:
            assert run() == len(of.texts)
        else:
            assert run() == len(of.texts) + 1
            of.texts.append(text)
            of.authors.append(author)
            if source is not None:
                of.sources[source] = len(of.texts)

    @rule(name=st.sampled_from(NAMES), label=st.sampled_from(LABELS), number=st.integers(1, 5))
    def set_label(self, name: str, label: str, number: int) -> None:
        of = self.artifacts.get(name)

        def run() -> None:
            with self.db.write(self.who("ada")) as tx:
                commands.set_label(tx, "note", name, label, number)

        if of is None:
            self.refused("artifact_not_found", run)
        elif label == "production":
            self.refused("label_protected", run)
        elif of.at(label) == number:
            run()
        elif number > len(of.texts):
            self.refused("version_not_found", run)
        else:
            run()
            of.move(label, number, "set")

    @rule(name=st.sampled_from(NAMES), label=st.sampled_from(LABELS))
    def roll_back(self, name: str, label: str) -> None:
        of = self.artifacts.get(name)

        def run() -> int:
            with self.db.write(self.who("bob")) as tx:
                return commands.roll_back(tx, "note", name, label, reason="bad").number

        if of is None:
            self.refused("artifact_not_found", run)
        elif of.at(label) is None:
            self.refused("version_not_found", run)
        elif (back := of.back_from(label)) is None:
            self.refused("nothing_before", run)
        else:
            assert run() == back
            of.move(label, back, "rollback")

    @rule(
        name=st.sampled_from(NAMES),
        label=st.sampled_from(LABELS),
        number=st.integers(1, 5),
        to=st.integers(1, 5),
    )
    def roll_back_to(self, name: str, label: str, number: int, to: int) -> None:
        """With the version to go back to, and with where the label was seen."""
        of = self.artifacts.get(name)
        if of is None or of.at(label) is None:
            return

        def run() -> None:
            with self.db.write(self.who("bob")) as tx:
                commands.roll_back(
                    tx, "note", name, label, reason="bad", to=to, expected=number
                )

        if of.at(label) != number:
            self.refused("label_moved", run)
        elif all(move.after != to for move in of.moves[label]):
            self.refused("never_labelled", run)
        elif of.left_by(label, to) == "rollback":
            self.refused("rolled_back_from", run)
        else:
            run()
            of.move(label, to, "rollback")

    @rule(name=st.sampled_from(NAMES), label=st.sampled_from(LABELS), number=st.integers(1, 4))
    def propose(self, name: str, label: str, number: int) -> None:
        of = self.artifacts.get(name)
        if of is None or number > len(of.texts):
            return
        with self.db.write(self.who("ada")) as tx:
            made = proposals.propose(
                tx, Ref("note", name, str(number)), label=label, kinds=KINDS
            )
        assert made.base == of.at(label)
        self.asked.append(Asked(made))

    @precondition(lambda self: self.asked)
    @rule(
        data=st.data(),
        who=st.sampled_from(sorted(PEOPLE)),
        answer=st.sampled_from([Answer.APPROVE, Answer.APPROVE, Answer.REQUEST_CHANGES]),
    )
    def review(self, data: st.DataObject, who: str, answer: Answer) -> None:
        self._review(data.draw(st.sampled_from(self.asked[-3:])), who, answer)

    def _review(self, one: Asked, who: str, answer: Answer) -> None:
        of = self.artifacts[one.made.name]

        def run() -> None:
            with self.db.write(self.who(who)) as tx:
                proposals.review(tx, one.made.id, answer=answer, reason="because")

        if one.state is not ProposalState.OPEN:
            self.refused("proposal_closed", run)
        elif answer is Answer.APPROVE and who in {"ada", of.authors[one.made.number - 1]}:
            self.refused("approver_is_requester", run)
        elif (who, one.gate) in one.answers:
            self.refused("already_answered", run)
        else:
            run()
            one.answers[who, one.gate] = answer

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def programs_never_review(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.asked))
        if one.state is ProposalState.OPEN:
            bot = program("ci", "reviewer", "admin", project=self.project)

            def run() -> None:
                with self.db.write(bot) as tx:
                    proposals.review(tx, one.made.id, answer=Answer.APPROVE, reason="")

            self.refused("not_a_person", run)

    @precondition(lambda self: self.asked)
    @rule(
        data=st.data(),
        state=st.sampled_from(["passed", "passed", "failed"]),
        evidence=st.sampled_from("xy"),
    )
    def report_gate(self, data: st.DataObject, state: str, evidence: str) -> None:
        one = data.draw(st.sampled_from(self.asked[-3:]))
        check = Check(name="gate", state=state, summary="", evidence=evidence)

        def run() -> None:
            with self.db.write(self.who("ada")) as tx:
                proposals.report_check(tx, one.made.id, check)

        if one.state is not ProposalState.OPEN:
            self.refused("proposal_closed", run)
        else:
            run()
            one.gate = f"{state}:{evidence}"

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        self._merge(data.draw(st.sampled_from(self.asked[-3:])))

    def _merge(self, one: Asked) -> None:
        of = self.artifacts[one.made.name]

        def run() -> None:
            with self.db.write(self.who("ada")) as tx:
                proposals.merge(tx, one.made.id)

        if one.state is not ProposalState.OPEN:
            self.refused("proposal_closed", run)
        elif not one.ready(of):
            self.refused("proposal_not_ready", run)
        else:
            run()
            one.state = ProposalState.MERGED
            of.move(one.made.label, one.made.number, "merge")

    @rule(
        number=st.integers(1, 4),
        answers=st.lists(
            st.tuples(
                st.sampled_from(["bob", "rita"]),
                st.sampled_from([Answer.APPROVE, Answer.APPROVE, Answer.REQUEST_CHANGES]),
            ),
            max_size=3,
            unique_by=lambda one: one[0],
        ),
        gate=st.sampled_from(["passed", "passed", "failed", ""]),
    )
    def carry_through(self, number: int, answers: list[tuple[str, Answer]], gate: str) -> None:
        """What people do most of the time: propose, prove, ask, merge."""
        self.propose("a", "production", number)
        one = self.asked[-1]
        if gate:
            with self.db.write(self.who("ada")) as tx:
                proposals.report_check(
                    tx, one.made.id, Check(name="gate", state=gate, summary="")
                )
            one.gate = gate
        for who, answer in answers:
            self._review(one, who, answer)
        self._merge(one)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.asked[-3:]))

        def run() -> None:
            with self.db.write(self.who("ada")) as tx:
                proposals.withdraw(tx, one.made.id, reason="")

        if one.state is not ProposalState.OPEN:
            self.refused("proposal_closed", run)
        else:
            run()
            one.state = ProposalState.WITHDRAWN

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        with self.db.read(self.who("ada")) as tx:
            listed = queries.artifacts(tx, "note")
            assert [(one.name, count) for one, count, _ in listed] == sorted(
                (name, len(of.texts)) for name, of in self.artifacts.items()
            )
            for name, of in self.artifacts.items():
                made = queries.versions(tx, "note", name)[::-1]
                assert [(one.number, one.spec["text"], one.author) for one in made] == [
                    (number, text, author)
                    for number, (text, author) in enumerate(
                        zip(of.texts, of.authors, strict=True), 1
                    )
                ]
                for one in made:
                    earlier = of.texts[: one.number - 1]
                    back = one.spec["text"] in earlier and earlier[-1] != one.spec["text"]
                    wanted = earlier.index(one.spec["text"]) + 1 if back else None
                    assert one.reverts == wanted
                labels = {one.label: one.number for one in queries.labels(tx, "note", name)}
                assert labels == {label: moves[-1].after for label, moves in of.moves.items()}
                for label, moves in of.moves.items():
                    history = queries.label_history(tx, "note", name, label)[::-1]
                    assert [Move(one.before, one.after, one.how) for one in history] == moves
                    assert [one.revision for one in history] == list(range(1, len(moves) + 1))
            for asked in self.asked:
                found = queries.proposal(tx, asked.made.id)
                assert found.state is asked.state
                if asked.state is ProposalState.OPEN:
                    of = self.artifacts[asked.made.name]
                    assert bool(proposals.missing(tx, found)) is not asked.ready(of)


def _run(db: Database, examples: int, steps: int) -> None:
    machine = type("Machine", (Registry,), {"db": db, "counter": 0})
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


def test_the_registry_is_its_model(sqlite_db: Database) -> None:
    _run(sqlite_db, examples=30, steps=15)


@pytest.mark.slow
def test_the_registry_is_its_model_at_length(db: Database) -> None:
    _run(db, examples=80, steps=40)
