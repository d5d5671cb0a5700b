"""What a release is: its states, how decisions change it, and who is served what. No I/O.

    draft → gating → shadowing → in_review → canarying → promoted → superseded

From any live state it can be paused, and resumed where it was; a release that has not met
traffic is aborted, one that has is rolled back. What decides is in decide.py.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain
from opsroom.registry.model import PRODUCTION

from .errors import WrongState
from .plan import CanaryStep, Plan


class State(StrEnum):
    DRAFT = "draft"
    GATING = "gating"
    SHADOWING = "shadowing"
    IN_REVIEW = "in_review"
    CANARYING = "canarying"
    PROMOTED = "promoted"
    SUPERSEDED = "superseded"
    PAUSED = "paused"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"


LIVE = frozenset(
    {State.DRAFT, State.GATING, State.SHADOWING, State.IN_REVIEW, State.CANARYING, State.PAUSED}
)
FINAL = frozenset({State.SUPERSEDED, State.ABORTED, State.ROLLED_BACK})
ENDS = {
    "abort": State.ABORTED,
    "roll_back": State.ROLLED_BACK,
    "promote": State.PROMOTED,
}


class Arm(StrEnum):
    CHAMPION = "champion"
    CHALLENGER = "challenger"


class Because(StrEnum):
    """Why a decision was taken, for programs; the sentence beside it is for people."""

    STARTED = "started"
    GATE = "gate"
    APPROVALS = "approvals"
    TIME = "time"
    SAMPLES = "samples"
    REVIEW = "review"
    UNDECIDED = "undecided"
    PROVEN = "proven"
    WORSE = "worse"
    SPLIT = "split"
    MISSING_DATA = "missing_data"
    SECURITY = "security"
    BASELINE_MOVED = "baseline_moved"
    PERSON = "person"
    OVER = "over"


# Data of a stretch that was stopped for these reasons is not used again.
SPOILT = frozenset({Because.SPLIT, Because.MISSING_DATA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance(Wire):
    """Go to the next state, or within the canary to step `step`."""

    to: State
    step: int = 0
    code: Because
    because: str
    kind: Literal["advance"] = "advance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Wire):
    """Stay. `until` is the next time at which the clock alone would change this answer."""

    code: Because
    because: str
    until: datetime | None = None
    kind: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Wire):
    """Stop where it is: everybody gets the champion until a person has looked."""

    code: Because
    because: str
    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(Wire):
    """End it; nobody was ever served the candidate."""

    code: Because
    because: str
    kind: Literal["abort"] = "abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(Wire):
    """End it and serve everybody the champion again."""

    code: Because
    because: str
    kind: Literal["roll_back"] = "roll_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote(Wire):
    """Make the candidate the champion."""

    code: Because
    because: str
    kind: Literal["promote"] = "promote"


AnyDecision = Advance | Hold | Pause | Abort | RollBack | Promote
Decision = Annotated[AnyDecision, Discriminator("kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Wire):
    """A part of the canary during which the weight stood still. Legs are numbered from 1.

    What was observed in a `void` leg is kept, and not used.
    """

    number: int
    step: int
    weight: float
    since: datetime
    void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Wire):
    """One version on its way to one environment, beside the version that is there.

    `entered_at` is when its state (or canary step) began, moved on by the time it was
    paused. `round` counts the shadow runs; it rises when the data of one were spoilt.
    """

    id: str
    kind: str
    name: str
    environment: str = PRODUCTION
    number: int
    digest: str
    baseline: int
    baseline_digest: str
    author: str
    version_author: str
    plan: Plan
    created_at: datetime
    entered_at: datetime
    state: State = State.DRAFT
    step: int = 0
    legs: tuple[Leg, ...] = ()
    paused_from: State | None = None
    paused_at: datetime | None = None
    code: Because = Because.STARTED
    because: str = ""
    round: int = 1
    ended_at: datetime | None = None
    revision: int = 1

    @property
    def artifact(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def candidate(self) -> str:
        return f"{self.artifact}@{self.number}"

    @property
    def champion(self) -> str:
        return f"{self.artifact}@{self.baseline}"

    @property
    def subject(self) -> str:
        """What journal and approvals call it."""
        return f"release/{self.id}"

    @property
    def active(self) -> bool:
        """Whether it holds the one place for releases of this artifact to this environment."""
        return self.state in LIVE

    @property
    def met_traffic(self) -> bool:
        """Whether anybody may have been served the candidate."""
        return bool(self.legs)

    @property
    def leg(self) -> Leg | None:
        """The leg in which requests are split now; None while all go to the champion."""
        return self.legs[-1] if self.state is State.CANARYING and self.legs else None

    @property
    def canary_step(self) -> CanaryStep:
        return self.plan.steps[self.step]

    def leg_numbered(self, number: int) -> Leg | None:
        return self.legs[number - 1] if 1 <= number <= len(self.legs) else None

    def binding(self, gate: str) -> str:
        """The digest an approval is bound to: what replaces what, by which plan, on which
        gate evidence (its digest, or empty where the plan has no gate).
        """
        return digest(
            {
                "artifact": self.artifact,
                "environment": self.environment,
                "candidate": self.digest,
                "baseline": self.baseline_digest,
                "plan": plain(self.plan),
                "gate": gate,
            }
        )

    def after(self, decision: AnyDecision, *, now: datetime) -> "Release":
        """The release once `decision` is carried out; after a `Hold` it is the same."""
        if isinstance(decision, Hold):
            return self
        moved = replace(
            self,
            entered_at=now,
            code=decision.code,
            because=decision.because,
            revision=self.revision + 1,
        )
        match decision:
            case Advance(to=State.CANARYING, step=step):
                legs = next_leg(self.legs, self.plan, step, now)
                return replace(moved, state=State.CANARYING, step=step, legs=legs)
            case Advance(to=state):
                return replace(moved, state=state)
            case Pause():
                return replace(
                    moved,
                    state=State.PAUSED,
                    entered_at=self.entered_at,
                    paused_from=self.state,
                    paused_at=now,
                )
            case Abort() | RollBack() | Promote():
                return replace(
                    moved,
                    state=ENDS[decision.kind],
                    ended_at=now,
                    paused_from=None,
                    paused_at=None,
                )

    def resumed(self, *, now: datetime, because: str) -> "Release":
        """The release where it was paused. A canary goes on in a new leg. If spoilt data were
        the reason, they are not used again and its step, or its shadow run, begins anew.

        Raises `WrongState`.
        """
        if self.state is not State.PAUSED or self.paused_from is None or not self.paused_at:
            raise WrongState(self.id, self.state.value, "resumed")
        spoilt = self.code in SPOILT
        entered = now if spoilt else self.entered_at + (now - self.paused_at)
        legs = self.legs
        if self.paused_from is State.CANARYING:
            if spoilt:
                legs = (*legs[:-1], replace(legs[-1], void=True))
            legs = next_leg(legs, self.plan, self.step, now)
        new_round = spoilt and self.paused_from is State.SHADOWING
        return replace(
            self,
            state=self.paused_from,
            entered_at=entered,
            legs=legs,
            round=self.round + new_round,
            paused_from=None,
            paused_at=None,
            code=Because.PERSON,
            because=because,
            revision=self.revision + 1,
        )

    def superseded(self, *, because: str) -> "Release":
        """A promoted release whose version is the champion no longer."""
        return replace(
            self,
            state=State.SUPERSEDED,
            code=Because.OVER,
            because=because,
            revision=self.revision + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Wire):
    """What somebody asks for: release `version` (`agent/refund@8`) by this plan."""

    version: str
    environment: str = PRODUCTION
    plan: Plan = field(default_factory=Plan)


def next_leg(legs: tuple[Leg, ...], plan: Plan, step: int, now: datetime) -> tuple[Leg, ...]:
    """The legs with one more, at the weight of `step`, from now on."""
    weight = plan.steps[step].weight
    return (*legs, Leg(number=len(legs) + 1, step=step, weight=weight, since=now))


def split(release_id: str, subject: str, weight: float) -> Arm:
    """Which arm serves `subject` while the challenger has this `weight`.

    The same answer every time and everywhere, and sticky: who is served by the challenger
    at 5 % still is at 25 %. Another release draws again.
    """
    drawn = hashlib.sha256(f"{release_id}\n{subject}".encode()).digest()
    place = int.from_bytes(drawn[:7]) >> 3  # 53 bits: exact as a float, and below 1
    return Arm.CHALLENGER if place / 2**53 < weight else Arm.CHAMPION
