"""What may be spent: budgets, and holds on them. No I/O.

The invariant, under any concurrency and any crash: settled + held ≤ hard limit. The one thing
that may pass it is the truth: an action that cost more than was held for it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from opsroom.kit.wire import Wire

from .errors import BrokenBudget, ImpossibleAmount

EACH = "*"
LARGEST = Decimal(10) ** 12
FINEST = Decimal("0.000000001")
NOTHING = Decimal(0)
# Windows start where people's do: at midnight UTC, and on Mondays.
ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=400)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", re.ASCII)
_CONTRACT = re.compile(r"contract/[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)


class Scope(StrEnum):
    """Whose spending a budget bounds. Keys: organisation or team name, `agent`, session id,
    turn id, `contract/name`; `*` stands for each of that scope (each turn, each session …).

    The organisation is the project.
    """

    ORG = "org"
    TEAM = "team"
    AGENT = "agent"
    SESSION = "session"
    TURN = "turn"
    CONTRACT = "contract"


class Unit(StrEnum):
    USD = "usd"
    TOKENS = "tokens"
    CALLS = "calls"
    SECONDS = "seconds"


class HoldState(StrEnum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetDraft(Wire):
    """A budget to be set. There is one for each scope, key, unit and window."""

    scope: Scope
    key: str
    unit: Unit
    hard: Decimal
    soft: Decimal | None = None
    window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Wire):
    """So much of `unit` per `window` (None: ever). Above `soft` it warns, above `hard` nothing
    more is reserved.
    """

    id: str
    scope: Scope
    key: str
    unit: Unit
    hard: Decimal
    soft: Decimal | None = None
    window: timedelta | None = None
    created_at: datetime
    created_by: str
    revision: int = 1

    @property
    def ref(self) -> str:
        return f"budget/{self.id}"

    def since(self, now: datetime) -> datetime:
        """When the window that `now` lies in began; the beginning of all windows for none."""
        if self.window is None:
            return ORIGIN
        return ORIGIN + (now - ORIGIN) // self.window * self.window


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender(Wire):
    """Who spends: what a reservation is charged to, at every scope that has a budget."""

    agent: str
    turn: str = ""
    session: str = ""
    contract: str = ""
    team: str = ""

    def keys(self, org: str) -> dict[Scope, str]:
        """What this spender is called in each scope; a version of a contract is its contract."""
        named = {
            Scope.ORG: org,
            Scope.TEAM: self.team,
            Scope.AGENT: self.agent,
            Scope.SESSION: self.session,
            Scope.TURN: self.turn,
            Scope.CONTRACT: self.contract.partition("@")[0],
        }
        return {scope: key for scope, key in named.items() if key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Wire):
    """An amount set aside before something is done, until it is settled or released.

    `key` and `since` name the counter of the budget that it stands in.
    """

    id: str
    action: str
    budget: str
    unit: Unit
    key: str
    since: datetime
    amount: Decimal
    state: HoldState = HoldState.HELD
    settled: Decimal | None = None
    created_at: datetime
    expires_at: datetime

    @property
    def over(self) -> Decimal:
        """By how much more was spent than had been set aside."""
        return max((self.settled or NOTHING) - self.amount, NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What is held and settled of one budget, for one key, in one window."""

    budget: str
    key: str
    since: datetime
    held: Decimal = NOTHING
    settled: Decimal = NOTHING
    actions: int = 0
    warned: bool = False
    refused: bool = False

    @property
    def place(self) -> tuple[str, datetime, str]:
        """In this order counters are locked, by everybody."""
        return self.budget, self.since, self.key

    @property
    def taken(self) -> Decimal:
        return self.held + self.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """Where a budget stands in its present window."""

    budget: Budget
    key: str
    held: Decimal
    settled: Decimal
    since: datetime | None
    actions: int = 0

    @property
    def remaining(self) -> Decimal:
        return self.budget.hard - self.held - self.settled

    @property
    def ends_at(self) -> datetime | None:
        window = self.budget.window
        return None if self.since is None or window is None else self.since + window

    @property
    def soft_passed(self) -> bool:
        return passes_soft(self.budget, self.held + self.settled)

    @property
    def used_up(self) -> bool:
        return self.remaining <= 0


def fits(budget: Budget, counter: Counter, amount: Decimal) -> bool:
    """Whether `amount` more may be set aside. Nothing always fits, also into what is used up."""
    return amount == 0 or counter.taken + amount <= budget.hard


def passes_soft(budget: Budget, taken: Decimal) -> bool:
    return budget.soft is not None and taken > budget.soft


def amount_of(unit: Unit, value: Decimal) -> Decimal:
    """`value`, rounded up to what is kept: nine places.

    Raises `ImpossibleAmount` for what is negative, not a number, infinite or absurdly large.
    """
    if not value.is_finite() or not 0 <= value <= LARGEST:
        raise ImpossibleAmount(unit.value, str(value)[:40])
    return value.quantize(FINEST, rounding=ROUND_CEILING).normalize() + NOTHING


def amounts_of(amounts: Mapping[Unit, Decimal]) -> dict[Unit, Decimal]:
    return {unit: amount_of(unit, value) for unit, value in amounts.items()}


def checked(draft: BudgetDraft, *, org: str) -> BudgetDraft:
    """The draft, if there can be such a budget. Raises `BrokenBudget` or `ImpossibleAmount`."""
    hard = amount_of(draft.unit, draft.hard)
    soft = None if draft.soft is None else amount_of(draft.unit, draft.soft)
    if soft is not None and soft > hard:
        raise BrokenBudget("its soft limit lies above its hard one")
    if draft.window is not None and not SHORTEST <= draft.window <= LONGEST:
        raise BrokenBudget("a window lasts from one minute to 400 days")
    if draft.window is not None and draft.window % timedelta(seconds=1):
        raise BrokenBudget("a window lasts whole seconds")
    if draft.key != EACH:
        _check_key(draft, org)
    return BudgetDraft(
        scope=draft.scope,
        key=draft.key,
        unit=draft.unit,
        hard=hard,
        soft=soft,
        window=draft.window,
    )


def deadline(
    now: datetime,
    *,
    timeout: timedelta,
    turn: datetime | None = None,
    seconds: Decimal | None = None,
) -> datetime | None:
    """Until when the next action may take; None when there is no time left for it.

    `timeout` is what its contract grants, `turn` when the whole turn has to be over, and
    `seconds` what the budgets in seconds have left. The nearest of them counts, so that a
    turn's deadline reaches every call that is made on its behalf.
    """
    ends = [now + timeout]
    if turn is not None:
        ends.append(turn)
    if seconds is not None:
        ends.append(now + timedelta(seconds=float(min(seconds, LARGEST / 1000))))
    nearest = min(ends)
    return nearest if nearest > now else None


def _check_key(draft: BudgetDraft, org: str) -> None:
    match draft.scope:
        case Scope.ORG if draft.key != org:
            raise BrokenBudget(f"the organisation here is {org!r}")
        case Scope.CONTRACT if _CONTRACT.fullmatch(draft.key) is None:
            raise BrokenBudget("the key of a contract reads contract/NAME, without a version")
        case Scope.CONTRACT:
            return
        case _ if _NAME.fullmatch(draft.key) is None:
            raise BrokenBudget("a key is a name or an id, or * for each")
        case _:
            return
