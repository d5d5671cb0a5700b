"""What programs report about shadow and canary runs, and what becomes of it. No I/O."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from pydantic import JsonValue

from opsroom.evals.model import Scale
from opsroom.kit.wire import Wire

from .errors import BadObservation
from .evidence import ArmCounts, Counts, LegCounts, PairCounts, ShadowCounts
from .model import Arm
from .plan import Plan

MAX_BATCH = 1_000
MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPair(Wire):
    """One request that both versions answered; only the champion's answer was used.

    `champion` and `challenger` hold the values of the metrics, 0 or 1 for binary ones; a
    metric that could not be measured is left out. What was asked and answered is for the
    people who judge the sample, and may be left out too. `key` names the request: sent
    twice, it counts once.
    """

    key: str
    champion: dict[str, float]
    challenger: dict[str, float]
    input: JsonValue = None
    champion_output: JsonValue = None
    challenger_output: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Wire):
    """How one live request came out. `leg` is what `resolve` said with it.

    Without a `key` a subject counts once in the whole release, which is what makes requests
    independent of each other; with one, every request of a subject counts. `arm` is who
    really answered, where that may differ from what `resolve` said.
    """

    subject: str
    values: dict[str, float]
    leg: int | None = None
    key: str = ""
    arm: Arm | None = None

    @property
    def named(self) -> str:
        return self.key or self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Wire):
    """What became of a batch: counted now; repeated, so counted before; or ignored, because
    the release takes no such observations (any more) or somebody else had answered.
    """

    counted: int = 0
    repeated: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled(Wire):
    """A shadow pair that was drawn for review, and what a person said about it."""

    pair: ShadowPair
    good: bool | None = None
    reason: str = ""
    judged_by: str | None = None
    judged_at: datetime | None = None


def check_key(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY:
        raise BadObservation(key[:MAX_KEY], f"a key has 1 to {MAX_KEY} characters")


def check_values(plan: Plan, key: str, values: Mapping[str, float]) -> None:
    """Raises `BadObservation` for a metric the plan does not watch or a value it cannot be."""
    for name, value in values.items():
        if name not in plan.names:
            raise BadObservation(key, f"the plan watches no metric {name!r}")
        if not isfinite(value):
            raise BadObservation(key, f"{name} is not a finite number")
        if plan.scale(name) is Scale.BINARY and value not in {0, 1}:
            raise BadObservation(key, f"{name} is {value:g}, and has to be 0 or 1")


def place_in_sample(seed: str, key: str) -> str:
    """Where a pair stands in the random order from which the sample is taken."""
    return hashlib.sha256(f"{seed}\n{key}".encode()).hexdigest()


def with_pair(plan: Plan, found: ShadowCounts, pair: ShadowPair) -> ShadowCounts:
    metrics = {
        name: found.metrics.get(name, PairCounts()).with_pair(
            pair.champion.get(name), pair.challenger.get(name)
        )
        for name in plan.names
    }
    return ShadowCounts(pairs=found.pairs + 1, metrics=metrics)


def with_request(
    plan: Plan, found: LegCounts, arm: Arm, values: Mapping[str, float]
) -> LegCounts:
    if arm is Arm.CHALLENGER:
        return replace(found, challenger=_one_more(plan, found.challenger, values))
    return replace(found, champion=_one_more(plan, found.champion, values))


def _one_more(plan: Plan, found: ArmCounts, values: Mapping[str, float]) -> ArmCounts:
    metrics = {
        name: found.metrics.get(name, Counts()).with_value(values.get(name))
        for name in plan.names
    }
    return ArmCounts(n=found.n + 1, metrics=metrics)
