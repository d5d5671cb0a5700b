"""Cost against plan: what agents cost by their traces, and what budgets say that they may.

The plan is the one of the overview (budgets in US dollars, each for as much of a week as its
window is), taken for as long as the report is about.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from opsroom.budgets import queries as budgets
from opsroom.budgets.model import EACH, Budget, Scope
from opsroom.evidence import Moments
from opsroom.evidence.means import mean_sequence
from opsroom.kit.db import Tx
from opsroom.overview.costs import WEEK, Plan, plan
from opsroom.traces.queries import Reads
from opsroom.traces.spending import Spent, spent

from .model import Ask, Column, Fact, Found, Mean, Record, Row, Shape, amount

COLUMNS = (
    Column(key="agent", title="Agent"),
    Column(key="traces", title="Traces", shape=Shape.COUNT),
    Column(key="cost", title="Cost", shape=Shape.USD),
    Column(key="plan", title="Planned", shape=Shape.USD),
    Column(key="difference", title="Cost less plan", shape=Shape.USD),
    Column(key="each", title="Cost of a trace", shape=Shape.MEAN),
    Column(key="unpriced", title="Calls of unknown price", shape=Shape.COUNT),
)
NOTES: tuple[str, ...] = (
    (
        "The plan is what budgets in US dollars allow in this time: of the organisation, or where it"
        " has none of agents, else of teams. Only the cost of agents that it covers is held against"
        " it, and an agent's own row against its own budget."
    ),
    (
        "What a trace costs is a mean with an interval that holds however often one looks. Calls of"
        " unknown price are counted, and cost nothing here."
    ),
)
MOST_BUDGETS = 500
MOST_NAMED = 10


def look(tx: Tx, ask: Ask, telemetry: Reads | None) -> Found:
    """Agents, the one that cost most first. Raises `TelemetryUnavailable`."""
    if telemetry is None:
        return Found(rows=(), notes=("Nothing here reads telemetry, so no cost is known.",))
    found = {
        agent: windows[0]
        for agent, windows in spent(telemetry, tx.project, [(ask.since, ask.until)]).items()
        if 0 in windows and ask.agent in {"", agent}
    }
    every = [one.budget for one in budgets.standings(tx, limit=MOST_BUDGETS + 1)]
    set_ = every[:MOST_BUDGETS]
    planned = {one.key for one in set_ if one.scope is Scope.AGENT and one.key != EACH}
    for agent in planned if not ask.agent else planned & {ask.agent}:
        found.setdefault(agent, Spent())  # planned for, and cost nothing
    span = ask.until - ask.since
    rows = [_row(agent, one, _mine(set_, agent), span) for agent, one in found.items()]
    rows.sort(key=lambda one: (-Decimal(str(one.cells["cost"])), str(one.cells["agent"])))
    total = sum((_usd(one.usd) for one in found.values()), start=Decimal(0))
    whole = plan(_mine(set_, ask.agent) if ask.agent else set_, found)
    notes = list(NOTES)
    if whole is not None:
        notes += _outside(whole, [str(row.cells["agent"]) for row in rows])
    if len(every) > MOST_BUDGETS:
        notes.append(f"Only the {MOST_BUDGETS} oldest budgets were read for the plan.")
    if len(rows) > ask.limit:
        notes.append(f"The {ask.limit} agents that cost most are shown; the sum is over all.")
    return Found(rows=rows[: ask.limit], facts=_facts(total, whole, span, found), notes=notes)


def _outside(whole: Plan, agents: Sequence[str]) -> list[str]:
    """Whose cost is not held against the plan."""
    rest = [agent for agent in agents if not whole.covers(agent)]
    if not rest:
        return []
    if not whole.covered:
        return ["The plan is of teams, which traces do not name: no cost is held against it."]
    more = f" and {len(rest) - MOST_NAMED} others" if len(rest) > MOST_NAMED else ""
    return [
        f"Not held against the plan, for no budget covers it: {', '.join(rest[:MOST_NAMED])}{more}."
    ]


def _facts(
    total: Decimal, week: Plan | None, span: timedelta, found: dict[str, Spent]
) -> list[Fact]:
    facts = [Fact(name="cost", value=amount(total), shape=Shape.USD)]
    if week is None:
        facts.append(
            Fact(name="planned", value="no budget in US dollars says so", shape=Shape.TEXT)
        )
    else:
        whole = week.usd * Decimal(span / WEEK)
        facts.append(Fact(name="planned", value=amount(whole), shape=Shape.USD))
        facts += _against(whole, week, total, found)
    facts.append(Fact(name="traces", value=sum(one.traces for one in found.values())))
    facts.append(
        Fact(name="calls of unknown price", value=sum(one.unpriced for one in found.values()))
    )
    return facts


def _against(whole: Decimal, week: Plan, total: Decimal, found: dict[str, Spent]) -> list[Fact]:
    """The cost of the agents that the plan covers against it; nothing where it names nobody."""
    if week.covered is not None and not week.covered:
        return []
    covered = [_usd(one.usd) for agent, one in found.items() if week.covers(agent)]
    cost = sum(covered, start=Decimal(0))
    facts: list[Fact] = []
    if cost != total:
        facts.append(Fact(name="cost that is planned for", value=amount(cost), shape=Shape.USD))
    facts.append(Fact(name="cost less plan", value=amount(cost - whole), shape=Shape.USD))
    if whole:
        share = f"{cost / whole * 100:.1f} %"
        facts.append(Fact(name="of the plan", value=share, shape=Shape.TEXT))
    return facts


def _row(agent: str, one: Spent, mine: Sequence[Budget], span: timedelta) -> Row:
    planned, cost = _of(plan(mine), span), _usd(one.usd)
    return Row(
        cells={
            "agent": agent,
            "traces": one.traces,
            "cost": amount(cost),
            "plan": None if planned is None else amount(planned),
            "difference": None if planned is None else amount(cost - planned),
            "each": _each(one),
            "unpriced": one.unpriced,
        },
        records=(
            Record(name="agent", page=f"/agents/{agent}"),
            Record(name="traces", page=f"/traces?agent={agent}"),
            *(Record(name="budget", page=f"/budgets/{each.id}") for each in mine[:3]),
        ),
    )


def _mine(found: Sequence[Budget], agent: str) -> list[Budget]:
    """The budgets of one agent, those of every agent among them."""
    return [
        replace(one, key=agent)
        for one in found
        if one.scope is Scope.AGENT and one.key in {agent, EACH}
    ]


def _of(week: Plan | None, span: timedelta) -> Decimal | None:
    return None if week is None else week.usd * Decimal(span / WEEK)


def _each(one: Spent) -> Mean | None:
    if not one.traces:
        return None
    mean = one.usd / one.traces
    spread = max(one.squares - one.traces * mean * mean, 0.0)
    variance = spread / (one.traces - 1) if one.traces > 1 else 0.0
    found = mean_sequence(Moments(n=one.traces, mean=mean, variance=variance))
    low, high = (max(found.low, 0.0), found.high) if found else (None, None)
    return Mean(mean=mean, n=one.traces, low=low, high=high)


def _usd(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.000001"))
