"""What is kept of what agents did: traces, spans, and how a project wants them kept. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from opsroom.kit.wire import Wire

from .asked import Asked

Status = Literal["unset", "ok", "error"]
MOST_RULES, MOST_PRICES = 50, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Wire):
    """Something that happened at a moment of a span."""

    at: datetime
    name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Wire):
    """Another span that this one has to do with."""

    trace_id: str
    span_id: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Wire):
    """One step of a trace.

    Tokens and cost stand on spans that called a model, and nowhere else. `cost` is in US
    dollars; None means not known, and `basis` says why, or else whose list price it is.
    `content` holds what was said, and is empty where the project does not keep that.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: datetime
    duration: timedelta
    operation: str
    status: Status
    status_message: str
    error_type: str
    service: str
    environment: str
    agent: str
    version: str
    manifest: str
    release: str
    arm: str
    turn: str
    action: str
    session: str
    user: str
    tool: str
    provider: str
    requested_model: str
    served_model: str
    prompt: str
    prompt_version: str
    verdict: str
    calls_model: bool
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: Decimal | None
    basis: str
    confidence: float | None
    attributes: dict[str, str]
    content: dict[str, str]
    resource: dict[str, str]
    scope: str
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    dropped: int
    received: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Wire):
    """A trace in one line. `cost` is what is known of it; `unpriced` counts the model calls
    whose cost is not. `cursor` is its place in the list, for the page after it.
    """

    trace_id: str
    cursor: str
    name: str
    first: datetime
    duration: timedelta
    failed: bool
    agents: tuple[str, ...]
    models: tuple[str, ...]
    session: str
    user: str
    release: str
    environment: str
    spans: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which traces: those with a span for which all of this holds. Empty means any. `where` is
    about the trace as a whole.
    """

    since: datetime | None = None
    until: datetime | None = None
    agent: str = ""
    release: str = ""
    session: str = ""
    user: str = ""
    tool: str = ""
    served_model: str = ""
    environment: str = ""
    prompt: str = ""
    turn: str = ""
    action: str = ""
    status: str = ""
    error_type: str = ""
    where: Asked | None = None


# The words of a filter, by the names of their parameters.
WORDS = (
    "agent", "tool", "served_model", "session", "user", "release", "turn", "action",
    "environment", "prompt", "status", "error_type",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDraft(Wire):
    """What to ask under which name: `q` in the filter language, `words` by the name of their
    parameter, and no older than so many hours (0: however old).
    """

    name: str
    q: str = ""
    words: dict[str, str] = field(default_factory=dict[str, str])
    hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Wire):
    """A view as it is kept, and who saved it last."""

    name: str
    q: str
    words: dict[str, str]
    hours: int
    by: str
    at: datetime

    @property
    def given(self) -> dict[str, str]:
        """The parameters of the address that it stands for."""
        told = {name: self.words[name] for name in WORDS if name in self.words}
        told |= {"q": self.q} if self.q else {}
        return told | ({"hours": str(self.hours)} if self.hours else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRule(Wire):
    """A redaction rule that a project wrote, in RE2 syntax."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice(Wire):
    """What a model costs here, in US dollars for a million tokens, whatever the list says."""

    model: str
    provider: str = ""
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(Wire):
    """How a project wants its telemetry kept.

    `contents` says whether what was said is kept, or only what happened; `shipped` are the
    redaction rules of ours that apply, `rules` the project's own.
    """

    contents: bool = True
    shipped: tuple[str, ...] = ()
    rules: tuple[OwnRule, ...] = ()
    prices: tuple[OwnPrice, ...] = field(default=())
    revision: int = 0
