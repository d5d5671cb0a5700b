"""Two versions on the same items, metric by metric.

Items meet only where their content hash is equal. A result that is an error, or a score that
could not be given, is a hole: it is counted, and never read as a pass or a fail.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from math import sqrt
from statistics import NormalDist, fmean, stdev
from typing import Annotated

from pydantic import Discriminator, Field

from opsroom.evidence import BinaryComparison, Direction, NumericComparison, OutOfRange, Verdict
from opsroom.evidence import verdict as verdict_of
from opsroom.evidence.judged import Seen
from opsroom.evidence.paired import compare_binary, count_pairs
from opsroom.kit.canonical import canonical, sha256
from opsroom.kit.wire import Wire

from .errors import BadRules, DifferentEvaluators, NotBinary, NothingInCommon, NotMeasured
from .limits import Limited, limited
from .model import MEASURED, Result, Scale
from .trust import JudgeEvidence, JudgeOf, Split, split

DEFAULT_ALPHA = 0.05
AnyComparison = Annotated[BinaryComparison | NumericComparison, Discriminator("kind")]
_ALWAYS = frozenset(metric.name for metric in MEASURED)


class Role(StrEnum):
    """A primary metric has to be shown to hold; a guardrail only must not break."""

    PRIMARY = "primary"
    GUARDRAIL = "guardrail"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule(Wire):
    """How one metric counts.

    `margin` is the loss that we agree to tolerate, in the metric's own unit: 0.05 is five
    points of a rate, or five hundredths of a second. With 0 a primary passes only when the
    candidate is better. `alpha` is two-sided: the interval has the level 1 − alpha. With `limit`
    the candidate's own rate must be shown to keep it too: at most that where less is better,
    else at least that.
    """

    metric: str
    margin: float
    direction: Direction = Direction.HIGHER
    role: Role = Role.PRIMARY
    alpha: float = DEFAULT_ALPHA
    scale: Scale = Scale.BINARY
    # Left out of the digest where there is none, so that rules from before it are the same.
    limit: Annotated[float | None, Field(exclude_if=lambda one: one is None)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison(Wire):
    """What one metric says about the candidate, B, against the baseline, A.

    `comparison` is None where there were too few pairs to compute anything, which is
    undecided. `power` is the chance that an equal candidate would have passed on so many
    pairs, and `needed` the pairs that give the chance the rules ask for; both are None where
    no number of pairs would do (a margin of 0). `judge` is there where a judge gives the
    metric: then difference, interval and verdict are corrected for its known error, and the
    rates are as it said. `limit` is there where the rule states one.
    """

    metric: str
    role: Role
    scale: Scale
    pairs: int
    missing_a: int
    missing_b: int
    missing_share: float
    verdict: Verdict
    comparison: AnyComparison | None
    power: float | None
    needed: int | None
    judge: Annotated[JudgeEvidence | None, Field(exclude_if=lambda one: one is None)] = None
    limit: Annotated[Limited | None, Field(exclude_if=lambda one: one is None)] = None


class Arm:
    """One side of a comparison: a version, and its results by item content.

    All four names are part of the evidence: `name` is the citation people read, the others
    are digests of the version, the dataset version and the set of evaluators.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str,
        dataset: str,
        evaluators: str,
        results: Iterable[Result],
    ) -> None:
        self.name = name
        self.version = version
        self.dataset = dataset
        self.evaluators = evaluators
        grouped: dict[str, list[Result]] = {}
        for result in results:
            grouped.setdefault(result.item, []).append(result)
        self.results: Mapping[str, Sequence[Result]] = grouped

    @cached_property
    def digest(self) -> str:
        """Names all values of all results, whatever order they came in."""
        lines = [
            canonical(
                [
                    one.item,
                    one.trial,
                    one.output_digest,
                    one.error is not None,
                    {name: one.value(name) for name in (*one.scores, *sorted(_ALWAYS))},
                ]
            )
            for results in self.results.values()
            for one in results
        ]
        return sha256(b"\n".join(sorted(lines)))

    @property
    def errors(self) -> int:
        return sum(one.error is not None for some in self.results.values() for one in some)

    @property
    def first_id(self) -> str:
        """The id of some item, to recognise the dataset by."""
        ids = sorted(some[0].item_id for some in self.results.values())
        return repr(ids[0]) if ids else "none"


