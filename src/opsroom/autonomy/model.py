"""How much an agent may do alone, and the switch that stops it. No I/O.

    shadow → approve_each → bounded → expanded        suspended from anywhere

Narrowing is immediate; widening needs evidence and a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from opsroom.contracts.model import Tier
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from .errors import BrokenGrant

ALL = "*"
NEVER = datetime(2001, 1, 1, tzinfo=UTC)
# Why a call was asked about that was drawn as a spot check; those who count them look for it.
SPOT_CHECK = "people look at a share of what it may do alone, and this is one"
_SCOPE = re.compile(r"contract/[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


class Level(StrEnum):
    SUSPENDED = "suspended"  # nothing at all
    SHADOW = "shadow"  # recommend only
    APPROVE_EACH = "approve_each"
    BOUNDED = "bounded"  # alone inside an envelope
    EXPANDED = "expanded"

    @property
    def rank(self) -> int:
        return ORDER.index(self)

    @property
    def alone(self) -> bool:
        """Whether anything is done on this level without asking a person."""
        return self in {Level.BOUNDED, Level.EXPANDED}


ORDER = tuple(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Wire):
    """The bounds inside which a `bounded` grant acts alone; None bounds nothing.

    `max_amount` is in US dollars, of the contract's `spends`. `min_confidence` is 0 to 1. Of
    what lies inside, `spot_share` (0 to 1) is drawn by lot and asked about all the same:
    without it nobody would know how an agent does that is not looked at any more.
    """

    max_amount: Decimal | None = None
    max_per_day: int | None = None
    min_confidence: float | None = None
    spot_share: float | None = None

    def within(self, other: "Envelope") -> bool:
        """Whether nothing is allowed here that `other` does not allow."""
        confident = other.min_confidence
        return (
            _at_most(self.max_amount, other.max_amount)
            and _at_most(self.max_per_day, other.max_per_day)
            and (confident is None or (self.min_confidence or 0.0) >= confident)
            and (self.spot_share or 0.0) >= (other.spot_share or 0.0)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Wire):
    """What `agent` may do alone in `environment`, for one contract (`contract/name`) or a whole
    tier (`tier/write`). The one for the contract goes first.

    Where nobody granted anything, `id` is empty and `revision` 0.
    """

    id: str
    agent: str
    scope: str
    environment: str
    level: Level
    envelope: Envelope = field(default_factory=Envelope)
    manifest: str = ""  # the digest it was earned with; "" before the first release
    reason: str = ""
    changed_at: datetime
    changed_by: str
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"agent/{self.agent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Wire):
    """What is known of how an agent did under one scope: people's agreement and outcomes.

    `agreed` counts proposals that people approved unchanged, `corrected` those they edited,
    rejected or answered otherwise; `incidents` are failures and unknowns after acting alone.
    """

    agreed: int = 0
    corrected: int = 0
    succeeded: int = 0
    incidents: int = 0
    since: datetime | None = None

    @property
    def judged(self) -> int:
        return self.agreed + self.corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance(Wire):
    """What the grants say of one proposal: the level in force, and whether it is inside its
    envelope. `because` says why it is not, or why the level is lower than what was granted.
    `stopped`: a kill switch says so, of the agent or of all.
    """

    level: Level
    scope: str = ""
    inside: bool = True
    stopped: bool = False
    because: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


class WideningState(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class WideningDraft(Wire):
    """More freedom that is asked for."""

    agent: str
    scope: str
    level: Level
    environment: str = "production"
    envelope: Envelope = field(default_factory=Envelope)
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening(Wire):
    """More freedom that waits for a person: from which grant, to what, on which evidence."""

    id: str
    grant: Grant
    level: Level
    envelope: Envelope
    manifest: str
    record: Record
    because: str
    reason: str
    requester: str
    proposed_at: datetime
    state: WideningState = WideningState.OPEN
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def subject(self) -> str:
        return f"widening/{self.id}"

    @property
    def binding(self) -> str:
        """What an approval is bound to: grant, what is proposed, and the evidence for it."""
        shown = {"grant": self.grant, "record": self.record, "envelope": self.envelope}
        return digest(
            {name: plain(one) for name, one in shown.items()}
            | {"level": self.level.value, "manifest": self.manifest}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Wire):
    """A kill switch that is on: for one agent, or for all (`*`)."""

    agent: str
    reason: str
    by: str
    at: datetime


def scopes(contract: str, tier: Tier) -> tuple[str, str]:
    """The scopes that a call of `contract` falls under, the one that goes first first."""
    name = contract.partition("@")[0]
    return (name if name.startswith("contract/") else f"contract/{name}"), f"tier/{tier.value}"


def standard(scope: str) -> Level:
    """What an agent may do where nobody granted anything: look, and ask for the rest."""
    return Level.BOUNDED if scope == f"tier/{Tier.READ.value}" else Level.APPROVE_EACH


def ungranted(agent: str, environment: str, scope: str) -> Grant:
    """What holds where nobody granted anything."""
    return Grant(
        id="",
        agent=agent,
        scope=scope,
        environment=environment,
        level=standard(scope),
        reason="nobody granted anything",
        changed_at=NEVER,
        changed_by="",
        revision=0,
    )


def check_scope(scope: str, environment: str) -> None:
    """Raises `BrokenGrant` for what no grant can be about."""
    if scope not in {f"tier/{tier.value}" for tier in Tier} and not _SCOPE.fullmatch(scope):
        tiers = ", ".join(f"tier/{tier.value}" for tier in Tier)
        raise BrokenGrant(f"{scope!r} is neither contract/NAME nor one of {tiers}")
    if not _ENVIRONMENT.fullmatch(environment):
        raise BrokenGrant(f"{environment!r} is no environment")


def check_envelope(envelope: Envelope) -> None:
    """Raises `BrokenGrant` for bounds that are no bounds."""
    amount, often, sure = envelope.max_amount, envelope.max_per_day, envelope.min_confidence
    if amount is not None and not (amount.is_finite() and amount >= 0):
        raise BrokenGrant(f"{amount} is no amount")
    if often is not None and often < 0:
        raise BrokenGrant(f"{often} times a day is no bound")
    if sure is not None and not 0 <= sure <= 1:
        raise BrokenGrant("a confidence lies between 0 and 1")
    if envelope.spot_share is not None and not 0 <= envelope.spot_share <= 1:
        raise BrokenGrant("a share of spot checks lies between 0 and 1")


def wider(level: Level, envelope: Envelope, than: Grant) -> bool:
    """Whether this allows anything that a grant does not."""
    if level is than.level is Level.BOUNDED:
        return not envelope.within(than.envelope)
    return level.rank > than.level.rank


def _at_most(mine: Decimal | int | None, theirs: Decimal | int | None) -> bool:
    return theirs is None or (mine is not None and mine <= theirs)
