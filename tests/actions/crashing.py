"""Lives of an office whose agent acts, each of which may be cut off at any moment.

    python -m tests.actions.crashing        a life per line of JSON on standard input

One warm process forks for every life, so that a kill costs a fraction of a second. A life knows
nothing of those before it: it looks at what is on record, and does what is left to do until
everything is over. What happens outside is in a ledger that only the outside writes.
"""

import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine
from tests.actions import world
from tests.actions.world import BEN, CLERK, SYSTEM, TEXT, put, schema
from tests.keyring import KEYRING

from opsroom.access import commands as access
from opsroom.access.model import permissions_of
from opsroom.actions import doors, executing, queries, store, turn_store, turning, workflow
from opsroom.actions.faults import POINTS
from opsroom.actions.model import OVER, Action, AnyOutcome, Execute, Proposal, State, Turn
from opsroom.actions.ports import Effect
from opsroom.autonomy.model import Level
from opsroom.budgets import commands as budgets
from opsroom.budgets import queries as budget_queries
from opsroom.budgets.model import EACH, BudgetDraft, Scope, Unit
from opsroom.contracts.model import ContractSpec, Effects, Http, Tier, Trust
from opsroom.grounding.model import Piece, Voice
from opsroom.inbox import commands as inbox
from opsroom.inbox import queries as requests
from opsroom.inbox.model import Say
from opsroom.inbox.model import State as Asked
from opsroom.journal import outbox
from opsroom.journal import store as journal_store
from opsroom.kit import faults
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx, open_engine
from opsroom.kit.durable import Durable
from opsroom.kit.faults import boundary
from opsroom.kit.ids import TimeIds
from opsroom.kit.wire import plain

HOUR = timedelta(hours=1)
IDLE = timedelta(seconds=3)
MOST_STEPS = 120
AGENT = Actor(
    f"token:{CLERK}",
    "default",
    permissions_of(("agent",)),
    ("agent",),
    human=False,
    agent=CLERK,
)
EVERYWHERE = Actor("system:clock", "", human=False)
ORDER = schema(order=TEXT)
THERE = Http(method="POST", url="https://tms.example/orders")
AGAIN = Effects(idempotent=True)
# The other side of these does a call with a key it has seen before only once.
KEYED = ("post", "send", "clear")
# Of these opsroom can ask the other side whether they happened.
QUERYABLE = ("file",)
# Of these nobody can tell, so what is ambiguous stays unknown.
PLAIN = ("tell", "pay")
TOOLS = (*KEYED, *QUERYABLE, *PLAIN)
APPROVED = ("clear", "pay")
AMOUNT = Decimal(40)
HARD = Decimal(100)  # of each turn: two payments, never three
CONTRACTS = (
    ContractSpec(tool="post", input=ORDER, key=("/order",), effects=AGAIN, timeout=1),
    ContractSpec(
        tool="send", input=ORDER, key=("/order",), effects=AGAIN, timeout=1, executor=THERE
    ),
    ContractSpec(
        tool="clear", input=ORDER, key=("/order",), effects=AGAIN, timeout=1, executor=THERE
    ),
    ContractSpec(
        tool="check",
        input=ORDER,
        risk=Tier.READ,
        effects=Effects(read_only=True, idempotent=True),
        returns=Trust.RECORD,
        executor=replace(THERE, method="GET"),
    ),
    ContractSpec(
        tool="file", input=ORDER, key=("/order",), lookup="check@1", timeout=1, executor=THERE
    ),
    ContractSpec(tool="tell", input=ORDER, timeout=1),
    ContractSpec(
        tool="pay",
        input=schema(order=TEXT, amount={"type": "number", "minimum": 0}),
        spends="/amount",
        timeout=1,
    ),
)
POLICY = """
@id("all") permit (principal, action, resource);
@id("four-eyes") @verdict("escalate") @reason("a person looks at these")
forbid (principal, action in [Action::"pay", Action::"clear"], resource);
"""


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a process is to do, and after how many passages of which places it ends."""

    url: str
    outside: str  # directory of what lasts beside the database
    case: str
    tool: str
    now: str
    point: str = ""
    passage: int = 0
    warm: bool = False  # in the parent, which learns by it what children need not


def orders(case: str, tool: str) -> list[str]:
    """What the agent is asked to do in a case, each of it once."""
    return [f"{case}-{number}" for number in range(3 if tool == "pay" else 1)]


class Outside:
    """The other side: a file that it alone writes, and syncs before it answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def happened(self, tool: str, order: str) -> int:
        return sum(one == {"tool": tool, "order": order} for one in self.lines())

    def take(self, tool: str, order: str) -> dict[str, str]:
        """Do what is asked for; with a key, once."""
        if tool not in KEYED or not self.happened(tool, order):
            append(self._path, json.dumps({"tool": tool, "order": order}))
        return {"order": order}

    def execute(self, spec: ContractSpec, action: Action, *, timeout: float) -> Effect:
        del timeout
        order = action.arguments["order"]
        if spec.tool == "check":
            answer = {
                "happened": bool(self.happened("file", order)),
                "result": {"order": order},
            }
            return Effect(state="happened", result=answer)
        assert spec.tool not in KEYED or action.key
        return Effect(state="happened", result=self.take(spec.tool, order))


