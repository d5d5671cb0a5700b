"""A desk that spends: who, what, and one action of it in a transaction of its own."""

from datetime import timedelta
from decimal import Decimal

from opsroom.access.model import permissions_of
from opsroom.budgets import BudgetDraft, Hold, Scope, Spender, Unit, commands
from opsroom.budgets.model import Budget
from opsroom.kit.db import Actor, Database

OPS = Actor("olga", "default", permissions_of(("operator",)), ("operator",))
SPENDER = Spender(
    agent="customs", turn="trn_1", session="ses_1", contract="contract/post@3", team="desk"
)
LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)


def usd(amount: str | int) -> dict[Unit, Decimal]:
    return {Unit.USD: Decimal(amount)}


def draft(
    hard: str | int,
    *,
    soft: str | None = None,
    scope: Scope = Scope.AGENT,
    key: str = "customs",
    unit: Unit = Unit.USD,
    window: timedelta | None = None,
) -> BudgetDraft:
    return BudgetDraft(
        scope=scope,
        key=key,
        unit=unit,
        hard=Decimal(hard),
        soft=None if soft is None else Decimal(soft),
        window=window,
    )


def set_budget(db: Database, wanted: BudgetDraft) -> Budget:
    with db.write(OPS) as tx:
        return commands.set_budget(tx, wanted)


def reserve(
    db: Database,
    action: str,
    amounts: dict[Unit, Decimal],
    *,
    spender: Spender = SPENDER,
    lease: timedelta = LEASE,
) -> tuple[Hold, ...]:
    with db.write(OPS) as tx:
        return commands.reserve(tx, spender, amounts, action=action, until=tx.now + lease)


def settle(db: Database, action: str, amounts: dict[Unit, Decimal]) -> tuple[Hold, ...]:
    with db.write(OPS) as tx:
        return commands.settle(tx, action, amounts)
