from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class OverBudget(Conflict):
    code = "over_budget"
    text = "{0.wanted} {0.unit} do not fit into the budget of {0.scope} {0.key!r}: {0.remaining} left"
    hint = (
        "wait until holds are settled or the window is over, or raise it: `opsroom budget set`"
    )
    budget: str
    scope: str
    key: str
    unit: str
    wanted: str
    remaining: str


@dataclass(eq=False)
class ImpossibleAmount(Invalid):
    code = "impossible_amount"
    text = "{0.amount} is no amount of {0.unit}"
    hint = "give a number from 0 to 1,000,000,000,000"
    unit: str
    amount: str


@dataclass(eq=False)
class BrokenBudget(Invalid):
    code = "broken_budget"
    text = "this budget cannot be: {0.why}"
    hint = "see `opsroom budget set --help`"
    why: str


@dataclass(eq=False)
class BudgetNotFound(NotFound):
    code = "budget_not_found"
    text = "there is no budget {0.budget_id!r} in this project"
    hint = "list what there is with `opsroom budget show`"
    budget_id: str