class Notebook:
    """Loops that were begun, kept beyond a crash, and looked after once in a step. Stands in
    for the engine of durable work, which has its own tests about kills.
    """

    def __init__(self, path: Path, loops: dict[str, Callable[[str], float | None]]) -> None:
        self._path, self._loops = path, loops

    def begin(self, loop: str, key: str) -> None:
        if (loop, key, False) not in (state := self._state()) and (
            loop,
            key,
            True,
        ) not in state:
            append(self._path, json.dumps([loop, key, False]))

    def pending(self) -> list[tuple[str, str]]:
        state = self._state()
        return [
            (loop, key)
            for loop, key, over in state
            if not over and (loop, key, True) not in state
        ]

    def look(self) -> None:
        for loop, key in self.pending():
            if self._loops[loop](key) is None:
                append(self._path, json.dumps([loop, key, True]))

    def _state(self) -> dict[tuple[str, str, bool], None]:
        if not self._path.exists():
            return {}
        return {tuple(json.loads(one)): None for one in self._path.read_text().splitlines()}


def append(path: Path, line: str) -> None:
    """One line at the end of a file, on the disk when this returns."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def build(db: Database) -> None:
    """The office before its first day."""
    with db.write(SYSTEM) as tx:
        access.create_user(tx, BEN.name, BEN.roles)
        for scope, key, hard in ((Scope.TURN, EACH, HARD), (Scope.AGENT, CLERK, 10**6)):
            draft = BudgetDraft(scope=scope, key=key, unit=Unit.USD, hard=Decimal(hard))
            budgets.set_budget(tx, draft)
    for spec in CONTRACTS:
        put(db, "contract", spec.tool, plain(spec))
    put(db, "policy", "house", {"cedar": POLICY})
    manifest = {
        "model": {"model": "m"},
        "contracts": [spec.tool for spec in CONTRACTS],
        "policies": ["house"],
    }
    put(db, "agent", CLERK, manifest, serve=True)


@cache
def engine_of(url: str) -> Engine:
    """One for all lives: what it has compiled is inherited, connections never are."""
    return open_engine(url)


def opened(
    url: str, now: datetime, *, engine: Engine | None = None
) -> tuple[Database, ManualClock]:
    clock = ManualClock(now)
    engine = engine or open_engine(url)
    return (
        Database(
            engine,
            clock=clock,
            ids=TimeIds(clock),
            on_commit=journal_store.append,
            keyring=KEYRING,
        ),
        clock,
    )


def latest_of(known: list[Action], order: str) -> Action | None:
    mine = [one for one in known if one.arguments["order"] == order]
    return mine[-1] if mine else None


def serve(tx: Tx, agent: str, subject: str, environment: str) -> turning.Serving:
    del tx, agent, subject, environment
    return turning.Serving(number=1)


class Office:
    """One life: everybody does what is left to them until nothing is."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.db, self.clock = opened(
            life.url, datetime.fromisoformat(life.now), engine=engine_of(life.url)
        )
        self.outside = Outside(Path(life.outside) / "ledger")
        driver = workflow.Driver(self.db, self.executors)
        loops: dict[str, Callable[[str], float | None]] = {
            workflow.LOOP: driver.look,
            workflow.LOOKUPS: driver.look_up,
        }
        self.notebook = Notebook(Path(life.outside) / "loops", loops)
        self.reactions = workflow.reactions(cast("Durable", self.notebook))

    def executors(self, kind: str) -> Outside | None:
        return self.outside if kind == "http" else None

    def live(self) -> None:
        for _ in range(MOST_STEPS):
            self._machines()
            self._people()
            self._agent()
            if self._over():
                return
            self.clock.move(IDLE)
        found = [(one.id, one.state.value, one.because) for one in self._actions()]
        raise TimeoutError(f"{self.life.case} does not end: {found}")

    def _machines(self) -> None:
        for due, act in (
            (requests.overdue, inbox.expire),
            (workflow.overdue, executing.expire),
            (budget_queries.overdue, budgets.expire),
        ):
            with self.db.read(EVERYWHERE) as tx:
                anything = due(tx)
            if anything:
                with self.db.write(EVERYWHERE) as tx:
                    act(tx)
        outbox.pump(self.db, self.reactions)
        self.notebook.look()

    def _people(self) -> None:
        """They approve what they are asked, and find out what only people can find out."""
        for action in self._actions():
            if action.state is State.AWAITING_APPROVAL and action.approval:
                with self.db.read(BEN) as tx:
                    asked = requests.request(tx, action.approval)
                if asked.state is Asked.PENDING:
                    with self.db.write(BEN) as tx:
                        inbox.opened(tx, asked.id, evidence=True)
                        inbox.answer(tx, asked.id, Say.APPROVE, binding=asked.shown)
            elif action.state is State.UNKNOWN and action.tool in KEYED:
                happened = bool(self.outside.happened(action.tool, action.arguments["order"]))
                with self.db.write(SYSTEM) as tx:
                    finding = executing.Finding(happened=happened, reason="their books say so")
                    executing.settle(tx, executing.get(tx, action.id, lock=True), finding)

    def _agent(self) -> None:
        turn, known = self._turn(), self._actions()
        for order in orders(self.life.case, self.life.tool):
            latest = latest_of(known, order)
            if latest is None or self._wanted_again(latest):
                arguments = {"order": order}
                if self.life.tool == "pay":
                    arguments["amount"] = str(AMOUNT)
                proposal = Proposal(tool=self.life.tool, arguments=arguments)
                self._do(
                    doors.propose(self.db, AGENT, turn.id, proposal, executors=self.executors)
                )
            elif latest.state not in OVER and latest.state is not State.UNKNOWN:
                # Whoever resumes cannot know what an earlier life has begun.
                self._do(doors.begin(self.db, AGENT, latest.id, executors=self.executors))

    def _do(self, outcome: AnyOutcome) -> None:
        if not isinstance(outcome, Execute):
            return
        boundary("action.before_effect")
        result = self.outside.take(self.life.tool, outcome.arguments["order"])
        boundary("action.after_effect")
        with self.db.write(AGENT) as tx:
            executing.report(tx, outcome.id, executing.Report(state="succeeded", result=result))

    def _wanted_again(self, latest: Action) -> bool:
        """What surely did not happen is proposed once more."""
        return latest.state is State.DEFERRED or (
            latest.state is State.RECONCILED
            and not self.outside.happened(latest.tool, latest.arguments["order"])
        )

    def _turn(self) -> Turn:
        with self.db.read(AGENT) as tx:
            known = queries.turns(tx, session=self.life.case)
        if known:
            return known[0]
        # Incidents cost the agent its autonomy; here it is given back every morning.
        world.grant(self.db, Level.EXPANDED)
        draft = turning.TurnDraft(
            agent=CLERK, intent="do it", session=self.life.case, human="ada"
        )
        with self.db.write(AGENT) as tx:
            turn = turning.begin_turn(tx, draft, serve=serve)
            said = ", ".join(orders(self.life.case, self.life.tool))
            turning.hear(tx, turn.id, [Piece(voice=Voice.USER, text=said)])
        return turn

    def _actions(self) -> list[Action]:
        """Of this case, oldest first."""
        with self.db.read(SYSTEM) as tx:
            known = turn_store.turn_page(
                tx, agent=CLERK, session=self.life.case, before=None, limit=9
            )
            found = [a for turn in known for a in store.page(tx, turn_id=turn.id, limit=500)]
        return sorted(found, key=lambda one: one.id)

    def _over(self) -> bool:
        known = self._actions()
        latest = [latest_of(known, order) for order in orders(self.life.case, self.life.tool)]
        return not self.notebook.pending() and all(
            one is not None
            and not self._wanted_again(one)
            and (one.state in OVER or (one.state is State.UNKNOWN and one.tool in PLAIN))
            for one in latest
        )


