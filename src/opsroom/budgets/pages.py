"""Budgets in the browser: who will overrun and when, and how one came to where it stands."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access import ruling
from opsroom.access.http import Read, Write
from opsroom.access.rules import Action
from opsroom.kit.db import Tx
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, drawing, queries
from .errors import ImpossibleAmount
from .model import BudgetDraft, Scope, Standing, Unit

PAGE = 50
router = APIRouter(prefix="/budgets", include_in_schema=False)
NOTICES = {
    "budget_set": Notice(text="Set. It holds from the next reservation on."),
    "budget_removed": Notice(
        text="Removed. What is held on it is settled as ever.", tone="warn"
    ),
}
WINDOWS = (
    ("", "in all"),
    ("3600", "an hour"),
    ("86400", "a day"),
    ("604800", "a week"),
    ("2592000", "30 days"),
)
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A budget of the list, written out."""

    standing: Standing
    whose: str
    window: str
    word: str
    tone: Tone
    taken: str
    hard: str
    left: str
    share: float


@router.get("")
def list_page(request: Request, tx: Read, after: Text = "") -> Response:
    """Every budget: what is taken, what is left."""
    found = queries.standings(tx, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return _pages(request).render(
        request,
        "budgets/list.html",
        rows=[_row(one) for one in shown],
        after=after,
        next=shown[-1].budget.id if len(found) > PAGE else "",
        scopes=[(one.value, drawing.scope(one)) for one in Scope],
        units=[(one.value, one.value) for one in Unit],
        windows=WINDOWS,
        project=tx.project,
        barred="" if "operate" in tx.actor.may else ruling.lacking("operate"),
    )


@router.get("/{budget_id}")
def show_page(request: Request, budget_id: str, tx: Read, key: Text = "") -> Response:
    """One budget: its burn-down, when it will be used up, and what a task costs."""
    found = queries.outlook(tx, budget_id, key=key)
    unit = found.standing.budget.unit
    costs = found.tasks
    return _pages(request).render(
        request,
        "budgets/show.html",
        row=_row(found.standing),
        outlook=found,
        burn=drawing.burn(found, now=tx.now),
        expected=drawing.expected(found.forecast, found.standing),
        tasks=None
        if costs is None
        else {
            name: drawing.amount(unit, getattr(costs, name))
            for name in ("median", "p95", "mean")
        },
        others=[_row(one) for one in found.others],
        per_action=drawing.amount(unit, found.standing.settled / found.standing.actions)
        if found.standing.actions
        else "",
        barred=ruling.why_not(tx, Action.OPERATE, commands.thing(found.standing.budget)),
    )


@router.post("")
def set_page(
    request: Request,
    tx: Write,
    scope: Annotated[Scope, Form()],
    key: Word,
    unit: Annotated[Unit, Form()],
    hard: Word,
    soft: Word = "",
    window: Word = "",
) -> Response:
    """Set a budget, or change the limits of the one that is there."""
    draft = BudgetDraft(
        scope=scope,
        key=_key(tx, scope, key.strip()),
        unit=unit,
        hard=_amount(unit, hard),
        soft=_amount(unit, soft) if soft.strip() else None,
        window=timedelta(seconds=int(window)) if window.isdecimal() else None,
    )
    made = commands.set_budget(tx, draft)
    return _pages(request).redirect(f"/budgets/{made.id}", notice="budget_set")


@router.post("/{budget_id}/remove")
def remove_page(
    request: Request,
    budget_id: str,
    tx: Write,
    reason: Annotated[str, Form(max_length=2000, pattern=r"\S")],
) -> Response:
    commands.remove_budget(tx, budget_id, reason=reason.strip())
    return _pages(request).redirect("/budgets", notice="budget_removed")


def _row(standing: Standing) -> Row:
    budget, taken = standing.budget, standing.held + standing.settled
    word, tone = drawing.state(standing)
    return Row(
        standing=standing,
        whose=drawing.whose(budget, standing.key),
        window=drawing.window(budget),
        word=word,
        tone=tone,
        taken=drawing.amount(budget.unit, taken),
        hard=drawing.amount(budget.unit, budget.hard),
        left=drawing.amount(budget.unit, standing.remaining),
        share=float(taken / budget.hard) if budget.hard else 1.0,
    )


def _key(tx: Tx, scope: Scope, key: str) -> str:
    """What people write: a contract by its name, the organisation by nothing."""
    if scope is Scope.ORG and not key:
        return tx.project
    if scope is Scope.CONTRACT and key != "*" and not key.startswith("contract/"):
        return f"contract/{key}"
    return key


def _amount(unit: Unit, text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", ""))
    except InvalidOperation as error:
        raise ImpossibleAmount(unit.value, repr(text[:40])) from error


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
