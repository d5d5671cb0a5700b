"""What an agent reported, whether it was right, and every decision that follows. No I/O.

Who is asked decides what is known. Below a cut-off people see everything, above it only what is
drawn as a spot check. So two questions rest on different decisions:

- *calibration and cut-offs* on those that people were asked about: whether it was asked did not
  depend on whether it was right. Errors that came to light elsewhere have no counterpart among
  what was right, and counting them would make a good agent look bad;
- *the watch* over what runs alone on everything known to be wrong, and on spot checks by
  themselves. That nobody complained never counts as right.

What an agent reports lowers no oversight: a certified cut-off is evidence for a widening, which
people decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeVar

from opsroom.autonomy.model import Envelope
from opsroom.contracts.model import Tier
from opsroom.evidence.calibration import Calibration, calibrate
from opsroom.evidence.model import Tally
from opsroom.evidence.spending import spend
from opsroom.evidence.thresholds import Cutoff, certify, labels_needed
from opsroom.evidence.worsening import Worsening, worsened
from opsroom.kit.wire import Wire

from .errors import BrokenSettings

PRODUCTION = "production"
Number = TypeVar("Number", int, Decimal)
ALPHA = 0.05  # of a false certificate over all looks together; of a false alarm, as `worsening` says
NEWEST = 5_000
LEAST_WRONG = 10  # below it nothing is said about what a confidence means
OUTCOMES = frozenset({"failed", "unknown", "compensated"})
TARGETS: Mapping[Tier, float] = {
    Tier.READ: 0.10,
    Tier.WRITE: 0.05,
    Tier.IRREVERSIBLE: 0.02,
    Tier.CREDENTIAL: 0.01,
    Tier.EXTERNAL: 0.02,
}


class Source(StrEnum):
    """How a decision came about."""

    ASKED = "asked"  # people were asked, by a rule
    SPOT = "spot"  # people were asked by lot
    ALONE = "alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Wire):
    """One action that an agent said how sure it was of.

    `right` is what people answered when they were asked: approved as it stood, or not; None
    while they have not, or took it back. `overridden`: somebody decided otherwise later.
    `outcome` is what came of it where that may speak against it (`OUTCOMES`), else empty.
    """

    action: str
    agent: str
    environment: str
    contract: str
    reference: str
    manifest: str
    confidence: float
    source: Source
    right: bool | None = None
    overridden: bool = False
    outcome: str = ""

    @property
    def wrong(self) -> bool | None:
        """The label that calibration and cut-offs rest on; None where there is none."""
        if self.source is Source.ALONE:
            return None
        if self.overridden:
            return True
        return None if self.right is None else not self.right

    def known_wrong(self, outcomes: frozenset[str]) -> bool:
        """Whether anything says that it was wrong. False is not the same as right.

        What came of it counts where it ran alone: what people approved is theirs as well.
        """
        if self.source is Source.ALONE:
            return self.overridden or self.outcome in outcomes
        return self.wrong is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Wire):
    """What a project asks of acting alone.

    `targets` are the error rates that a cut-off has to stay under, by tier. `wrong_outcomes`
    are those that count against an action that ran alone. `spot_share` of what lies above a
    cut-off is proposed to be asked about by lot.
    """

    targets: Mapping[Tier, float] = field(default_factory=lambda: dict(TARGETS))
    wrong_outcomes: tuple[str, ...] = ("compensated", "failed", "unknown")
    spot_share: float = 0.1

    def target(self, tier: Tier) -> float:
        return self.targets.get(tier, TARGETS[tier])


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination(Wire):
    """One look at what is known of an agent under a contract. Never changed.

    `cutoff` is there where one could be certified, and `because` says why, or why not. It is
    about `manifest`, and the `look`-th at manifests with the same model: each look has less of
    the confidence, so that all together keep the promise. `alone` counts, of the newest
    decisions, those that the cut-off would leave to the agent. `needed` is the least number
    of labels, all right, that could certify anything at this look. `newest` is the newest
    action with a label.
    """

    id: str
    agent: str
    environment: str
    contract: str
    reference: str
    manifest: str
    tier: Tier
    target: float
    look: int
    needed: int
    calibration: Calibration
    cutoff: Cutoff | None
    alone: Tally
    newest: str
    because: str
    at: datetime
    by: str

    @property
    def scope(self) -> str:
        return f"contract/{self.contract}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning(Wire):
    """What a confidence is worth, in words."""

    says: str
    kind: Literal["useful", "nothing", "backwards", "too_little"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(Wire):
    """Nothing speaks against the envelope yet."""

    known: Worsening
    spots: Worsening
    kind: Literal["holds"] = "holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Wire):
    """More is wrong above the cut-off than was promised."""

    known: Worsening
    spots: Worsening
    because: str
    kind: Literal["lost"] = "lost"


@dataclass(frozen=True, slots=True)
class Certified:
    cutoff: Cutoff
    because: str


@dataclass(frozen=True, slots=True)
class Uncertified:
    because: str


def check_settings(settings: Settings) -> None:
    """Raises `BrokenSettings`."""
    for tier, target in settings.targets.items():
        if not 0 < target <= 0.5:  # above it, guessing would do
            raise BrokenSettings(f"a target of {target:g} for {tier.value}")
    if unknown := set(settings.wrong_outcomes) - OUTCOMES:
        raise BrokenSettings(f"{', '.join(sorted(unknown))[:100]!r} as a wrong outcome")
    if not 0 <= settings.spot_share <= 1:
        raise BrokenSettings(f"a spot share of {settings.spot_share:g}")


def confidence_of(look: int) -> float:
    """How sure a certificate of this look is, so that all looks together keep 1 − `ALPHA`."""
    return 1 - spend(ALPHA, look)


def decide_cutoff(
    confidences: Sequence[float], wrong: Sequence[bool], *, target: float, look: int = 1
) -> Certified | Uncertified:
    """From which confidence on an agent could act alone, as far as evidence goes.

    Agents are not corrected for each other: of twenty useless ones, one may be certified.
    """
    sure = confidence_of(look)
    needed = labels_needed(target=target, confidence=sure)
    if len(confidences) < needed:
        return Uncertified(
            f"{len(confidences)} labelled decisions, and it takes at least {needed} that are"
            f" all right to show {target:.1%}"
        )
    found = certify(confidences, wrong, target=target, confidence=sure)
    if found is not None:
        return Certified(
            found,
            f"at {found.value:g} or more, {found.errors} of {found.decided} were wrong: at most"
            f" {found.error_bound:.1%}, {sure:.1%} sure",
        )
    surest = sorted(zip(confidences, wrong, strict=True), reverse=True)
    at = surest[max(needed, len(surest) // 5) - 1][0]
    above = [was for confidence, was in surest if confidence >= at]
    return Uncertified(
        f"of its {len(above)} surest decisions {sum(above)} were wrong, which does not show"
        f" {target:.1%}"
    )


def meaning(found: Calibration) -> Meaning:
    """Whether a confidence means anything, and whether it means what it says."""
    between = found.c_interval
    if min(found.wrong, found.n - found.wrong) < LEAST_WRONG or between is None:
        few = "wrong" if found.wrong <= found.n - found.wrong else "right"
        return Meaning(
            says=f"too few {few} decisions to say whether its confidence means anything",
            kind="too_little",
        )
    assert found.c_index is not None
    how = (
        f"the right one of a right and a wrong decision was the surer {found.c_index:.0%} of"
        f" the time [{between.low:.0%}, {between.high:.0%}]"
    )
    if between.high < 0.5:  # what tossing a coin would give
        return Meaning(
            says=f"the surer it is, the more often it is wrong: {how}", kind="backwards"
        )
    if between.low <= 0.5:
        return Meaning(says=f"its confidence tells nothing: {how}", kind="nothing")
    return Meaning(
        says=f"its confidence tells right from wrong: {how}; {_level(found)}", kind="useful"
    )


def _level(found: Calibration) -> str:
    """Whether it means what it says, on the whole."""
    said, low, high = found.confidence, found.right.low, found.right.high
    is_right = f"it says {said:.0%} and is right {1 - found.wrong / found.n:.0%} [{low:.0%}, {high:.0%}]"
    if said > high:
        return f"over-confident, {is_right}"
    if said < low:
        return f"under-confident, {is_right}"
    return f"on the whole it means what it says, {is_right}"


def decide_watch(
    known: Sequence[Tally], spots: Sequence[Tally], *, target: float
) -> Holds | Lost:
    """Whether what runs alone is still as right as was promised.

    `known` are blocks of all decisions above the cut-off, with those known to be wrong: a
    fraction of the errors, so it never rings too soon, and late where few come to light.
    `spots` are blocks of answered spot checks, a fair sample. Each may use half of `ALPHA`.
    """
    everything = worsened(known, rate=target, alpha=ALPHA / 2)
    sample = worsened(spots, rate=target, alpha=ALPHA / 2)
    for what, found in (("decisions", everything), ("spot checks", sample)):
        if found.risen:
            return Lost(
                known=everything,
                spots=sample,
                because=f"{found.since.hits} of the last {found.since.n} {what} above its cut-off"
                f" were wrong, where {target:.1%} were promised",
            )
    return Holds(known=everything, spots=sample)


def envelope_of(cutoff: float, was: Envelope, asked: Envelope, settings: Settings) -> Envelope:
    """What to propose from a cut-off: in every other respect no wider than `was`, which people
    granted, nor than what was `asked` for.
    """
    return replace(
        was,
        max_amount=_least(was.max_amount, asked.max_amount),
        max_per_day=_least(was.max_per_day, asked.max_per_day),
        min_confidence=cutoff,
        spot_share=max(was.spot_share or 0.0, asked.spot_share or 0.0, settings.spot_share),
    )


def _least(*bounds: Number | None) -> Number | None:
    return min((one for one in bounds if one is not None), default=None)


def examine(
    labels: Sequence[tuple[float, bool]], *, target: float, look: int
) -> tuple[Calibration, Certified | Uncertified]:
    """What labelled decisions say of a confidence, and the cut-off that they can certify."""
    confidences = [one for one, _ in labels]
    wrong = [was for _, was in labels]
    return calibrate(confidences, wrong), decide_cutoff(
        confidences, wrong, target=target, look=look
    )
