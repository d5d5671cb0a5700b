"""What waits for people: approvals and escalations, and what people say to them. No I/O.

pending → approved | edited | rejected | responded | expired | cancelled
approved, edited → consumed, once;   approved, edited → pending, by undo or a lost role
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    RESPONDED = "responded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CONSUMED = "consumed"


GRANTED = frozenset({State.APPROVED, State.EDITED})


class Say(StrEnum):
    """What a person may say to a request. `RELABEL` corrects what nobody had asked about."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    RELABEL = "relabel"


class Risk(StrEnum):
    """How much friction the page puts before an approval."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDraft(Wire):
    """What is asked of people. `subject` is what it is about (`action/act_…`).

    `agent` acts for `requester`, who may refuse but not approve; nor may the `owner` of the
    program that asks, whoever it says it acts for. `arguments` are canonical,
    and `schema` is what an edit must fit. `evidence` is shown as it is, fenced, never obeyed;
    of its names, `grounding` (a list of grounds) and `before` (the arguments as they stand in
    the world now) are laid out. `amount` is in US dollars. `binding` is the digest of
    everything an approval stands for. `quorum` people with one of `roles` must approve; no
    roles means anybody who may answer. At `due_at` it climbs to the next of `escalate_to`
    (a role, or a person's name). From `expires_at` on the answer is no.
    """

    subject: str
    agent: str
    requester: str
    tool: str
    title: str
    why: str
    risk: Risk
    arguments: Mapping[str, Any]
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    amount: Decimal | None = None
    reversible: str = ""
    confidence: float | None = None
    turn: str = ""
    trace: str = ""
    version: str = ""
    binding: str
    roles: tuple[str, ...] = ()
    quorum: int = 1
    due_at: datetime
    expires_at: datetime
    escalate_to: tuple[str, ...] = ()
    owner: str = ""

    @property
    def askers(self) -> frozenset[str]:
        """Who wants it, and therefore does not approve it."""
        return frozenset({self.requester, self.owner}) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Wire):
    """One person's answer. `seconds` is how long it lay open before them, by our clock.

    An answer that was taken back has `undone_at`, and speaks no more.
    """

    by: str
    say: Say
    reason: str = ""
    text: str = ""
    arguments: Mapping[str, Any] | None = None
    at: datetime
    seconds: float | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RequestDraft):
    """A request as it stands. `round` counts how often its answers were taken back.

    `under` names the request that stands for this one and others like it in the list;
    `flood` says that its agent asks more than people can read.
    """

    id: str
    state: State = State.PENDING
    asked_at: datetime
    edited: Mapping[str, Any] | None = None
    assignee: str = ""
    snoozed_until: datetime | None = None
    climbed: int = 0
    under: str = ""
    flood: bool = False
    answered_at: datetime | None = None
    answered_by: str = ""
    reason: str = ""
    text: str = ""
    release_at: datetime | None = None
    round: int = 0
    revision: int = 1
    answers: tuple[Said, ...] = ()

    @property
    def ref(self) -> str:
        """How approvals and the journal name the request itself."""
        return f"request/{self.id}"

    @property
    def proposed(self) -> Mapping[str, Any]:
        """The arguments that would be executed as it stands."""
        return self.arguments if self.edited is None else self.edited

    @property
    def shown(self) -> str:
        """The digest of what a person sees, to which their answer is bound.

        It is the binding itself, until somebody edits the arguments or takes an answer back:
        then everything that was said before is void.
        """
        if self.edited is None and self.round == 0:
            return self.binding
        return digest(
            {
                "binding": self.binding,
                "arguments": dict(self.proposed),
                "round": self.round,
            }
        )

    @property
    def next_at(self) -> datetime | None:
        """When the clock alone changes it next; never for what is over."""
        if self.state is State.PENDING and self.climbed < len(self.escalate_to):
            return min(self.due_at, self.expires_at)
        return self.expires_at if self.state in {State.PENDING, *GRANTED} else None

    def over(self, now: datetime) -> bool:
        return now >= self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed(Wire):
    """An approval, used up: what to execute, and who said so. `edited` says whether people
    changed the arguments; then contract and policy have to be asked again.
    """

    request: str
    arguments: Mapping[str, Any]
    edited: bool
    by: tuple[str, ...]
    reason: str = ""
    kind: Literal["consumed"] = "consumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Care(Wire):
    """How deliberately an approval of something risky was given: what was typed, or for how
    many milliseconds the button was held.
    """

    typed: str = ""
    held_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Wire):
    """How a project watches over its own oversight.

    `probe_share` of requests are followed by a known-bad one that must be refused,
    `second_share` of the answered ones go to a second person who does not see the answer.
    `crowd` is how many requests of one agent stand in the list by themselves. `grace` is how
    many seconds an approval can be taken back before its effect is released.
    """

    probe_share: float = 0.0
    second_share: float = 0.0
    crowd: int = 20
    grace: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDraft(Wire):
    """A person decided otherwise than the agent, without having been asked in the inbox.

    `asked` is what the agent had been asked, where the caller knows it.
    """

    subject: str
    agent_decision: Any
    human_decision: Any
    reasoning: str
    agent: str = ""
    version: str = ""
    tool: str = ""
    say: Say = Say.RELABEL
    category: str = ""
    trace: str = ""
    asked: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override(Wire):
    """A person decided otherwise than the agent: what both said, and why.

    Everything that teaches reads these: datasets, judges, thresholds, the next version.
    `category` is a suggestion until `sorted_by` says who set it.
    """

    id: str
    request: str
    subject: str
    agent: str
    version: str
    tool: str
    agent_decision: Any
    human_decision: Any
    say: Say
    reasoning: str
    category: str = ""
    sorted_by: str = ""
    by: str
    at: datetime
    trace: str = ""
    asked: Any = None
    retracted_at: datetime | None = None
