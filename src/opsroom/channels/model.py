"""Channels, and what becomes of what is sent through them. No I/O.

A delivery is pending until somebody took it, and abandoned when nobody did for a day. It is
sent at least once: whoever receives it tells repetitions by its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator

from opsroom.kit.wire import Wire

ALERTS = ("alert.opened", "alert.reminded", "alert.resolved")
# What may be told: seldom enough to read, and nothing that a channel causes itself.
TELLABLE = frozenset(
    {
        *ALERTS,
        "action.unknown",
        "agent.retired",
        "alert.acknowledged",
        "autonomy.killed",
        "autonomy.revived",
        "autonomy.widened",
        "budget.overshot",
        "budget.refused",
        "cadence.overdue",
        "gateway.model_changed",
        "gateway.model_rests",
        "gateway.tool_quarantined",
        "inbox.asked",
        "integration.changed",
        "integration.failed",
        "proposal.opened",
        "release.promoted",
        "release.rolled_back",
        "release.security_event",
        "security.attack_stopped",
        "security.canary_seen",
        "security.secret_in_output",
        "sunset.announced",
        "sunset.caller_seen",
        "sunset.decommissioned",
        "sunset.quiet",
        "zombie.found",
    }
)
TEST = "channel.test"  # told through one channel when somebody tries it
MOST_ATTEMPTS = 30
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3_600.0  # seconds; all of them together are 22 hours
LEASE = timedelta(seconds=60)
MOST_SAID = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Wire):
    """A POST of JSON to `url`, signed as Standard Webhooks says. `secret` cites the key of the
    signature: `secret:NAME`, or a variable of the server's environment (`OPSROOM_SECRET_…`).
    """

    url: str
    secret: str
    kind: Literal["webhook"] = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Wire):
    """A chat, pager or mail service. `secret` cites its Apprise URL, since such URLs carry
    credentials.
    """

    secret: str
    kind: Literal["service"] = "service"


To = Annotated[Webhook | Service, Discriminator("kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec(Wire):
    """Where to tell, and what: journal entries of these `events`; of those that have an urgency
    or an agent, only of these. Empty means any. `person` is whose channel it is, if it is one
    person's: what waits in the inbox is told there with a link that works once, and only for them.
    """

    to: To
    description: str = ""
    events: tuple[str, ...] = ALERTS
    urgencies: tuple[Literal["critical", "warning", "info"], ...] = ()
    agents: tuple[str, ...] = ()
    enabled: bool = True
    person: str = ""

    def wants(self, event: str, facts: Mapping[str, Any]) -> bool:
        """Whether an entry is told here. What was muted is told nowhere."""
        return (
            self.enabled
            and event in self.events
            and not facts.get("muted")
            and _among(facts.get("urgency"), self.urgencies)
            and _among(facts.get("agent"), self.agents)
        )


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Wire):
    """What is told: a journal entry in words, with its facts. `page` is a path of ours."""

    event: str
    at: datetime
    project: str
    actor: str
    subject: str
    title: str
    note: str
    tone: str
    page: str
    seq: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Wire):
    """A notice on its way through a channel. `ref` and `digest` are of the version that wanted
    it; it is sent as the version that is in force then says. `said` is what came of the last
    attempt, in words.
    """

    id: str
    channel: str
    ref: str
    digest: str
    notice: Notice
    state: State = State.PENDING
    attempts: int = 0
    next_at: datetime
    created_at: datetime
    settled_at: datetime | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an attempt. `wait` is how long, in seconds, the other side asks for;
    `gone` says that there is no use in trying again.
    """

    taken: bool
    said: str
    wait: float = 0.0
    gone: bool = False


def pause(attempts: int, wait: float = 0.0) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, an hour at most."""
    doubled = FIRST_PAUSE * 2.0 ** min(attempts - 1, 20)
    return timedelta(seconds=min(max(doubled, wait), LONGEST_PAUSE))


def after(delivery: Delivery, answer: Answer, *, now: datetime) -> Delivery:
    """What a delivery becomes through the answer to its last attempt."""
    said = answer.said[:MOST_SAID]
    if answer.taken:
        return replace(delivery, state=State.DELIVERED, settled_at=now, said=said)
    if answer.gone or delivery.attempts >= MOST_ATTEMPTS:
        return replace(delivery, state=State.ABANDONED, settled_at=now, said=said)
    return replace(delivery, next_at=now + pause(delivery.attempts, answer.wait), said=said)


def _among(one: object, named: tuple[str, ...]) -> bool:
    return not named or not one or one in named