def common_items(a: Arm, b: Arm) -> list[str]:
    """The content hashes both sides answered, in one fixed order.

    Raises `DifferentEvaluators`, for what was measured with two sticks has no difference,
    and `NothingInCommon`, with the first ids of both sides.
    """
    if a.evaluators != b.evaluators:
        raise DifferentEvaluators(a.name, b.name)
    common = sorted(a.results.keys() & b.results.keys())
    if not common:
        raise NothingInCommon(
            a.name, len(a.results), a.first_id, b.name, len(b.results), b.first_id
        )
    return common


@dataclass(frozen=True, slots=True)
class Paired:
    """One metric of both sides on the items where both have it, and what was missing."""

    rule: MetricRule
    a: list[float]
    b: list[float]
    repeated: bool
    missing_a: int
    missing_b: int
    missing_share: float
    judged: Split | None = None
    _known: dict[float, BinaryComparison | NumericComparison | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def pairs(self) -> int:
        return len(self.a)

    def compare(self, level: float) -> BinaryComparison | NumericComparison | None:
        """The comparison at that confidence, or None where there is too little to compute.

        Yes-or-no metrics answered once per item take the exact paired test; repeated trials
        are averaged within their item first, because they are not items of their own.
        """
        if level not in self._known:
            self._known[level] = self._compare(level)
        return self._known[level]

    def _compare(self, level: float) -> BinaryComparison | NumericComparison | None:
        found = self._seen(self.a, self.b, level)
        if found is None or self.judged is None or not self.judged.trusted:
            return found

        def see(a: Sequence[float], b: Sequence[float]) -> Seen | None:
            return as_seen(self._seen(a, b, level))

        true, rule = self.judged.corrected(see, level), self.rule
        return replace(
            found,
            difference=true.difference,
            interval=true.interval,
            verdict=verdict_of(
                true.interval, direction=rule.direction, margin=rule.margin, p=found.p
            ),
        )

    def _seen(
        self, a: Sequence[float], b: Sequence[float], level: float
    ) -> BinaryComparison | NumericComparison | None:
        """What the values say, taken at their word."""
        rule = self.rule
        if rule.scale is Scale.BINARY and not self.repeated:
            if not a:
                return None
            counts = count_pairs([x == 1 for x in a], [x == 1 for x in b])
            return compare_binary(
                counts, direction=rule.direction, margin=rule.margin, level=level
            )
        if len(a) < 2:
            return None
        from opsroom.evidence.numeric import compare_numeric  # noqa: PLC0415  # scipy: 0.3 s

        return compare_numeric(a, b, direction=rule.direction, margin=rule.margin, level=level)

    def verdict(self, level: float) -> Verdict:
        found = self.compare(level)
        return Verdict.UNDECIDED if found is None else found.verdict

    def report(self, level: float, power: float) -> MetricComparison:
        """Everything there is to say about the metric at that confidence."""
        found = self.compare(level)
        reached, needed = _power(self, found, level=level, power=power)
        return MetricComparison(
            metric=self.rule.metric,
            role=self.rule.role,
            scale=self.rule.scale,
            pairs=self.pairs,
            missing_a=self.missing_a,
            missing_b=self.missing_b,
            missing_share=self.missing_share,
            verdict=Verdict.UNDECIDED if found is None else found.verdict,
            comparison=found,
            power=reached,
            needed=needed,
            judge=self._judge(level),
            limit=self._limit(level),
        )

    def _limit(self, level: float) -> Limited | None:
        rule = self.rule
        if rule.limit is None or not self.b:
            return None
        return limited(self.b, limit=rule.limit, direction=rule.direction, level=level)

    def _judge(self, level: float) -> JudgeEvidence | None:
        if self.judged is None:
            return None
        seen = self._seen(self.a, self.b, level) if self.judged.trusted else None
        return self.judged.evidence(as_seen(seen))


def as_seen(found: BinaryComparison | NumericComparison | None) -> Seen | None:
    """The difference of a comparison and its interval, where there is one."""
    if found is None:
        return None
    return Seen(difference=found.difference, interval=found.interval)


def pair(
    a: Arm, b: Arm, rule: MetricRule, common: Sequence[str], judge: JudgeOf | None = None
) -> Paired:
    """Bring both sides of one metric together on `common` items.

    Where both sides cite the same dataset, an item that only one of them answered is missing
    on the other. Raises `NotMeasured` where a side never measured the metric, `NotBinary`.
    """
    for arm in (a, b):
        _check_measured(arm, rule.metric)
    left: list[float] = []
    right: list[float] = []
    both: list[str] = []
    repeated = False
    answers_a = answers_b = missing_a = missing_b = 0
    for item in common:
        values_a = _values(a.results[item], rule)
        values_b = _values(b.results[item], rule)
        answers_a += len(a.results[item])
        answers_b += len(b.results[item])
        missing_a += len(a.results[item]) - len(values_a)
        missing_b += len(b.results[item]) - len(values_b)
        if values_a and values_b:
            repeated = repeated or len(values_a) > 1 or len(values_b) > 1
            both.append(item)
            left.append(fmean(values_a))
            right.append(fmean(values_b))
    if a.dataset == b.dataset:
        absent_a = len(b.results) - len(common)
        absent_b = len(a.results) - len(common)
        answers_a, missing_a = answers_a + absent_a, missing_a + absent_a
        answers_b, missing_b = answers_b + absent_b, missing_b + absent_b
    return Paired(
        rule=rule,
        a=left,
        b=right,
        repeated=repeated,
        missing_a=missing_a,
        missing_b=missing_b,
        missing_share=max(missing_a / answers_a, missing_b / answers_b),
        judged=None if judge is None else split(judge, both, left, right),
    )


def compare(a: Arm, b: Arm, rule: MetricRule, *, power: float = 0.8) -> MetricComparison:
    """One metric on its own, at the level its rule states."""
    check_rule(rule)
    return pair(a, b, rule, common_items(a, b)).report(1 - rule.alpha, power)


def check_rule(rule: MetricRule) -> None:
    """Raises `BadRules`."""
    if not 0 <= rule.margin < float("inf"):
        raise BadRules(f"the margin of {rule.metric!r} is {rule.margin}")
    if rule.scale is Scale.BINARY and rule.margin >= 1:
        raise BadRules(f"the margin of {rule.metric!r} is {rule.margin}; 0.05 is five points")
    if rule.limit is not None and not (rule.scale is Scale.BINARY and 0 <= rule.limit <= 1):
        raise BadRules(f"the limit of {rule.metric!r} is {rule.limit}; limits are of rates")
    if not 0 < rule.alpha <= 0.5:
        raise BadRules(f"the alpha of {rule.metric!r} is {rule.alpha}, not in 0 to 0.5")


def _check_measured(arm: Arm, metric: str) -> None:
    if metric in _ALWAYS:
        return
    answered = [one for some in arm.results.values() for one in some if one.error is None]
    if answered and not any(metric in one.scores for one in answered):
        known = sorted({name for one in answered for name in one.scores})
        raise NotMeasured(metric, arm.name, ", ".join(repr(name) for name in known) or "none")


def _values(results: Sequence[Result], rule: MetricRule) -> list[float]:
    values = [value for one in results if (value := one.value(rule.metric)) is not None]
    if rule.scale is Scale.BINARY:
        for value in values:
            if value not in {0.0, 1.0}:
                raise NotBinary(rule.metric, results[0].item_id, value)
    return values


def _power(
    paired: Paired,
    found: BinaryComparison | NumericComparison | None,
    *,
    level: float,
    power: float,
) -> tuple[float | None, int | None]:
    """The chance of an equal candidate on these pairs, and the pairs for the chance asked for."""
    margin = paired.rule.margin
    if found is None or margin == 0:
        return None, None
    if paired.judged is not None and paired.judged.trusted:
        margin *= paired.judged.informedness  # that much of a loss is what the judge would see
    from opsroom.evidence import power as sizes  # noqa: PLC0415  # scipy: 0.3 s

    try:
        if isinstance(found, BinaryComparison):
            discordant = min((found.only_a + found.only_b) / found.pairs, 1 - 1e-6)
            return (
                sizes.paired_power(
                    found.pairs, discordant=discordant, margin=margin, level=level
                ),
                sizes.pairs_needed(
                    discordant=discordant, margin=margin, level=level, power=power
                ),
            )
        deviation = stdev(y - x for x, y in zip(paired.a, paired.b, strict=True))
        if deviation == 0:
            return 1.0, 2
        z = NormalDist().inv_cdf((1 + level) / 2)
        reached = NormalDist().cdf(margin * sqrt(found.pairs) / deviation - z)
        needed = sizes.pairs_needed_mean(
            deviation=deviation, margin=margin, level=level, power=power
        )
    except OutOfRange:
        return None, None  # no number of pairs within reason would do
    return reached, needed
