"""Alert rules and alerts, and what becomes of an alert when its rule is looked at. No I/O.

An alert opens when the condition of its rule begins to hold, is acknowledged by whoever takes
it on, and is resolved by a person, or by itself when the condition has not held for a while.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from opsroom.kit.wire import Wire

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
SHORTEST, LONGEST = 5 * MINUTE, 7 * DAY
LONGEST_MUTE = timedelta(days=7)
# Events that a rule may count. Each makes the rules of its project be looked at at once.
COUNTED = frozenset(
    {
        "access.glass_broken",
        "action.unknown",
        "autonomy.killed",
        "budget.overshot",
        "budget.refused",
        "budget.soft_passed",
        "channel.abandoned",
        "drift.found",
        "gateway.tool_quarantined",
        "inbox.flooded",
        "integration.changed",
        "integration.failed",
        "release.rolled_back",
        "release.security_event",
        "security.attack_stopped",
        "security.canary_seen",
        "security.odd_output",
        "security.order_seen",
        "security.secret_in_output",
        "security.unknown_tool",
    }
)


class Scope(StrEnum):
    """What a rule is about: each agent by itself, or the project."""

    AGENT = "agent"
    PROJECT = "project"


class Urgency(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class State(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Step(StrEnum):
    """What a look at a rule does to its alert."""

    OPEN = "open"
    SEEN = "seen"
    RESOLVE = "resolve"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRuleSpec(Wire):
    """When somebody should be told. `when` is a CEL condition over figures of the last
    `window` seconds, the window before it, the same a week ago, and what is usual.

    `events` are kinds of journal entries; how many the window holds is the figure `events`.
    An alert is resolved when the condition has not held for `quiet_after` seconds. While nobody
    has taken it on, it is told again every `remind_every` seconds (0: never).
    """

    when: str
    description: str
    urgency: Urgency = Urgency.WARNING
    scope: Scope = Scope.AGENT
    window: float = HOUR
    events: tuple[str, ...] = ()
    quiet_after: float = HOUR
    remind_every: float = 4 * HOUR
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Wire):
    """A rule in force: `ref` cites its version, or says that it is shipped; `digest` is that
    of its spec.
    """

    name: str
    ref: str
    digest: str
    spec: AlertRuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Wire):
    """Something that somebody should look at. `agent` is empty where it is about the project.

    `because` says it in words and `facts` are the figures, both of the last look that saw it
    (`seen_at`). `seq` is the journal's end when it opened: what changed before lies below.
    `told_at` is when people were last told; never, as long as it is muted.
    """

    id: str
    rule: str
    ref: str
    digest: str
    agent: str
    urgency: Urgency
    state: State
    because: str
    facts: dict[str, Any]
    opened_at: datetime
    seen_at: datetime
    seq: int
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    note: str = ""
    revision: int = 1
    told_at: datetime | None = None

    @property
    def subject(self) -> str:
        return f"alert/{self.id}"

    @property
    def title(self) -> str:
        return f"{self.agent}: {self.rule}" if self.agent else self.rule


class Every(StrEnum):
    """How often a mute comes back."""

    ONCE = "once"
    DAY = "day"
    WEEK = "week"


PERIODS = {Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Wire):
    """A stretch of time in which people are not told of alerts: of one rule or of any (empty),
    about one agent or about any (empty). With `every` it is a maintenance window, which comes
    back at the same time (UTC) until somebody ends it. Alerts open all the same.
    """

    id: str
    rule: str = ""
    agent: str = ""
    starts_at: datetime
    ends_at: datetime
    every: Every = Every.ONCE
    reason: str
    by: str
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def what(self) -> str:
        about = f" about {self.agent}" if self.agent else ""
        return (self.rule or "every rule") + about

    def at(self, now: datetime) -> bool:
        """Whether it is in force at that moment."""
        if self.ended_at is not None or now < self.starts_at:
            return False
        since = now - self.starts_at
        period = PERIODS.get(self.every)
        return (since if period is None else since % period) < self.ends_at - self.starts_at

    def over(self, now: datetime) -> bool:
        """Whether it will not be in force again."""
        return self.ended_at is not None or (self.every is Every.ONCE and now >= self.ends_at)

    def covers(self, rule: str, agent: str) -> bool:
        """Whether it is about such an alert."""
        return self.rule in {"", rule} and self.agent in {"", agent}


def to_remind(alert: Alert, spec: AlertRuleSpec, *, muted: bool, now: datetime) -> bool:
    """Whether people are told of an open alert (again): nobody has taken it on, and nobody was
    told, or that was a while ago.
    """
    if muted or alert.state is not State.OPEN:
        return False
    if alert.told_at is None:
        return True
    waited = now - alert.told_at
    return 0 < spec.remind_every <= waited.total_seconds()


def decide(alert: Alert | None, spec: AlertRuleSpec, *, firing: bool, now: datetime) -> Step:
    """What a look does, given the alert that is not resolved yet, if any."""
    if alert is None:
        return Step.OPEN if firing and spec.enabled else Step.NOTHING
    if firing and spec.enabled:
        return Step.SEEN
    quiet = now - alert.seen_at >= timedelta(seconds=spec.quiet_after)
    return Step.RESOLVE if quiet or not spec.enabled else Step.NOTHING
