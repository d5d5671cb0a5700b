"""What a release has to go through, with every number it is decided by.

The plan is stored with the release and covered by its approvals. Every number has a default;
a lower one has to be stated, and is shown.
"""

from dataclasses import dataclass
from datetime import timedelta

from opsroom.evals.comparison import Role
from opsroom.evals.gate import GateRules
from opsroom.evals.model import Scale
from opsroom.evidence import Direction
from opsroom.kit.wire import Wire

from .errors import BadPlan

RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule(Wire):
    """How one metric of live and shadow traffic counts.

    `margin` is the loss that we agree to tolerate, in the metric's own unit (0.02 is two
    points of a rate). A guardrail with margin 0 breaks when the candidate is worse at all.
    Where a metric `must_have_data`, more than `max_missing` of an arm without a value stops
    the release: what is not reported may be what went wrong.
    """

    metric: str
    scale: Scale = Scale.BINARY
    direction: Direction = Direction.HIGHER
    margin: float = 0.0
    role: Role = Role.GUARDRAIL
    must_have_data: bool = True
    max_missing: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan(Wire):
    """The measurement on a dataset that the candidate has to pass before anything else.

    Both versions are measured as evals.Measurement says, and compared under `rules`. Dataset
    and evaluators are pinned to exact versions when the release starts, and so are the
    `regressions`: datasets that have to stay right. Left out, they are all that guard the
    artifact; an empty list leaves out what people corrected, for all to see.
    """

    dataset: str
    rules: GateRules
    evaluators: tuple[str, ...] = ()
    split: str = ""
    variant: str = ""
    trials: int = 1
    source: str = RECORDED
    regressions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPlan(Wire):
    """How long the candidate answers beside the champion without anybody seeing it."""

    min_time: timedelta = timedelta(hours=48)
    min_pairs: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan(Wire):
    """How many random shadow pairs somebody else than the author judges, and what they must
    show: that at least `min_pass` of all answers are good, with exact one-sided `confidence`
    (45 good ones of 50 do). A size of 0 leaves the review out.
    """

    size: int = 50
    min_pass: float = 0.8
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryStep(Wire):
    """A share of live traffic, for at least so long and so many requests to the candidate."""

    weight: float
    min_duration: timedelta = timedelta(hours=6)
    min_n: int = 600


# 2,000 requests to the candidate in all: so many show a doubled error rate of 1.5 %.
DEFAULT_STEPS = (
    CanaryStep(weight=0.05),
    CanaryStep(weight=0.25),
    CanaryStep(weight=0.5, min_n=800),
)
DEFAULT_METRICS = (
    MetricRule(metric="success", margin=0.02, role=Role.PRIMARY),
    MetricRule(metric="error", direction=Direction.LOWER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """Everything a release is decided by.

    A candidate that is no worse than the champion is rolled back by its guardrails, in the
    whole release and however often they are looked at, with a chance of `alpha` at most; one
    within its margins by its primary metrics, likewise. `alpha` is also the chance that a
    primary metric beyond its margin passes. `split_alpha` is the chance that a sound split
    is taken for a broken one.
    """

    gate: GatePlan | None = None
    shadow: ShadowPlan = ShadowPlan()
    sample: SamplePlan = SamplePlan()
    steps: tuple[CanaryStep, ...] = DEFAULT_STEPS
    metrics: tuple[MetricRule, ...] = DEFAULT_METRICS
    alpha: float = 0.05
    split_alpha: float = 0.001

    @property
    def guardrails(self) -> tuple[MetricRule, ...]:
        return tuple(rule for rule in self.metrics if rule.role is Role.GUARDRAIL)

    @property
    def primaries(self) -> tuple[MetricRule, ...]:
        return tuple(rule for rule in self.metrics if rule.role is Role.PRIMARY)

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric once, in the order of the rules."""
        return tuple(dict.fromkeys(rule.metric for rule in self.metrics))

    def scale(self, metric: str) -> Scale:
        return next(rule.scale for rule in self.metrics if rule.metric == metric)


LONGEST = timedelta(days=365)


def check_plan(plan: Plan) -> None:
    """Raises `BadPlan` for a plan that contradicts itself or proves nothing."""
    for wrong, why in (
        (not plan.metrics, "it watches no metric"),
        (not plan.primaries, "no metric is primary, so nothing would have to be shown"),
        (not 0 < plan.alpha <= 0.2, f"alpha {plan.alpha} is not above 0 and at most 0.2"),
        (not 0 < plan.split_alpha <= 0.05, f"split_alpha {plan.split_alpha} is not sensible"),
        (plan.shadow.min_time < timedelta(0), "the shadow time is negative"),
        (plan.shadow.min_time > LONGEST, "the shadow time is longer than a year"),
        (any(step.min_duration > LONGEST for step in plan.steps), "a step lasts over a year"),
        (plan.shadow.min_pairs < 0, "the number of shadow pairs is negative"),
        (not 0 <= plan.sample.size <= 1_000, "a sample holds 0 to 1,000 pairs"),
        (plan.sample.size > plan.shadow.min_pairs, "the sample is larger than the shadow run"),
        (not 0 < plan.sample.min_pass < 1, "min_pass lies between 0 and 1"),
        (not 0.5 <= plan.sample.confidence < 1, "confidence lies between 0.5 and 1"),
        (not plan.steps, "it has no canary step"),
        (len(plan.steps) > 20, "it has more than 20 canary steps"),
        (len(plan.metrics) > 20, "it watches more than 20 metrics"),
    ):
        if wrong:
            raise BadPlan(why)
    _check_steps(plan.steps)
    _check_metrics(plan.metrics)


def _check_steps(steps: tuple[CanaryStep, ...]) -> None:
    before = 0.0
    for number, step in enumerate(steps, 1):
        if not before < step.weight <= 0.9:
            raise BadPlan(
                f"step {number} has weight {step.weight}; weights rise, from above 0 to 0.9 "
                "at most, because the champion has to run beside the candidate"
            )
        if step.min_n < 1 or step.min_duration < timedelta(0):
            raise BadPlan(f"step {number} needs at least 1 request and no negative time")
        before = step.weight


def _check_metrics(metrics: tuple[MetricRule, ...]) -> None:
    reading: dict[str, tuple[Scale, Direction]] = {}
    seen: set[tuple[str, Role]] = set()
    for rule in metrics:
        if not rule.metric or len(rule.metric) > 100:
            raise BadPlan("a metric has a name of 1 to 100 characters")
        if (rule.metric, rule.role) in seen:
            raise BadPlan(f"{rule.metric!r} is named twice as {rule.role.value}")
        if reading.setdefault(rule.metric, (rule.scale, rule.direction)) != (
            rule.scale,
            rule.direction,
        ):
            raise BadPlan(f"{rule.metric!r} is read in two ways")
        if rule.margin < 0 or (rule.scale is Scale.BINARY and rule.margin >= 1):
            raise BadPlan(f"the margin of {rule.metric!r} is {rule.margin}")
        if rule.role is Role.PRIMARY and rule.margin == 0:
            raise BadPlan(
                f"{rule.metric!r} is primary with a margin of 0: an equal candidate could "
                "never be shown to hold; state the loss that would be tolerable"
            )
        if not 0 <= rule.max_missing < 1:
            raise BadPlan(f"max_missing of {rule.metric!r} is {rule.max_missing}")
        seen.add((rule.metric, rule.role))
