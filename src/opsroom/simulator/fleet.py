"""Nine agents of a freight desk at work, as counts per stretch of time: quiet days, and days on
which something happens. Pure and seeded, so what should be noticed is known beforehand.

Traffic follows the office: busy mornings, a dip at noon, little at night, less at weekends. An
`Event` changes how the agents that it touches do, from its moment on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

# The share of a busy hour's traffic, by hour of the day (UTC), and by day of the week.
BY_HOUR = (
    .08, .06, .05, .05, .08, .15, .35, .65, .9, 1., 1., .92,
    .75, .85, .95, .95, .88, .7, .45, .3, .22, .18, .14, .1,
)  # fmt: skip
BY_DAY = (1.0, 1.02, 1.0, 0.98, 0.92, 0.3, 0.22)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent, and how it does on a quiet day. Rates are of its turns."""

    name: str
    purpose: str
    integration: str  # the system outside that it leans on
    model: str
    tools: tuple[str, ...]
    busiest: float  # turns in an hour at the busiest time
    failed: float
    escalated: float
    overridden: float
    confidence: float  # of 1, on average
    spread: float
    seconds: float  # the median of a turn
    cost: float  # US dollars, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to every agent on an integration, or to one agent.

    `failed` and `escalated` are added to the rates, `confidence` to the mean; `cost` and
    `seconds` multiply.
    """

    name: str
    at: datetime
    integration: str = ""
    agent: str = ""
    lasts: timedelta = timedelta(hours=12)
    failed: float = 0.0
    escalated: float = 0.0
    overridden: float = 0.0
    confidence: float = 0.0
    cost: float = 1.0
    seconds: float = 1.0
    kind: Literal["api", "input", "security", "release", "runaway"] = "api"

    def touches(self, agent: Agent) -> bool:
        return agent.name == self.agent or (
            bool(self.integration) and (agent.integration == self.integration)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What an agent did, stretch by stretch; all of one length."""

    agent: str
    begins: tuple[datetime, ...]
    turns: Counts
    failed: Counts
    escalated: Counts
    overridden: Counts
    cost: Numbers
    confidence: Numbers  # the mean of the stretch; NaN where nothing was done
    seconds: Numbers  # the median of the stretch; NaN likewise

    @property
    def automated(self) -> Counts:
        """Turns that ended well without anybody being asked."""
        return self.turns - self.failed - self.escalated


AGENTS: tuple[Agent, ...] = (
    Agent(
        name="document-reader",
        purpose="reads bills of lading, packing lists and certificates into fields",
        integration="scans",
        model="desk-large",
        tools=("fetch_scan", "store_fields"),
        busiest=420,
        failed=0.006,
        escalated=0.04,
        overridden=0.012,
        confidence=0.91,
        spread=0.07,
        seconds=3.1,
        cost=0.012,
    ),
    Agent(
        name="carrier-chooser",
        purpose="picks a carrier for a consignment from rates, transit times and history",
        integration="carriers",
        model="desk-large",
        tools=("rates_of", "history_of", "book_carrier"),
        busiest=160,
        failed=0.008,
        escalated=0.07,
        overridden=0.03,
        confidence=0.84,
        spread=0.09,
        seconds=5.2,
        cost=0.018,
    ),
    Agent(
        name="customs-classifier",
        purpose="reads a description of goods and returns the customs heading",
        integration="tariff",
        model="desk-small",
        tools=("headings_of",),
        busiest=300,
        failed=0.005,
        escalated=0.09,
        overridden=0.04,
        confidence=0.82,
        spread=0.1,
        seconds=1.1,
        cost=0.0012,
    ),
    Agent(
        name="invoice-matcher",
        purpose="matches supplier invoices with orders, and asks where they differ",
        integration="ledger",
        model="desk-large",
        tools=("order_of", "post_invoice"),
        busiest=240,
        failed=0.007,
        escalated=0.11,
        overridden=0.025,
        confidence=0.88,
        spread=0.08,
        seconds=2.6,
        cost=0.008,
    ),
    Agent(
        name="claims-handler",
        purpose="reads claims for damage and delay, and proposes what to pay",
        integration="claims",
        model="desk-large",
        tools=("claim_of", "policy_of", "settle_claim"),
        busiest=45,
        failed=0.009,
        escalated=0.3,
        overridden=0.06,
        confidence=0.76,
        spread=0.1,
        seconds=8.0,
        cost=0.03,
    ),
    Agent(
        name="quote-writer",
        purpose="drafts freight quotes; a person sends them",
        integration="carriers",
        model="desk-small",
        tools=("rates_of", "draft_quote"),
        busiest=200,
        failed=0.005,
        escalated=0.05,
        overridden=0.02,
        confidence=0.9,
        spread=0.06,
        seconds=1.4,
        cost=0.0016,
    ),
    Agent(
        name="eta-forecaster",
        purpose="says when consignments arrive, and tells customers when that changes",
        integration="positions",
        model="desk-small",
        tools=("position_of", "weather_at", "tell_customer"),
        busiest=520,
        failed=0.008,
        escalated=0.02,
        overridden=0.01,
        confidence=0.87,
        spread=0.08,
        seconds=0.9,
        cost=0.0009,
    ),
    Agent(
        name="dangerous-goods",
        purpose="checks declarations of dangerous goods against the rules of each mode",
        integration="regulations",
        model="desk-large",
        tools=("declaration_of", "rule_for", "hold_consignment"),
        busiest=60,
        failed=0.004,
        escalated=0.22,
        overridden=0.03,
        confidence=0.8,
        spread=0.09,
        seconds=6.5,
        cost=0.024,
    ),
    Agent(
        name="exception-desk",
        purpose="works on what went wrong under way: missed sailings, holds, wrong papers",
        integration="terminals",
        model="desk-large",
        tools=("status_of", "rebook", "write_to_terminal"),
        busiest=90,
        failed=0.01,
        escalated=0.25,
        overridden=0.05,
        confidence=0.74,
        spread=0.11,
        seconds=9.5,
        cost=0.034,
    ),
)
BY_NAME: Mapping[str, Agent] = {agent.name: agent for agent in AGENTS}


