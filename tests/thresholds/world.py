"""A clerk who says how sure it is, and people who answer."""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from tests.actions.world import BEN, CLERK, SYSTEM, Office, grant
from tests.api import Api

from opsroom.access.model import permissions_of
from opsroom.autonomy import commands as autonomy
from opsroom.autonomy.model import Level
from opsroom.contracts.model import Tier
from opsroom.inbox import OverrideDraft, overriding
from opsroom.inbox.model import Say
from opsroom.journal import outbox
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database
from opsroom.registry import Ref
from opsroom.registry import queries as registry
from opsroom.thresholds import commands, reactions, store
from opsroom.thresholds.model import Decision, Examination, Source

ADA = Actor("ada", "default", permissions_of(("author", "operator")), ("author", "operator"))
BOOK = "book"
__all__ = ["ADA", "BEN", "BOOK", "CLERK", "SYSTEM", "Office", "Source", "grant"]


def asks_each(api: Api, clock: ManualClock) -> Office:
    return Office(api, clock, level=Level.APPROVE_EACH)


def book(
    office: Office, confidence: float | None, order: str = "7", **more: Any
) -> dict[str, Any]:
    """The clerk books something, and says how sure it is."""
    turn = office.turn()
    arguments = {"order": order, "slot": 1 + random.randrange(10**9)}
    body = {"tool": BOOK, "arguments": arguments, "confidence": confidence, **more}
    return dict(office.clerk.post(f"/v1/turns/{turn}/actions", body))


def react(db: Database) -> None:
    outbox.pump(db, reactions.REACTIONS)


def known(office: Office, action_id: str) -> Decision | None:
    react(office.db)
    with office.db.read(SYSTEM) as tx:
        return store.decision(tx, action_id)


def override(db: Database, action_id: str) -> None:
    with db.write(BEN) as tx:
        overriding.override(
            tx,
            OverrideDraft(
                subject=f"action/{action_id}",
                agent=CLERK,
                tool=BOOK,
                agent_decision={"slot": 1},
                human_decision={"slot": 2},
                reasoning="the slot was taken",
            ),
        )


def reject(office: Office, request: str) -> None:
    office.approve(request, Say.REJECT)


def serving(db: Database, agent: str = CLERK) -> str:
    with db.read(SYSTEM) as tx:
        return registry.version(tx, Ref("agent", agent, "production")).digest


def rated(
    db: Database,
    labels: list[tuple[float, bool]],
    *,
    agent: str = CLERK,
    contract: str = BOOK,
    source: Source = Source.ASKED,
    manifest: str = "",
) -> None:
    """Decisions as if they had been made: how sure, and whether people found it wrong. What ran
    alone was overridden where it was wrong.
    """
    manifest = manifest or serving(db, agent)
    alone = source is Source.ALONE
    with db.write(SYSTEM) as tx:
        rows = [
            {
                "action": tx.ids.new("act"),
                "project": tx.project,
                "agent": agent,
                "environment": "production",
                "contract": contract,
                "reference": f"contract/{contract}@1",
                "manifest": manifest,
                "confidence": confidence,
                "source": source.value,
                "right": None if alone else not wrong,
                "overridden": alone and wrong,
                "outcome": "",
            }
            for confidence, wrong in labels
        ]
        tx.conn.execute(insert(store.decisions), rows)


def sure_when_right(count: int, seed: int = 3) -> list[tuple[float, bool]]:
    """An agent that is 99.5 % right when it is sure, and 70 % when it is not."""
    draw = random.Random(seed)
    sure = [draw.random() for _ in range(count)]
    return [(round(one, 2), draw.random() < 0.005 + 0.295 * (1 - one) ** 2) for one in sure]


def examine(db: Database, agent: str = CLERK, contract: str = BOOK) -> Examination:
    with db.write(ADA) as tx:
        return commands.examine(tx, agent, contract)


def earned(office: Office, clock: ManualClock) -> None:
    """What autonomy asks of anybody: people agreed, for some days."""
    for agreed in (1, 149):
        with office.db.write(SYSTEM) as tx:
            autonomy.observe(
                tx, CLERK, f"contract/{BOOK}", Tier.WRITE, "production", agreed=agreed
            )
        clock.move(timedelta(days=8))
