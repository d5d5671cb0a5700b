"""What agents cost, by day, against the week before and against what was planned.

The plan is the budgets in US dollars: the organisation's, or where it has none those of agents,
else of teams, each counted for as much of a week as its window is. Only the cost of agents that
it covers is held against it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from opsroom.budgets.model import EACH, Budget, Scope
from opsroom.traces.queries import Reads
from opsroom.traces.spending import spent

DAYS = 14
WEEK = timedelta(days=7)
MOST_AGENTS = 5
UP = Decimal("1.2")  # the seeds' limit: 20 % more than in the week before


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a week may cost, in US dollars, and the agents that are `covered`: None for all of
    them. A plan of teams covers nobody by name, for traces do not say who is of which team.
    """

    usd: Decimal
    covered: frozenset[str] | None

    def covers(self, agent: str) -> bool:
        return self.covered is None or agent in self.covered


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """US dollars of the last seven days, of the seven before, and of each of the last fourteen
    days, oldest first. `agents` are those that cost most in the last seven, `each` is all of them.
    """

    week: Decimal
    before: Decimal
    days: tuple[float, ...]
    agents: tuple[tuple[str, Decimal], ...]
    each: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])

    def used(self, planned: Plan) -> Decimal | None:
        """What the covered agents cost in the last seven days; None where nobody is named."""
        if planned.covered is None:
            return self.week
        covered = [usd for agent, usd in self.each.items() if planned.covers(agent)]
        return sum(covered, start=Decimal(0)) if planned.covered else None

    @property
    def change(self) -> Decimal | None:
        """How much more than in the week before, as a share; None where there was nothing."""
        return self.week / self.before - 1 if self.before else None

    @property
    def risen(self) -> bool:
        """Whether it is as much more as an alert would be about."""
        return bool(self.before) and self.week >= UP * self.before


def costs(store: Reads, project: str, *, now: datetime) -> Costs:
    """What agents cost, from their traces. Raises `TelemetryUnavailable`."""
    ends = [now - timedelta(days=back) for back in range(DAYS)]
    found = spent(store, project, [(end - timedelta(days=1), end) for end in ends])
    by_day = [
        sum(windows[day].usd for windows in found.values() if day in windows)
        for day in range(DAYS)
    ]
    by_agent = {
        agent: sum(one.usd for day, one in windows.items() if day < WEEK.days)
        for agent, windows in found.items()
    }
    most = sorted(by_agent.items(), key=lambda one: (-one[1], one[0]))[:MOST_AGENTS]
    return Costs(
        week=_usd(sum(by_day[: WEEK.days])),
        before=_usd(sum(by_day[WEEK.days :])),
        days=tuple(by_day[::-1]),
        agents=tuple((agent, _usd(usd)) for agent, usd in most if usd),
        each={agent: _usd(usd) for agent, usd in by_agent.items()},
    )


def plan(budgets: Sequence[Budget], agents: Collection[str] = ()) -> Plan | None:
    """What a week may cost by budgets in dollars, a budget of each agent counted for these; None
    where none says so.
    """
    org, teams = (
        [one for one in budgets if one.scope is scope and one.key != EACH]
        for scope in (Scope.ORG, Scope.TEAM)
    )
    own = [
        replace(one, key=key)
        for one in budgets
        if one.scope is Scope.AGENT
        for key in (agents if one.key == EACH else [one.key])
    ]
    if org:
        return Plan(usd=_sum(org), covered=None)
    if own:
        return Plan(usd=_sum(own), covered=frozenset(one.key for one in own))
    return Plan(usd=_sum(teams), covered=frozenset()) if teams else None


def _sum(found: Sequence[Budget]) -> Decimal:
    return sum((_of_a_week(one) for one in _tightest(found)), start=Decimal(0))


def _tightest(found: Sequence[Budget]) -> Sequence[Budget]:
    """For each key the budget that leaves least of a week."""
    least: dict[str, Budget] = {}
    for one in found:
        if one.key not in least or _of_a_week(one) < _of_a_week(least[one.key]):
            least[one.key] = one
    return list(least.values())


def _of_a_week(one: Budget) -> Decimal:
    assert one.window is not None
    return one.hard * Decimal(WEEK / one.window)


def _usd(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(Decimal("0.000001"))
