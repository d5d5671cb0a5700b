"""A small office whose numbers can be counted by hand, made by the commands that people use.

The clerk (autonomous is nobody here) cites the prompt `greet`, which includes `tone`; `idle` is in
production and cited by nobody. Its second version was measured and passed its gate. Another
agent, `desk`, changed by a proposal that Ben approved.
"""

from datetime import timedelta
from typing import Any

from tests.actions.world import BEN, CLERK, SYSTEM, Office, grant, put
from tests.api import Api
from tests.corrections.world import person
from tests.evals.test_measure import MODELS

from opsroom.app.kinds import KINDS
from opsroom.approvals import Answer as Said
from opsroom.autonomy.model import Level
from opsroom.datasets import Item
from opsroom.datasets import commands as datasets
from opsroom.evals.comparison import MetricRule
from opsroom.evals.gate import GateRules, Outcome
from opsroom.evals.gating import gate_versions
from opsroom.evals.measure import Measurement
from opsroom.feedback import commands as feedback
from opsroom.feedback.model import FeedbackDraft
from opsroom.inbox.model import Say
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Database
from opsroom.kit.redaction import Redactor
from opsroom.models import Output, Recording
from opsroom.models import store as recordings
from opsroom.registry import ArtifactDraft, Criticality, Ref, VersionDraft, proposals
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.reports import queries
from opsroom.reports.model import Answer, Ask

ADA = person("ada", "author", "operator", "admin")
CASES = 60
RIGHT = {2: 30, 3: 57}  # of the cases, by version of the clerk


class Known:
    """The office, after a day whose every number is known."""

    def __init__(self, api: Api, clock: ManualClock) -> None:
        self.db, self.clock = api.db, clock
        self.began = clock.now()
        self.office = Office(api, clock)
        _prompts(self.office)
        grant(self.db, Level.EXPANDED)
        _measured(self.db)
        _changed(self.db)
        self.turns = [self.office.turn() for _ in range(5)]
        _acted(self.office, self.turns[0])
        for turn, final in zip(
            self.turns, ("done", "done", "done", "failed", "escalated"), strict=True
        ):
            self.office.clerk.post(f"/v1/turns/{turn}/final", {"final": final})
        for n, (use_case, helpful) in enumerate(
            (("booking", True), ("booking", True), ("booking", False), ("paying", True))
        ):
            said = FeedbackDraft(
                subject=f"turn/{self.turns[n]}", by=f"u{n}", use_case=use_case, helpful=helpful
            )
            with self.db.write(SYSTEM) as tx:
                feedback.give(tx, said, clean=Redactor().clean)
        clock.move(timedelta(minutes=1))

    def report(self, name: str, **rest: Any) -> Answer:
        asked = Ask(since=self.began, until=self.clock.now(), **rest)
        with self.db.read(ADA) as tx:
            return queries.answer(tx, name, asked)


def _prompts(office: Office) -> None:
    db = office.db
    put(db, "prompt", "tone", {"format": "text", "text": "Be kind."})
    greeting = {
        "format": "text",
        "text": "{% include 'tone' %} Greet.",
        "includes": {"tone": "tone@1"},
    }
    put(db, "prompt", "greet", greeting, serve=True)
    put(db, "prompt", "idle", {"format": "text", "text": "Nobody reads this."}, serve=True)
    for model in ("m2", "m3"):
        office.store_agent(prompts={"system": "greet@1"}, model={"model": model})


def _measured(db: Database) -> None:
    put(db, "evaluator", "right", {"type": "equals", "metric": "right"})
    items = [Item(id=f"i{n}", input=f"question {n}", expected="yes") for n in range(CASES)]
    with db.write(ADA) as tx:
        datasets.put(tx, "desk", items, kinds=KINDS, evaluators=["right"])
        for number, right in RIGHT.items():
            version = registered.version(tx, Ref("agent", CLERK, str(number)))
            recordings.add(
                tx,
                [
                    Recording(
                        subject=version.digest,
                        item=item.hash,
                        output=Output(text="yes" if n < right else "no", latency=1.0),
                    )
                    for n, item in enumerate(items)
                ],
            )
    sides = [Measurement(subject=f"agent/{CLERK}@{one}", dataset="desk") for one in RIGHT]
    rules = GateRules(metrics=(MetricRule(metric="right", margin=0.05),), floor=40)
    verdict = gate_versions(db, ADA, *sides, rules=rules, models=MODELS)
    assert verdict.outcome is Outcome.PASSED


def _changed(db: Database) -> None:
    """Seven changes of the desk: made, two versions, two moves, a proposal opened and merged."""
    with db.write(ADA) as tx:
        draft = ArtifactDraft(kind="agent", name="desk", criticality=Criticality.ADVISORY)
        of = registry.create_artifact(tx, draft, kinds=KINDS)
        for model in ("m", "n"):
            spec = {"model": {"model": model}}
            registry.create_version(tx, "agent", "desk", VersionDraft(spec=spec), kinds=KINDS)
        registry.move_label(tx, of, "production", 1, how="import", reason="it served before")
        made = proposals.propose(
            tx,
            Ref("agent", "desk", "2"),
            label="production",
            title="=n is cheaper",
            kinds=KINDS,
        )
    with db.write(BEN) as tx:
        proposals.review(tx, made.id, answer=Said.APPROVE, reason="I read it")
    with db.write(ADA) as tx:
        proposals.merge(tx, made.id)


def _acted(office: Office, turn: str) -> None:
    """Six actions: look, two bookings alone and one refused; two payments that people see."""
    for tool, given in (
        ("look", {"order": "1"}),
        ("book", {"order": "1", "slot": 1}),
        ("book", {"order": "2", "slot": 1}),
    ):
        done = office.propose(turn, tool, **given)
        assert done["kind"] == "execute", done
        office.report(done["id"], result={"booking": "b"})
    assert office.propose(turn, "book", order="forbidden", slot=1)["kind"] == "denied"
    for invoice, say in (("i1", Say.APPROVE), ("i2", Say.REJECT)):
        asked = office.propose(turn, "pay", key=invoice, invoice=invoice, amount=5000)
        assert asked["kind"] == "pending", asked
        care = {"care": _care()} if say is Say.APPROVE else {}
        office.approve(asked["request"], say, **care)
        office.grace()
        event = "inbox.approved" if say is Say.APPROVE else "inbox.rejected"
        office.answered(asked["id"], event)
        if say is Say.APPROVE:
            begun = office.begin(asked["id"])
            assert begun["kind"] == "execute", begun
            office.report(asked["id"])


def _care() -> Any:
    from opsroom.inbox.model import Care

    return Care(held_ms=900)
