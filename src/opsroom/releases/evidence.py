"""What is known about a release when it is decided: counts, and nothing that is not stored.

`champion` and `challenger` are the arms; a hit is a value of 1 of a binary metric.
"""

from dataclasses import dataclass, field

from opsroom.evals.gate import Outcome
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Wire):
    """One metric on one arm: `n` values, of them `hits` 1; mean and sum of squared deviations
    of a number; and how many requests came without a value.
    """

    n: int = 0
    missing: int = 0
    hits: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def with_value(self, value: float | None) -> "Counts":
        """These counts and one more request (Welford, 1962)."""
        if value is None:
            return Counts(
                n=self.n, missing=self.missing + 1, hits=self.hits, mean=self.mean, m2=self.m2
            )
        n = self.n + 1
        shift = value - self.mean
        mean = self.mean + shift / n
        return Counts(
            n=n,
            missing=self.missing,
            hits=self.hits + (value == 1),
            mean=mean,
            m2=self.m2 + shift * (value - mean),
        )

    @property
    def variance(self) -> float:
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts(Wire):
    """One arm of one leg: how many requests, and every metric that was reported for them."""

    n: int = 0
    metrics: dict[str, Counts] = field(default_factory=dict[str, Counts])

    def metric(self, name: str) -> Counts:
        return self.metrics.get(name, Counts(missing=self.n))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCounts(Wire):
    """What was observed in one leg of the canary."""

    leg: int
    step: int
    weight: float
    champion: ArmCounts = ArmCounts()
    challenger: ArmCounts = ArmCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts(Wire):
    """One metric over shadow pairs: who had the hit; mean and squares of the differences
    challenger − champion; and on which side a value was missing.
    """

    n: int = 0
    missing_champion: int = 0
    missing_challenger: int = 0
    both: int = 0
    only_champion: int = 0
    only_challenger: int = 0
    neither: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def with_pair(self, champion: float | None, challenger: float | None) -> "PairCounts":
        """These counts and one more pair; a pair with a hole is only counted as that."""
        if champion is None or challenger is None:
            return PairCounts(
                **{name: getattr(self, name) for name in _KEPT},
                missing_champion=self.missing_champion + (champion is None),
                missing_challenger=self.missing_challenger + (challenger is None),
            )
        n = self.n + 1
        shift = challenger - champion - self.mean
        mean = self.mean + shift / n
        hit, also = champion == 1, challenger == 1
        return PairCounts(
            n=n,
            missing_champion=self.missing_champion,
            missing_challenger=self.missing_challenger,
            both=self.both + (hit and also),
            only_champion=self.only_champion + (hit and not also),
            only_challenger=self.only_challenger + (also and not hit),
            neither=self.neither + (not hit and not also),
            mean=mean,
            m2=self.m2 + shift * (challenger - champion - mean),
        )

    @property
    def variance(self) -> float:
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0


_KEPT = ("n", "both", "only_champion", "only_challenger", "neither", "mean", "m2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowCounts(Wire):
    """What the present shadow run has observed."""

    pairs: int = 0
    metrics: dict[str, PairCounts] = field(default_factory=dict[str, PairCounts])

    def metric(self, name: str) -> PairCounts:
        empty = PairCounts(missing_champion=self.pairs, missing_challenger=self.pairs)
        return self.metrics.get(name, empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCounts(Wire):
    """How many pairs were drawn, how many of them people have judged, how many as good."""

    drawn: int = 0
    judged: int = 0
    good: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult(Wire):
    """What the gate said, under the digest of its verdict; empty where it could not say.

    `regressions` are the digests of the verdicts on what has to stay right, once the gate itself
    had passed; the outcome is the worst of all.
    """

    outcome: Outcome
    digest: str
    because: str
    regressions: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """What an approval of the release is bound to: every verdict."""
        return digest([self.digest, *self.regressions]) if self.regressions else self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Wire):
    """Everything a decision rests on. What is not in here is not known.

    `champion` is the version that the label names now. `legs` leaves void ones out. `looks`
    are earlier states of `legs` (the last may be the present one), at points that depended
    on the number of requests alone.
    """

    champion: int | None = None
    security_events: int = 0
    gate: GateResult | None = None
    approvals_missing: tuple[str, ...] = ("no approval is known",)
    shadow: ShadowCounts = ShadowCounts()
    sample: SampleCounts = SampleCounts()
    legs: tuple[LegCounts, ...] = ()
    looks: tuple[tuple[LegCounts, ...], ...] = ()
