"""How an agent ends, step by step, and what each step rests on. No I/O.

proposed → approved → deprecating (ramp 100→50→10→0) → dormant → decommissioned → archived,
and → reinstated from every state before decommissioned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from .errors import BadSunset

SHARES = (100, 50, 10)  # per cent of calls served, step by step, before nobody is
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LOOK_EVERY = HOUR  # at who calls an agent that serves nobody any more
MOST_DAYS = 400
MOST_SHOWN = 50  # callers


class State(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    DEPRECATING = "deprecating"
    DORMANT = "dormant"
    DECOMMISSIONED = "decommissioned"
    ARCHIVED = "archived"
    REINSTATED = "reinstated"


OVER = frozenset({State.ARCHIVED, State.REINSTATED})
BEFORE_THE_END = frozenset({State.PROPOSED, State.APPROVED, State.DEPRECATING, State.DORMANT})


class Closing(StrEnum):
    """What is closed after the decision that cannot be taken back, in this order."""

    EXPORT = "export"
    INTEGRATIONS = "integrations"
    SCHEDULES = "schedules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Wire):
    """How long each step lasts, in days: at 100, 50 and 10 per cent of its calls, and how long
    nobody may have called before it is decommissioned.
    """

    at_100: float = 14
    at_50: float = 7
    at_10: float = 7
    dormant: float = 30

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if not 0 <= getattr(self, name) <= MOST_DAYS:
                raise BadSunset(f"{name} lasts from 0 to {MOST_DAYS} days")
        if self.dormant < 1:
            raise BadSunset("a day without callers is the least that proves anything")

    def at(self, share: int) -> timedelta:
        """How long the agent serves that share of its calls."""
        days = {100: self.at_100, 50: self.at_50, 10: self.at_10}
        return timedelta(days=days[share])

    @property
    def ramp(self) -> timedelta:
        return sum((self.at(share) for share in SHARES), timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Wire):
    """Somebody who was seen calling: `by` says from what. `token` is the id of their token,
    `where` the door, or the program that the trace came from.
    """

    by: Literal["token", "turn", "trace"]
    caller: str
    token: str = ""
    where: str = ""
    times: int | None = None
    last_at: datetime

    @property
    def words(self) -> str:
        token = f" with {self.token}" if self.token else ""
        return f"{self.caller}{token}, last {self.last_at:%Y-%m-%d %H:%M} UTC ({self.by})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Wire):
    """Who called since `since`, the last first. Without its traces, nobody is proven absent."""

    since: datetime
    at: datetime
    callers: tuple[Seen, ...] = ()
    traces_read: bool = True

    @property
    def last(self) -> datetime | None:
        return max((one.last_at for one in self.callers), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Wire):
    """A step that was taken, and what it rests on, in words."""

    step: str
    at: datetime
    by: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SunsetDraft(Wire):
    """An agent that should end: why, who takes its work over (if anybody), and how fast."""

    agent: str
    because: str
    successor: str = ""
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sunset(Wire):
    """How far the end of an agent is. `since` is when the present state, or step of the ramp,
    began; `quiet_since` since when nobody calls, and `seen` is what was last observed.
    """

    id: str
    agent: str
    because: str
    successor: str
    plan: Plan
    state: State
    share: int = 100
    proposed_by: str
    proposed_at: datetime
    since: datetime
    quiet_since: datetime | None = None
    seen: Observed | None = None
    asked: bool = False
    done: tuple[Done, ...] = ()
    closed: tuple[Closing, ...] = ()
    export: str = ""
    note: str = ""
    revision: int = 1

    @property
    def subject(self) -> str:
        return f"sunset/{self.id}"

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def binding(self) -> str:
        """The digest that an answer given now is bound to: the plan before it is approved, the
        proof of silence before it is signed.
        """
        proof = self.quiet_since if self.state is State.DORMANT else None
        return digest(
            {
                "sunset": self.id,
                "agent": self.agent,
                "successor": self.successor,
                "because": self.because,
                "plan": plain(self.plan),
                "state": self.state.value,
                "quiet_since": proof.isoformat() if proof else None,
            }
        )

    @property
    def proven_at(self) -> datetime | None:
        """When nobody will have called for long enough, if nobody does until then."""
        if self.state is not State.DORMANT or self.quiet_since is None:
            return None
        return self.quiet_since + timedelta(days=self.plan.dormant)

    def stepped(self, step: str, *, now: datetime, by: str, words: str) -> "Sunset":
        return replace(self, done=(*self.done, Done(step=step, at=now, by=by, words=words)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Wire):
    """Nothing is to be done now. `until` is when the clock alone changes that."""

    because: str
    until: datetime | None = None
    kind: Literal["wait"] = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Wire):
    kind: Literal["announce"] = "announce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp(Wire):
    """Serve `to` per cent of the calls from now on; 0 makes it dormant."""

    to: int
    kind: Literal["ramp"] = "ramp"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginAnew(Wire):
    """Somebody called: the watch counts from their last call."""

    quiet_since: datetime
    kind: Literal["begin_anew"] = "begin_anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToSign(Wire):
    """Nobody called for long enough: people may sign."""

    kind: Literal["ask_to_sign"] = "ask_to_sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Wire):
    what: Closing
    kind: Literal["close"] = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Wire):
    kind: Literal["archive"] = "archive"


Decision = Wait | Announce | Ramp | BeginAnew | AskToSign | Close | Archive


def decide(one: Sunset, seen: Observed | None, *, now: datetime) -> Decision:
    """What is to be done about a sunset now, given who was seen calling.

    The ramp follows the clock, whoever calls: being refused is how hidden callers are found.
    Nothing that cannot be taken back follows by itself.
    """
    match one.state:
        case State.PROPOSED:
            return Wait(because="somebody else has to approve it")
        case State.APPROVED:
            return Announce()
        case State.DEPRECATING:
            return _ramp(one, now)
        case State.DORMANT:
            return _watch(one, seen, now)
        case State.DECOMMISSIONED:
            left = [what for what in Closing if what not in one.closed]
            return Close(what=left[0]) if left else Archive()
        case State.ARCHIVED | State.REINSTATED:
            return Wait(because=f"it is {one.state.value}")


def _ramp(one: Sunset, now: datetime) -> Decision:
    due = one.since + one.plan.at(one.share)
    if now < due:
        return Wait(because=f"serves {one.share} % of its calls", until=due)
    later = SHARES[SHARES.index(one.share) + 1 :]
    return Ramp(to=later[0] if later else 0)


def _watch(one: Sunset, seen: Observed | None, now: datetime) -> Decision:
    assert one.quiet_since is not None, "a dormant agent is watched since some moment"
    if seen is not None and seen.last is not None and seen.last > one.quiet_since:
        return BeginAnew(quiet_since=seen.last)
    proven = one.quiet_since + timedelta(days=one.plan.dormant)
    if seen is None or not seen.traces_read:
        return Wait(because="its traces could not be read", until=now + LOOK_EVERY)
    if now < proven:
        return Wait(
            because=f"nobody called since {one.quiet_since:%Y-%m-%d %H:%M} UTC",
            until=min(proven, now + LOOK_EVERY),
        )
    if not one.asked:
        return AskToSign()
    return Wait(because="people have to sign its end", until=now + LOOK_EVERY)


def told(callers: Sequence[Seen], most: int = 5) -> str:
    """Who calls, in words: the last ones, and how many more there are."""
    words = "; ".join(one.words for one in callers[:most])
    more = len(callers) - most
    return words + (f"; and {more} more" if more > 0 else "")