def armed(life: Life) -> Counter[str]:
    """Count the places that are passed; end the process where the life says so."""
    passed: Counter[str] = Counter()

    def strike(point: str) -> None:
        passed[point] += 1
        seen = passed[point] if life.point != EACH else passed.total()
        if life.point in {point, EACH} and seen == life.passage:
            os.kill(os.getpid(), 9)

    for point in POINTS:
        faults.arm(point, partial(strike, point))
    return passed


def here(life: Life) -> dict[str, Any]:
    """Live in this process: which places were passed, or what went wrong."""
    try:
        office = Office(life)
        passed = armed(life)
        office.live()
    except BaseException:  # noqa: BLE001  # told to whoever asked for this life
        return {"error": traceback.format_exc()}
    finally:
        faults.disarm()
        engine_of(life.url).dispose()
    return {"passed": passed}


def lived(life: Life) -> dict[str, Any]:
    """Live in a process of its own; what it says, or that it was killed."""
    read, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            os.write(tell, json.dumps(here(life)).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(read, "rb") as answers:
        said = answers.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return {"killed": os.WTERMSIG(status)}
    return cast("dict[str, Any]", json.loads(said))


def main() -> None:
    for line in sys.stdin:
        life = Life(**json.loads(line))
        sys.stdout.write(json.dumps(here(life) if life.warm else lived(life)) + "\n")
        sys.stdout.flush()


def told(life: Life) -> str:
    return json.dumps(asdict(life)) + "\n"


START = datetime(2026, 11, 20, tzinfo=UTC)

if __name__ == "__main__":
    main()
