"""Access rules beyond artifacts: budgets, what agents may do alone, and the inbox."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.registry.world import person

from opsroom.access import ruling
from opsroom.access.errors import AccessDenied
from opsroom.access.rules import AccessRules, Action, Otherwise, Thing
from opsroom.app.kinds import KINDS
from opsroom.autonomy import commands as autonomy
from opsroom.budgets import BudgetDraft, Scope, Unit
from opsroom.budgets import commands as budgets
from opsroom.inbox import RequestDraft, Say, commands, ruled
from opsroom.inbox.errors import NotYours
from opsroom.inbox.model import Risk
from opsroom.kit.db import Actor, Database
from opsroom.registry import ArtifactDraft
from opsroom.registry import commands as registry

SYSTEM = Actor("system", "default", human=False)
OLGA = person("olga", "operator", "author")
RULES = """
@id("caps") @reason("the caps of all are finance's")
forbid (principal, action == Action::"operate", resource)
when { resource.kind == "budget" && resource.label == "org" };

@id("alone") @reason("risk lets agents act")
forbid (principal, action, resource) when { resource.kind == "autonomy" }
unless { principal in Role::"risk" };

@id("payments") @reason("payments are for the desk")
forbid (principal, action == Action::"answer", resource)
when { resource.kind == "request" && resource.criticality == "high" };
"""


@pytest.fixture(autouse=True)
def rules(sqlite_db: Database) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        ruling.set_rules(tx, AccessRules(cedar=RULES))


def test_a_rule_speaks_of_budgets(sqlite_db: Database) -> None:
    of_all = BudgetDraft(scope=Scope.ORG, key="default", unit=Unit.USD, hard=Decimal(5))
    with sqlite_db.write(OLGA) as tx:
        with pytest.raises(AccessDenied, match="finance"):
            budgets.set_budget(tx, of_all)
        made = budgets.set_budget(tx, replace(of_all, scope=Scope.AGENT, key="clerk"))
        ruling.set_rules(tx, AccessRules(otherwise=Otherwise.DENY))
        with pytest.raises(AccessDenied, match="no rule permits it"):
            budgets.remove_budget(tx, made.id)


def test_a_rule_speaks_of_acting_alone_and_keeps_nobody_from_the_switch(
    sqlite_db: Database,
) -> None:
    with sqlite_db.write(OLGA) as tx:
        draft = ArtifactDraft(kind="agent", name="clerk")
        registry.create_artifact(tx, draft, kinds=KINDS)
        assert autonomy.kill(tx, "clerk", "it pays everybody twice")
        with pytest.raises(AccessDenied, match="risk lets agents act"):
            autonomy.revive(tx, "clerk", "it is mended now")
        assert autonomy.kill(tx, "*", "they all pay everybody twice")
        with pytest.raises(AccessDenied, match="risk lets agents act"):
            autonomy.revive(tx, "*", "they are mended now")
    with sqlite_db.write(person("ria", "risk", "operator")) as tx:
        assert autonomy.revive(tx, "clerk", "it is mended now")


def test_a_rule_speaks_of_requests_and_keeps_nobody_from_refusing(sqlite_db: Database) -> None:
    with sqlite_db.write(SYSTEM) as tx:
        asked = [
            commands.ask(
                tx,
                RequestDraft(
                    subject="turn/t",
                    agent="clerk",
                    requester="ada",
                    tool="pay",
                    title="Pay",
                    why="due",
                    risk=risk,
                    arguments={"amount": risk.value},
                    binding=risk.value,
                    due_at=tx.now + timedelta(hours=1),
                    expires_at=tx.now + timedelta(hours=2),
                ),
            )
            for risk in (Risk.HIGH, Risk.LOW)
        ]
    with sqlite_db.write(OLGA) as tx:
        high, low = asked
        assert ruled.why_not(tx, high, Say.APPROVE).endswith("payments are for the desk")
        assert ruled.why_not(tx, low, Say.APPROVE) == ""
        with pytest.raises(NotYours, match="for the desk"):
            commands.answer(tx, high.id, Say.APPROVE, binding=high.shown)
        commands.answer(tx, high.id, Say.REJECT, binding=high.shown, reason="not ours to pay")


def test_pages_are_told_beforehand(sqlite_db: Database) -> None:
    thing = Thing(kind="autonomy", name="clerk")
    with sqlite_db.read(OLGA) as tx:
        assert "risk lets agents act" in ruling.why_not(tx, Action.OPERATE, thing)
        assert "permission to review" in ruling.why_not(tx, Action.REVIEW, thing)
        assert ruling.why_not(tx, Action.OPERATE, Thing(kind="prompt", name="p")) == ""
