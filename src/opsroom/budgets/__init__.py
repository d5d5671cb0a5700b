"""Budgets: what may be spent, and holds that keep it so."""

from .errors import BrokenBudget, BudgetNotFound, ImpossibleAmount, OverBudget
from .model import (
    Budget,
    BudgetDraft,
    Hold,
    HoldState,
    Scope,
    Spender,
    Standing,
    Unit,
    deadline,
)

__all__ = [
    "BrokenBudget",
    "Budget",
    "BudgetDraft",
    "BudgetNotFound",
    "Hold",
    "HoldState",
    "ImpossibleAmount",
    "OverBudget",
    "Scope",
    "Spender",
    "Standing",
    "Unit",
    "deadline",
]
