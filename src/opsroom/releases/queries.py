"""Looking at releases, and asking which version serves whom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.commands import check_label
from opsroom.registry.model import PRODUCTION

from . import store
from .decide import DecisionRecord, decide
from .errors import MetricNotWatched, ReleaseNotFound
from .evidence import Evidence, LegCounts, SampleCounts
from .gathering import gather
from .judge import Reading, estimate, readings
from .model import Arm, Decision, Release, State, split
from .observation import Sampled
from .plan import MetricRule

PAGE = 50
HIDDEN = frozenset({State.DRAFT, State.GATING, State.SHADOWING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """Where a release stands: what is known (but for earlier looks), what would be decided now,
    and the numbers. `binding` is the digest that an answer given now is bound to.
    """

    release: Release
    binding: str
    evidence: Evidence
    next: Decision
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Wire):
    """What was known of one metric after `n` requests to the challenger."""

    at: datetime
    n: int
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution(Wire):
    """Which version serves a subject, and why.

    `shadow` is a version that should answer too, unseen. `leg` goes back with the outcome;
    `release_id` is None while no release has a say.
    """

    version: str
    number: int
    digest: str
    arm: Arm
    release_id: str | None = None
    leg: int | None = None
    shadow: str | None = None
    shadow_digest: str | None = None


def release(tx: Tx, release_id: str) -> Release:
    """One release of this project, or `ReleaseNotFound`."""
    found = store.release(tx, release_id)
    if found is None or tx.actor.environment not in {"", found.environment}:
        raise ReleaseNotFound(release_id)
    return found


def releases(
    tx: Tx,
    *,
    state: State | None = None,
    active: bool | None = None,
    kind: str | None = None,
    name: str | None = None,
    environment: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Release]:
    """Releases, newest first; go on with the last id as `before`."""
    return store.page(
        tx,
        state=state,
        active=active,
        kind=kind,
        name=name,
        environment=tx.actor.environment or environment,
        before=before,
        limit=limit,
    )


def states(tx: Tx) -> dict[State, int]:
    """How many releases of this project stand in each state."""
    return store.states(tx)


def standing(tx: Tx, release_id: str) -> Standing:
    """Everything a person wants to know of a release now."""
    found = release(tx, release_id)
    evidence = gather(tx, found)
    return Standing(
        release=found,
        binding=found.binding(evidence.gate.evidence if evidence.gate else ""),
        evidence=replace(evidence, looks=()),
        next=decide(found, evidence, now=tx.now),
        readings=readings(found.plan, evidence),
    )


def decisions(
    tx: Tx, release_id: str, *, before: str | None = None, limit: int = PAGE
) -> list[DecisionRecord]:
    """What was decided and on which evidence, newest first."""
    return store.decision_page(tx, release(tx, release_id).id, before=before, limit=limit)


def sample(tx: Tx, release_id: str) -> list[Sampled]:
    """The shadow pairs that were drawn, in random order; none before the review begins."""
    found = release(tx, release_id)
    state = found.paused_from or found.state
    return [] if state in HIDDEN else store.sampled(tx, found)


def sample_counts(tx: Tx, some: Sequence[Release]) -> dict[str, SampleCounts]:
    """How far the samples of these releases are judged, by the ids of the releases."""
    return store.sample_counts(tx, some)


def series(tx: Tx, release_id: str, metric: str) -> list[Point]:
    """How the knowledge of one metric narrowed: a point for every look, oldest first.

    Raises `MetricNotWatched`.
    """
    found = release(tx, release_id)
    rule = next((one for one in found.plan.metrics if one.metric == metric), None)
    if rule is None:
        raise MetricNotWatched(metric, ", ".join(found.plan.names))
    void = {leg.number for leg in found.legs if leg.void}
    points: list[Point] = []
    for at, legs in store.looks(tx, release_id):
        sound = tuple(leg for leg in legs if leg.leg not in void)
        points.append(_point(found, rule, at, sound))
    return points


@dataclass(frozen=True, slots=True)
class Serving:
    """Who serves an artifact at this moment: what the label names, and the release beside it."""

    champion: Version
    release: Release | None

    def to(self, subject: str) -> Resolution:
        """Which version serves `subject`, and whether another one should answer unseen."""
        found = self.release
        if found is not None and found.leg is not None:
            arm = split(found.id, subject, found.leg.weight)
            if arm is Arm.CHALLENGER:
                return Resolution(
                    version=found.candidate,
                    number=found.number,
                    digest=found.digest,
                    arm=arm,
                    release_id=found.id,
                    leg=found.leg.number,
                )
        shadow = found if found is not None and found.state is State.SHADOWING else None
        canary = found if found is not None and found.leg is not None else None
        known = shadow or canary
        return Resolution(
            version=self.champion.ref,
            number=self.champion.number,
            digest=self.champion.digest,
            arm=Arm.CHAMPION,
            release_id=known.id if known else None,
            leg=canary.leg.number if canary and canary.leg else None,
            shadow=shadow.candidate if shadow else None,
            shadow_digest=shadow.digest if shadow else None,
        )


def serving(tx: Tx, kind: str, name: str, *, environment: str = PRODUCTION) -> Serving:
    """Who serves an artifact now; ask it about as many subjects as you like.

    A release that is paused, over, or compares with another version than the one that is
    there has no say: everybody gets what the label names. Raises `ArtifactNotFound` or
    `VersionNotFound`.
    """
    check_label(environment)
    champion = registry.version(tx, Ref(kind, name, environment))
    found = store.active(tx, kind, name, environment)
    if found is not None and found.baseline != champion.number:
        found = None
    return Serving(champion, found)


def resolve(
    tx: Tx, kind: str, name: str, subject: str, *, environment: str = PRODUCTION
) -> Resolution:
    """Which version serves `subject` now; see `serving`."""
    return serving(tx, kind, name, environment=environment).to(subject)


def _point(
    found: Release, rule: MetricRule, at: datetime, legs: tuple[LegCounts, ...]
) -> Point:
    known = estimate(found.plan, rule, Evidence(legs=legs))
    return Point(
        at=at,
        n=sum(leg.challenger.metric(rule.metric).n for leg in legs),
        difference=known.difference,
        low=known.interval.low if known.interval else None,
        high=known.interval.high if known.interval else None,
    )
