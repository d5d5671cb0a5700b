"""Budgets over HTTP: what is left, setting and removing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire

from . import commands, queries
from .model import Budget, BudgetDraft, Scope, Standing
from .queries import Outlook

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])
Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPage(Wire):
    """Budgets, oldest first. `next` is what to pass as `after` for the page after this one."""

    items: tuple[Standing, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Wire):
    reason: str = ""


@router.get("")
def list_budgets(
    tx: Read,
    scope: Scope | None = None,
    key: Text = "",
    after: Text = "",
    limit: Limit = queries.PAGE,
) -> StandingPage:
    """Every budget, with what is held and settled in its present window."""
    found = queries.standings(tx, scope=scope, key=key, after=after, limit=limit)
    last = found[-1].budget.id if len(found) == limit else None
    return StandingPage(items=tuple(found), next=last)


@router.put("")
def set_budget(draft: BudgetDraft, tx: Write) -> Budget:
    """Set the budget for a scope, key, unit and window, or change its limits."""
    return commands.set_budget(tx, draft)


@router.get("/{budget_id}")
def show_budget(budget_id: str, tx: Read, key: Text = "") -> Outlook:
    """One budget: what was spent when, when it will be used up, and what a task costs."""
    return queries.outlook(tx, budget_id, key=key)


@router.post("/{budget_id}/remove", status_code=204)
def remove_budget(budget_id: str, why: Why, tx: Write) -> None:
    """Stop counting against a budget."""
    commands.remove_budget(tx, budget_id, reason=why.reason)
