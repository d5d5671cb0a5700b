"""A small office whose agent would do anything, met over HTTP as attackers meet it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.api import Api, Caller

from opsroom.access.model import permissions_of
from opsroom.app.kinds import KINDS
from opsroom.autonomy import Envelope, Grant, Level
from opsroom.autonomy import store as autonomy_store
from opsroom.contracts.model import ArgumentKind as Kind
from opsroom.contracts.model import ContractSpec, Effects, Retry, Sink, Tier
from opsroom.journal import queries as journal
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor
from opsroom.kit.wire import plain
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.registry.model import ArtifactDraft, VersionDraft

BOSS = Actor("boss", "default", permissions_of(("admin",)), ("admin",))
AMOUNT = {"type": "number"}
PAY = ContractSpec(
    tool="pay",
    description="Pay a supplier.",
    input={
        "type": "object",
        "properties": {"supplier": {"type": "string"}, "amount": AMOUNT},
        "required": ["supplier", "amount"],
        "additionalProperties": False,
    },
    risk=Tier.WRITE,
    spends="/amount",
    sinks=(Sink(path="/supplier", kind=Kind.RECIPIENT),),
)
PAY_ALL = ContractSpec(
    tool="pay_all",
    description="Pay several suppliers at once.",
    input={
        "type": "object",
        "properties": {
            "payments": {"type": "array", "items": PAY.input, "maxItems": 1000},
        },
        "required": ["payments"],
        "additionalProperties": False,
    },
    risk=Tier.WRITE,
    spends="/payments/*/amount",
)
LOOK = ContractSpec(
    tool="look",
    description="Look a supplier up.",
    input={
        "type": "object",
        "properties": {"supplier": {"type": "string"}, "note": {}},
        "additionalProperties": False,
    },
    risk=Tier.READ,
    effects=Effects(read_only=True, idempotent=True),
    retry=Retry(attempts=1),
)
OPEN = 'permit (principal, action in Action::"tier:any", resource);'


def policy(*more: str) -> dict[str, Any]:
    """Everything is permitted, but for `more`."""
    return {"cedar": "\n".join((f'@id("open") {OPEN}', *more))}


@dataclass
class Office:
    """One agent, `clerk`, its token, and people around it."""

    api: Api
    clock: ManualClock
    human: str = "ada"
    _people: dict[str, Caller] = field(default_factory=dict[str, Caller])

    def put(self, kind: str, name: str, spec: Any) -> int:
        """The next version of something, in production at once."""
        with self.api.db.write(BOSS) as tx:
            there = [one[0].name for one in registered.artifacts(tx, kind, search=name)]
            if name not in there:
                registry.create_artifact(tx, ArtifactDraft(kind=kind, name=name), kinds=KINDS)
            draft = VersionDraft(spec=spec if isinstance(spec, dict) else plain(spec))
            made = registry.create_version(tx, kind, name, draft, kinds=KINDS)
            if kind == "agent":
                of = registered.artifact(tx, kind, name)
                registry.move_label(
                    tx, of, "production", made.number, how="merge", reason="opening"
                )
        return made.number

    def open(
        self,
        *contracts: ContractSpec,
        rules: Sequence[str] | None = (),
        agents: Sequence[str] = ("clerk",),
    ) -> None:
        """The office with these contracts; without `rules` the shipped policies hold."""
        for spec in contracts or (PAY, PAY_ALL, LOOK):
            self.put("contract", spec.tool.replace("_", "-"), spec)
        cited = [one.tool.replace("_", "-") for one in contracts or (PAY, PAY_ALL, LOOK)]
        manifest: dict[str, Any] = {"model": {"model": "m"}, "contracts": cited}
        if rules is not None:
            self.put("policy", "house", policy(*rules))
            manifest["policies"] = ["house"]
        for agent in agents:
            self.put("agent", agent, manifest)

    def grant(
        self,
        level: Level = Level.BOUNDED,
        *,
        agent: str = "clerk",
        envelope: Envelope | None = None,
    ) -> None:
        """What a person has granted for writes, without the months it takes to earn it."""
        with self.api.db.write(BOSS) as tx:
            there = autonomy_store.grant(tx, agent, "production", "tier/write")
            autonomy_store.put(
                tx,
                Grant(
                    id=there.id if there else tx.ids.new("grt"),
                    agent=agent,
                    environment="production",
                    scope="tier/write",
                    level=level,
                    envelope=envelope or Envelope(),
                    changed_at=tx.now,
                    changed_by=tx.actor.name,
                    revision=there.revision + 1 if there else 1,
                ),
            )

    def agent(self, name: str = "clerk") -> Caller:
        if name not in self._people:
            self._people[name] = self.api.program("agent", agent=name)
        return self._people[name]

    def person(self, name: str, *roles: str) -> Caller:
        if name not in self._people:
            self._people[name] = self.api.person(*roles or ("reviewer",), name=name)
        return self._people[name]

    def turn(self, *, by: str = "clerk", **more: Any) -> str:
        body = {"agent": by, "intent": "pay what is due", "human": self.human, **more}
        return str(self.agent(by).post("/v1/turns", body)["id"])

    def propose(
        self, tool: str, arguments: Any, *, turn: str = "", by: str = "clerk", **more: Any
    ) -> dict[str, Any]:
        turn = turn or self.turn(by=by)
        body = {"tool": tool, "arguments": arguments, **more}
        found: dict[str, Any] = self.agent(by).post(f"/v1/turns/{turn}/actions", body)
        return found

    def pay(self, amount: Any = 10, supplier: Any = "Hapag", **more: Any) -> dict[str, Any]:
        return self.propose("pay", {"supplier": supplier, "amount": amount}, **more)

    def begin(self, action: str, *, by: str = "clerk") -> dict[str, Any]:
        found: dict[str, Any] = self.agent(by).post(f"/v1/actions/{action}/begin")
        return found

    def report(self, action: str, **said: Any) -> dict[str, Any]:
        body = {"state": "succeeded", "result": {"ok": True}, **said}
        found: dict[str, Any] = self.agent().post(f"/v1/actions/{action}/outcome", body)
        return found

    def shown(self, request: str, *, by: str = "ben") -> dict[str, Any]:
        found: dict[str, Any] = self.person(by).get(f"/v1/inbox/{request}")
        return found

    def approve(self, request: str, *, by: str = "ben") -> None:
        """A person approves it, and can no longer take that back."""
        binding = self.shown(request, by=by)["shown"]
        self.person(by).post(f"/v1/inbox/{request}/approve", {"binding": binding})
        self.settle()

    def settle(self) -> None:
        self.clock.move(timedelta(minutes=1))

    def events(self, subject: str) -> list[str]:
        """What the journal holds of a subject, oldest first."""
        with self.api.db.read(BOSS) as tx:
            found = journal.entries(tx, subject=subject, limit=200)
        return [one.event for one, _ in reversed(found)]

    def record(self, action: str) -> dict[str, Any]:
        found: dict[str, Any] = self.agent().get(f"/v1/actions/{action}/record")
        return found

    def budget(self, hard: str) -> str:
        body = {"scope": "agent", "key": "clerk", "unit": "usd", "hard": hard}
        return str(self.person("olga", "operator").put("/v1/budgets", body)["id"])

    def refused(self, outcome: dict[str, Any], by: str) -> None:
        """Denied at that gate, on record, and nothing executed."""
        assert (outcome["kind"], outcome["refused_by"]) == ("denied", by), outcome
        said = self.events(f"action/{outcome['id']}")
        assert said[-1] == "action.denied", said
        assert "action.executing" not in said
