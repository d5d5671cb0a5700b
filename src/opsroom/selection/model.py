"""What a scorecard is: who was compared on what, what came out, and what follows. No I/O, light.

Figures are measured or they are missing; what somebody states (a benchmark, a price, where a
model may run) carries its source and is never turned into a score. Shares lie between 0 and 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from opsroom.evidence import Interval, Verdict
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain
from opsroom.registry.model import NAME, Criticality

from .errors import BadScorecard

MOST = 8  # candidates; every pair of them is compared
LEVEL = 0.95
FLOOR = 200  # cases; fewer are said to be few
FAR = 0.10  # a benchmark that is further above what was measured is a red flag
MAX_MISSING = 0.05
MOST_TEXT = 500


class Dimension(StrEnum):
    """What counts towards the total. Each is turned so that 1 is best and 0 worst.

    fit: the metric of the task. format: answers in the form that was asked for, where no answer
    counts as none. consistency: pairs of trials of one case that came out alike. edge: the same
    metric as fit, on the edge cases. cost, latency: the part of the ceiling that is left.
    """

    FIT = "fit"
    FORMAT = "format"
    CONSISTENCY = "consistency"
    EDGE = "edge"
    COST = "cost"
    LATENCY = "latency"


SHARES = (Dimension.FIT, Dimension.FORMAT, Dimension.CONSISTENCY, Dimension.EDGE)
WEIGHTS: Mapping[Criticality, Mapping[Dimension, float]] = {
    Criticality.ADVISORY: {
        Dimension.FIT: 0.4,
        Dimension.FORMAT: 0.1,
        Dimension.CONSISTENCY: 0.05,
        Dimension.EDGE: 0.1,
        Dimension.COST: 0.2,
        Dimension.LATENCY: 0.15,
    },
    Criticality.ASSISTIVE: {
        Dimension.FIT: 0.45,
        Dimension.FORMAT: 0.1,
        Dimension.CONSISTENCY: 0.1,
        Dimension.EDGE: 0.15,
        Dimension.COST: 0.1,
        Dimension.LATENCY: 0.1,
    },
    Criticality.AUTONOMOUS: {
        Dimension.FIT: 0.4,
        Dimension.FORMAT: 0.15,
        Dimension.CONSISTENCY: 0.15,
        Dimension.EDGE: 0.2,
        Dimension.COST: 0.05,
        Dimension.LATENCY: 0.05,
    },
}


class Aspect(StrEnum):
    """What somebody may declare of a candidate: where it may run, and what it lets people see."""

    SELF_HOST = "self-host"
    ON_PREMISE = "on-premise"
    AIR_GAP = "air-gap"
    RESIDENCY = "residency"
    REASONING_TRACE = "reasoning-trace"
    AUDIT = "audit"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Wire):
    """What somebody declares, and where that is written. `value` is `yes`, `no`, or words
    (`EU` for residency).
    """

    aspect: Aspect
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Wire):
    """A figure that somebody published for this kind of task, as a share, and where."""

    name: str
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier(Wire):
    """US dollars for a million tokens, of those beyond `above` tokens in a month."""

    above: int = 0
    input: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """What a candidate is paid for, and where that is written.

    `cached_input` is what a million input tokens read from the provider's cache cost, where
    that is less. A `monthly_minimum` is what is paid anyway: a commitment, or a machine.
    """

    source: str
    tiers: tuple[Tier, ...]
    cached_input: Decimal | None = None
    per_task: Decimal = Decimal(0)
    monthly_minimum: Decimal = Decimal(0)

    @property
    def needs_volume(self) -> bool:
        """Whether what a task costs depends on how many there are."""
        return len(self.tiers) > 1 or self.monthly_minimum > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Wire):
    """A version that could do the task, as people cite it, and what is stated of it.

    `source` is `recorded`, or the configured model that is asked anew.
    """

    subject: str
    source: str = "recorded"
    plan: Plan | None = None
    benchmark: Benchmark | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Wire):
    """What is to be compared, on what, and what counts how much.

    Scorecards of one `name` are its versions. Without a `dataset` each candidate is measured on
    the one of its own name, and all have to be the same. `metric` is what fit means [the first
    of the evaluators], `format_metric` what says that an answer has the right form, `edge_split`
    the split with the edge cases. `cost_ceiling` (US dollars a task) and `latency_ceiling`
    (seconds a task) are where a task is worth nothing any more: without them, cost and latency
    are shown and do not count. `volume` is tasks a month, `cache_share` the share of input
    tokens that the provider will read from its cache. Who lacks a fact of `required` is not
    recommended.
    """

    name: str
    candidates: tuple[Candidate, ...]
    dataset: str = ""
    evaluators: tuple[str, ...] = ()
    split: str = ""
    edge_split: str = ""
    variant: str = ""
    trials: int = 1
    metric: str = ""
    format_metric: str = ""
    criticality: Criticality = Criticality.ASSISTIVE
    weights: dict[Dimension, float] = field(default_factory=dict[Dimension, float])
    cost_ceiling: Decimal | None = None
    latency_ceiling: float | None = None
    volume: int | None = None
    cache_share: Decimal = Decimal(0)
    required: tuple[Aspect, ...] = ()

    def check(self) -> None:
        """Raises `BadScorecard`."""
        for fine, why in self._rules():
            if not fine:
                raise BadScorecard(why)
        for one in self.candidates:
            _check(one, self.volume)

    def _rules(self) -> tuple[tuple[bool, str], ...]:
        subjects = [one.subject for one in self.candidates]
        weights = self.weights.values()
        latency = self.latency_ceiling
        return (
            (NAME.fullmatch(self.name) is not None, f"{self.name[:100]!r} is not a name"),
            (2 <= len(subjects) <= MOST, f"it takes 2 to {MOST} candidates"),
            (len(set(subjects)) == len(subjects), "a candidate is named twice"),
            (all(0 <= one <= 1 for one in weights), "a weight is a share from 0 to 1"),
            (not self.weights or sum(weights) > 0, "some weight has to be more than 0"),
            (
                not self.weights.get(Dimension.COST) or self.cost_ceiling is not None,
                "cost has a weight, but no ceiling says what it is worth",
            ),
            (
                not self.weights.get(Dimension.LATENCY) or latency is not None,
                "latency has a weight, but no ceiling says what it is worth",
            ),
            (self.cost_ceiling is None or self.cost_ceiling > 0, "the cost ceiling is above 0"),
            (latency is None or 0 < latency < 1e9, "the latency ceiling is above 0"),
            (self.volume is None or 0 < self.volume <= 10**9, "the volume is 1 or more"),
            (0 <= self.cache_share <= 1, "the share of cached tokens is from 0 to 1"),
            (1 <= self.trials <= 100, "trials are 1 to 100"),
        )


def _check(one: Candidate, volume: int | None) -> None:
    stated = [fact.source for fact in one.facts]
    stated += [fact.value for fact in one.facts]
    if one.benchmark is not None:
        stated += [one.benchmark.name, one.benchmark.source]
        if not 0 <= one.benchmark.value <= 1:
            raise BadScorecard(f"the benchmark of {one.subject!r} is no share from 0 to 1")
    if one.plan is not None:
        stated.append(one.plan.source)
        _check_plan(one.subject, one.plan, volume)
    if not all(text.strip() and len(text) <= MOST_TEXT for text in stated):
        raise BadScorecard(
            f"what is stated of {one.subject!r} needs a value and a source of at most "
            f"{MOST_TEXT} characters"
        )
    aspects = [fact.aspect for fact in one.facts]
    if len(set(aspects)) != len(aspects):
        raise BadScorecard(f"{one.subject!r} declares the same thing twice")


def _check_plan(subject: str, plan: Plan, volume: int | None) -> None:
    starts = [tier.above for tier in plan.tiers]
    if starts[:1] != [0] or starts != sorted(set(starts)) or len(starts) > 20:
        raise BadScorecard(f"the tiers of {subject!r} begin at 0 and rise")
    prices = [price for tier in plan.tiers for price in (tier.input, tier.output)]
    prices += [plan.cached_input or Decimal(0), plan.per_task]
    if not all(price.is_finite() and 0 <= price <= 10**6 for price in prices):
        raise BadScorecard(f"a price of {subject!r} is not a number from 0 to a million")
    if not (plan.monthly_minimum.is_finite() and 0 <= plan.monthly_minimum <= 10**12):
        raise BadScorecard(f"the monthly minimum of {subject!r} is not a number from 0")
    if plan.needs_volume and volume is None:
        raise BadScorecard(f"what {subject!r} costs depends on the volume, which is not stated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Wire):
    """A figure from `n` cases, with its interval of 95 %."""

    value: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Wire):
    """What a task costs in US dollars at the volume that was asked for, or why nobody knows.

    `low` and `high` bound it with 95 %, as far as tasks differ in size; prices are taken as
    given. `basis` says whose price it is.
    """

    per_task: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    per_million: Decimal | None = None
    monthly: Decimal | None = None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Wire):
    """The weighted total on the cases that all candidates answered. `value` counts what is not
    known as nothing; the interval lets it be anything.
    """

    value: float
    interval: Interval
    unknown: tuple[Dimension, ...] = ()


class Place(StrEnum):
    """Where a candidate stands for quality × cost × latency."""

    FRONT = "front"
    DOMINATED = "dominated"
    UNPLACED = "unplaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """What is known of one candidate, version `name`, which was `called` so. It answered `cases`,
    but all figures are of those that were put to every candidate. `flags` are red: they should stop a reader. `lacks` are
    required facts that nobody declared. `dominated_by` are at least as good in quality, cost and
    latency by their point estimates, and better in one.
    """

    name: str
    called: str
    model: str
    version: str
    run: str
    results: str
    edge_run: str = ""
    edge_results: str = ""
    cases: int
    answers: int
    errors: int
    measures: dict[Dimension, Measure]
    latency: Measure | None
    cost: Cost
    total: Total
    benchmark: Benchmark | None
    facts: tuple[Fact, ...]
    lacks: tuple[Aspect, ...]
    flags: tuple[str, ...]
    place: Place
    dominated_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast(Wire):
    """The weighted total of `a` less that of `b`, on the cases that both answered.

    The level of the interval is such that all intervals of the scorecard hold together. `a` is
    *better* or *worse*, or it is undecided.
    """

    a: str
    b: str
    pairs: int
    difference: float
    interval: Interval
    verdict: Verdict


class Outcome(StrEnum):
    RECOMMENDED = "recommended"
    UNDECIDED = "undecided"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation(Wire):
    """What follows. `among` is the one that is recommended, or those that cannot be told apart."""

    outcome: Outcome
    among: tuple[str, ...]
    says: str
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Wire):
    """What everybody was measured on, by digest; two scorecards compare only where it is equal."""

    dataset: str
    dataset_name: str
    evaluators: str
    split: str
    edge_split: str
    variant: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard(Wire):
    """A comparison of candidates for one task, best total first, and all that it rests on.

    `weights` are those that counted, adding up to 1; `left_out` were measured of nobody.
    """

    ask: Ask
    task: Task
    shared: int
    weights: dict[Dimension, float]
    left_out: tuple[Dimension, ...]
    standings: tuple[Standing, ...]
    contrasts: tuple[Contrast, ...]
    recommendation: Recommendation

    @property
    def digest(self) -> str:
        return digest(plain(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Wire):
    """A scorecard as it is kept: version `number` of its name."""

    digest: str
    name: str
    number: int
    at: datetime
    by: str
    card: Scorecard


def short(name: str) -> str:
    """`agent/airline@4` without its kind."""
    return name.rpartition("/")[2]
