"""A freight clerk that books, pays and looks things up, and the people around it."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.api import Api, Caller

from opsroom.access.model import permissions_of
from opsroom.actions import executing, workflow
from opsroom.actions.model import Action, State
from opsroom.actions.ports import Effect
from opsroom.actions.store import action as stored
from opsroom.agents import commands as agents
from opsroom.app.kinds import KINDS
from opsroom.autonomy import commands as autonomy
from opsroom.autonomy import store as grants
from opsroom.autonomy.model import Envelope, Grant, Level
from opsroom.budgets import commands as budgets
from opsroom.budgets.model import BudgetDraft, Scope, Unit
from opsroom.contracts.model import ContractSpec, Effects, Http, Retry, Tier, Trust
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as requests
from opsroom.inbox.model import Say
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.kit.wire import plain
from opsroom.registry import ArtifactDraft, Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered

CLERK = "clerk"
SYSTEM = Actor("system", "default", frozenset({"administer", "act"}), human=False)
BEN = Actor("ben", "default", permissions_of(("reviewer", "risk")), ("reviewer", "risk"))

TEXT = {"type": "string", "maxLength": 200}


def schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


LOOK = ContractSpec(
    tool="look",
    input=schema(order=TEXT),
    risk=Tier.READ,
    effects=Effects(read_only=True, idempotent=True),
    returns=Trust.RECORD,
)
BOOK = ContractSpec(
    tool="book",
    input=schema(order=TEXT, slot={"type": "integer", "minimum": 1}),
    output={"type": "object", "required": ["booking"]},
    risk=Tier.WRITE,
    effects=Effects(idempotent=True, reversible="until the slot begins"),
    key=("/order", "/slot"),
)
PAY = ContractSpec(
    tool="pay",
    input=schema(invoice=TEXT, amount={"type": "number", "minimum": 0}),
    risk=Tier.WRITE,
    spends="/amount",
)
SEND = ContractSpec(
    tool="send",
    input=schema(order=TEXT),
    risk=Tier.WRITE,
    key=("/order",),
    executor=Http(method="POST", url="https://tms.example/orders"),
    effects=Effects(idempotent=True),
    integration="tms",
    retry=Retry(attempts=3, first=0.001, longest=0.002),
)
ASK = """
@id("all") permit (principal, action, resource);
@id("not-friday") @reason("never this order") forbid (principal, action == Action::"book", resource)
when { context.arguments.order == "forbidden" };
@id("second-pair-of-eyes") @verdict("escalate") @reason("a large payment")
forbid (principal, action == Action::"pay", resource)
when { context.facts.amount.greaterThan(decimal("1000.0")) };
@id("not-now") @verdict("defer") @reason("the books are closed")
forbid (principal, action == Action::"book", resource) when { context.arguments.order == "later" };
"""


def put(db: Database, kind: str, name: str, spec: Any, *, serve: bool = False) -> int:
    """Another version of an artifact; the first makes the artifact too."""
    with db.write(SYSTEM) as tx:
        if not registered.artifacts(tx, kind, search=name):
            registry.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
        made = registry.create_version(tx, kind, name, VersionDraft(spec=spec), kinds=KINDS)
        if serve:
            of = registered.artifact(tx, kind, name)
            registry.move_label(tx, of, "production", made.number, how="merge", reason="tests")
        return made.number


def grant(
    db: Database, level: Level, *, scope: str = "tier/write", envelope: Envelope | None = None
) -> None:
    """What a person has granted, without the months it takes to earn it."""
    with db.write(SYSTEM) as tx:
        digest = registered.version(tx, Ref("agent", CLERK, "production")).digest
        there = grants.grant(tx, CLERK, "production", scope)
        grants.put(
            tx,
            Grant(
                id=there.id if there else tx.ids.new("grt"),
                agent=CLERK,
                scope=scope,
                environment="production",
                level=level,
                envelope=envelope or Envelope(),
                manifest=digest,
                reason="tests",
                changed_at=tx.now,
                changed_by="ben",
                revision=there.revision + 1 if there else 1,
            ),
        )


@dataclass
class Machine:
    """Another side that books what it is sent, once for each key, and can misbehave."""

    booked: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    say: list[Effect] = field(default_factory=list)

    def execute(self, spec: ContractSpec, action: Action, *, timeout: float) -> Effect:
        del spec, timeout
        self.sent += 1
        said = self.say.pop(0) if self.say else Effect(state="happened", result={"ok": True})
        if said.state != "not_happened":
            self.booked[action.key] = self.booked.get(action.key, 0) + 1
        return said


class Office:
    """The clerk's office over the real application."""

    def __init__(self, api: Api, clock: ManualClock, *, level: Level = Level.EXPANDED) -> None:
        self.api, self.db, self.clock = api, api.db, clock
        self.there = Machine()
        api.app.state.executors = self.executors
        for spec in (LOOK, BOOK, PAY, SEND):
            put(self.db, "contract", spec.tool, plain(spec))
        put(self.db, "policy", "house", {"cedar": ASK})
        self.store_agent()
        if level is not Level.APPROVE_EACH:
            grant(self.db, level)
        self.clerk = api.program("agent", agent=CLERK)

    def store_agent(self, **more: Any) -> int:
        manifest = {
            "model": {"model": "m"},
            "contracts": ["look", "book", "pay", "send"],
            "policies": ["house"],
            **more,
        }
        return put(self.db, "agent", CLERK, manifest, serve=True)

    def executors(self, kind: str) -> Machine | None:
        return self.there if kind == "http" else None

    def turn(self, *, by: Caller | None = None, **given: Any) -> str:
        draft = {"agent": CLERK, "intent": "book what came in", "human": "ada", **given}
        return str((by or self.clerk).post("/v1/turns", draft)["id"])

    def propose(self, turn: str, tool: str, key: str = "", **arguments: Any) -> dict[str, Any]:
        body = {"tool": tool, "arguments": arguments, "key": key}
        return dict(self.clerk.post(f"/v1/turns/{turn}/actions", body))

    def report(self, action: str, state: str = "succeeded", **said: Any) -> dict[str, Any]:
        return dict(self.clerk.post(f"/v1/actions/{action}/outcome", {"state": state, **said}))

    def begin(self, action: str) -> dict[str, Any]:
        return dict(self.clerk.post(f"/v1/actions/{action}/begin"))

    def look(self, action: str) -> dict[str, Any]:
        return dict(self.clerk.get(f"/v1/actions/{action}"))

    def action(self, action_id: str) -> Action:
        with self.db.read(SYSTEM) as tx:
            found = stored(tx, action_id)
        assert found is not None
        return found

    def state(self, action_id: str) -> State:
        return self.action(action_id).state

    def events(self, action_id: str = "") -> list[str]:
        """What is on record of an action, in order."""
        with self.db.read(SYSTEM) as tx:
            found = journal.entries(tx, limit=500)
        told = [one for one, _ in found]
        told.sort(key=lambda one: one.seq)
        return [
            one.event
            for one in told
            if one.event.startswith("action.")
            and (not action_id or one.subject == f"action/{action_id}")
        ]

    def approve(self, request: str, say: Say = Say.APPROVE, **rest: Any) -> None:
        with self.db.write(BEN) as tx:
            asked = requests.request(tx, request)
            inbox.opened(tx, request, evidence=True)
            if say is not Say.APPROVE:
                rest.setdefault("reason", "because")
            inbox.answer(tx, request, say, binding=asked.shown, **rest)

    def grace(self) -> None:
        """Let the time go by in which an approval can be taken back."""
        self.clock.move(timedelta(seconds=6))

    def kill(self, agent: str = CLERK) -> None:
        with self.db.write(SYSTEM) as tx:
            autonomy.kill(tx, agent, "a drill")

    def revive(self, agent: str = CLERK) -> None:
        with self.db.write(SYSTEM) as tx:
            autonomy.revive(tx, agent, "it is over")

    def retire(self) -> None:
        with self.db.write(
            Actor("root", "default", permissions_of(("admin",)), ("admin",))
        ) as tx:
            agents.retire(tx, CLERK, reason="its work is done")

    def budget(self, hard: str, unit: Unit = Unit.USD) -> str:
        with self.db.write(SYSTEM) as tx:
            draft = BudgetDraft(scope=Scope.AGENT, key=CLERK, unit=unit, hard=Decimal(hard))
            return budgets.set_budget(tx, draft).id

    def expire(self) -> int:
        """What the clock does to actions."""
        with self.db.write(Actor("system:clock", "", human=False)) as tx:
            return executing.expire(tx) if workflow.overdue(tx) else 0

    def answered(self, action_id: str, event: str, because: str = "") -> None:
        """What the reaction to an answer does."""
        with self.db.write(SYSTEM) as tx:
            executing.answered(tx, action_id, event, because)