def traffic(agent: Agent, at: datetime) -> float:
    """How many turns an agent is given in an hour, at this moment, on average."""
    local = at.astimezone(UTC)
    here, then = BY_HOUR[local.hour], BY_HOUR[(local.hour + 1) % 24]
    part = (local.minute + local.second / 60) / 60
    return agent.busiest * (here + (then - here) * part) * BY_DAY[local.weekday()]


def series(
    agent: Agent,
    *,
    since: datetime,
    stretches: int,
    stretch: timedelta,
    seed: int,
    events: Sequence[Event] = (),
) -> Series:
    """What an agent did from `since` on, in so many stretches of time. The same seed gives the
    same days; an agent that no event touches has the same ones with and without it.
    """
    draw = np.random.default_rng([seed, *agent.name.encode()])
    begins = tuple(since + stretch * number for number in range(stretches))
    hours = stretch / timedelta(hours=1)
    expected = np.array([traffic(agent, at) for at in begins]) * hours
    # Days differ from one another more than chance alone makes them.
    days = np.array([(at - since).days for at in begins])
    mood = draw.lognormal(0.0, 0.06, size=int(days.max()) + 1 if stretches else 0)
    turns = draw.poisson(expected * mood[days]) if stretches else np.zeros(0, dtype=np.int64)
    shift = _shifts(agent, begins, events)
    fails = np.clip(agent.failed + shift.failed, 0.0, 1.0)
    left = np.maximum(1.0 - fails, 1e-9)
    failed = draw.binomial(turns, fails)
    escalated = draw.binomial(
        turns - failed, np.clip((agent.escalated + shift.escalated) / left, 0.0, 1.0)
    )
    overridden = draw.binomial(
        turns - failed, np.clip(agent.overridden + shift.overridden, 0.0, 1.0)
    )
    noise = draw.standard_normal((3, stretches))
    several = np.sqrt(np.maximum(turns, 1))
    quiet = np.where(turns > 0, 1.0, np.nan)
    mean = np.clip(agent.confidence + shift.confidence, 0.02, 0.99)
    return Series(
        agent=agent.name,
        begins=begins,
        turns=turns,
        failed=failed,
        escalated=escalated,
        overridden=overridden,
        cost=turns * agent.cost * shift.cost * np.exp(0.3 * noise[0] / several),
        confidence=quiet * np.clip(mean + agent.spread * noise[1] / several, 0.0, 1.0),
        seconds=quiet * agent.seconds * shift.seconds * np.exp(0.25 * noise[2] / several),
    )


@dataclass(slots=True)
class _Shift:
    failed: Numbers
    escalated: Numbers
    overridden: Numbers
    confidence: Numbers
    cost: Numbers
    seconds: Numbers


def _shifts(agent: Agent, begins: Sequence[datetime], events: Sequence[Event]) -> _Shift:
    size = len(begins)
    none, once = np.zeros(size), np.ones(size)
    found = _Shift(none.copy(), none.copy(), none.copy(), none.copy(), once.copy(), once.copy())
    for event in events:
        if not event.touches(agent):
            continue
        during = np.array([event.at <= at < event.at + event.lasts for at in begins])
        found.failed += during * event.failed
        found.escalated += during * event.escalated
        found.overridden += during * event.overridden
        found.confidence += during * event.confidence
        found.cost *= np.where(during, event.cost, 1.0)
        found.seconds *= np.where(during, event.seconds, 1.0)
    return found


def incidents(since: datetime) -> tuple[Event, ...]:
    """The eleven of the exam, on eleven working days after `since`: eight changes of systems
    outside, three shifts of what comes in.
    """

    def at(day: int, hour: int) -> datetime:
        return since + timedelta(days=day, hours=hour)

    return (
        Event(name="scan type removed", at=at(1, 9), integration="scans", failed=0.22),
        Event(name="rate field renamed", at=at(2, 10), integration="carriers", failed=0.35),
        Event(name="heading became required", at=at(3, 9), integration="tariff", failed=0.3),
        Event(name="amount became text", at=at(4, 11), integration="ledger", failed=0.28),
        Event(name="claim status dropped", at=at(7, 10), integration="claims", failed=0.5),
        Event(
            name="positions answer slowly",
            at=at(8, 9),
            integration="positions",
            failed=0.12,
            seconds=4.0,
        ),
        Event(name="rule path moved", at=at(9, 10), integration="regulations", failed=0.6),
        Event(name="terminal token expired", at=at(10, 9), integration="terminals", failed=0.8),
        Event(
            name="invoices from a new supplier",
            at=at(11, 9),
            agent="invoice-matcher",
            kind="input",
            escalated=0.3,
            overridden=0.08,
            confidence=-0.16,
        ),
        Event(
            name="goods described in another language",
            at=at(14, 9),
            agent="customs-classifier",
            kind="input",
            escalated=0.28,
            overridden=0.1,
            confidence=-0.2,
        ),
        Event(
            name="handwritten papers",
            at=at(15, 10),
            agent="document-reader",
            kind="input",
            escalated=0.25,
            confidence=-0.18,
            cost=1.6,
        ),
    )
