"""What is said of what an agent did, by whom, and how much of it counts. No I/O, and light.

Three sources say something: users (helpful, accurate, complete, free text), agents (how sure
they were, on what grounds) and the business (a named result, which may be known weeks later).
One voice counts once: of several things that one user says of one subject the newest counts,
of several values of one result the one that was known last.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor
from opsroom.kit.wire import Wire, plain

from .errors import BadFeedback

MOST_TEXT = 4_000
MOST_SOURCES = 20
MOST_SOURCE = 500
MOST_NAME = 200
MOST_AT_ONCE = 500
AHEAD = timedelta(days=1)  # clocks differ; a result that is known later than this is a mistake

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PER_SUBJECT = 10  # what one voice may say of one piece of work within an hour
PER_USER = 30  # what one user may say of everything within an hour
MOST_OF_ONE = 200  # what is kept of one user within a day, set aside or not
PER_REPORTER = 5_000  # what an agent, or one voice of the business, may say within a day
MOST_OF_REPORTER = 10_000  # what is kept of one of them within a day, set aside or not

FIRST_LOOK = timedelta(seconds=30)  # until one looks again for work that was not known
LOOK_FOR = timedelta(days=2)  # so long a trace may take to arrive

BY_LINK, OF_AGENT = "link:", "agent:"

Clean = Callable[[str], str]
_SUBJECT = re.compile(r"(turn|action|trace)/[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}", re.ASCII)
_TRACE = re.compile(r"trace/[0-9A-Fa-f]{32}", re.ASCII)
_KPI = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}", re.ASCII)
_VERSION = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}@[0-9]{1,9}", re.ASCII)


class Source(StrEnum):
    """Who says it."""

    USER = "user"
    AGENT = "agent"
    BUSINESS = "business"


class State(StrEnum):
    """Whether it is used: `quarantined` is kept and shown, and counts for nothing."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackDraft(Wire):
    """What somebody says of a `turn/…`, an `action/…` or a `trace/…`.

    `key` is the caller's idempotency key. `by` is whose voice it is; without it, that of
    whoever reports it. `agent` and `version` (`name@3`) are for traces that no turn belongs
    to; where one does, it knows better. `use_case` is what the work was for; without it, it
    follows from the intent of the turn. The rest depends on the source: a user says
    `helpful`, `accurate`, `complete` or `text`; an agent `confidence`, `sources` or
    `reasoning`; the business a `kpi` with its `value` and `unit`, and since when it is known.
    """

    subject: str
    source: Source = Source.USER
    key: str = ""
    by: str = ""
    agent: str = ""
    version: str = ""
    use_case: str = ""
    helpful: bool | None = None
    accurate: bool | None = None
    complete: bool | None = None
    text: str = ""
    confidence: Annotated[float, Field(allow_inf_nan=False)] | None = None
    sources: tuple[str, ...] = ()
    reasoning: str = ""
    kpi: str = ""
    value: Annotated[Decimal, Field(allow_inf_nan=False)] | None = None
    unit: str = ""
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Wire):
    """What is known of a subject: whose work it was, and for what. Empty is not known."""

    agent: str = ""
    version: str = ""
    environment: str = ""
    release: str | None = None
    arm: str = ""
    turn: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(FeedbackDraft):
    """Feedback as it is kept. `counts` says whether figures use it: it does not while it is
    set aside, or where the same voice said something newer. `version` is cited (`name@7`),
    and `joined` says whether the subject is known here.
    """

    id: str
    state: State = State.ACCEPTED
    because: str = ""
    counts: bool = True
    joined: bool = False
    environment: str = ""
    release: str | None = None
    arm: str = ""
    turn: str = ""
    trace: str = ""
    reported_by: str
    at: datetime
    released_by: str = ""
    digest: str

    @property
    def ref(self) -> str:
        """What the journal calls it."""
        return f"feedback/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How much one voice has said, set aside or not: of the same work within the hour, of
    everything within the hour and within the day. Of users, not what a person has let through;
    the hour of agents and the business is not counted.
    """

    of_subject: int = 0
    in_hour: int = 0
    in_day: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Use it."""

    kind: Literal["take"] = "take"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Keep it, and use it for nothing. With `all_of_it`, nor what the same voice said within
    the hour.
    """

    because: str
    all_of_it: bool = False
    kind: Literal["set_aside"] = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Count it, and keep nothing of it."""

    because: str
    kind: Literal["refuse"] = "refuse"


def checked(draft: FeedbackDraft, *, now: datetime) -> FeedbackDraft:
    """The draft with blanks off its ends and a `known_at`, where it says something that its
    source may say. Raises `BadFeedback`.
    """
    draft = replace(
        draft,
        **{name: getattr(draft, name).strip() for name in (*_NAMES, "text", "reasoning")},
        known_at=(draft.known_at or now) if draft.source is Source.BUSINESS else draft.known_at,
    )
    if _TRACE.fullmatch(draft.subject):
        draft = replace(draft, subject=draft.subject.lower())
    if _SUBJECT.fullmatch(draft.subject) is None:
        raise BadFeedback("its subject is turn/…, action/… or trace/…")
    for name in _NAMES:
        if len(getattr(draft, name)) > MOST_NAME:
            raise BadFeedback(f"{name} has at most {MOST_NAME} characters")
    if draft.version and _VERSION.fullmatch(draft.version.removeprefix("agent/")) is None:
        raise BadFeedback("a version is cited as name@7")
    for source, names in _SAYS.items():
        said = [name for name in names if getattr(draft, name) not in _NOTHING]
        if source is draft.source and not said:
            raise BadFeedback(f"{_CALLED[source]} says {', '.join(names[:-1])} or {names[-1]}")
        if source is not draft.source and said:
            raise BadFeedback(f"{said[0]} is not for {_CALLED[draft.source]} to say")
    _check_values(draft, now)
    return draft


def cleaned(draft: FeedbackDraft, clean: Clean, *, project: str) -> FeedbackDraft:
    """The draft as it may be kept: texts cut, and without what the project wants taken out.

    A `by` that has to be taken out (an address) becomes a name that stands for it, the same
    one every time, so that one voice stays one voice.
    """

    def kept(text: str, most: int) -> str:
        text = clean(text.replace("\0", ""))
        return text if len(text) <= most else text[: most - 1] + "…"

    return replace(
        draft,
        by=draft.by if clean(draft.by) == draft.by else _alias(draft.by, project),
        use_case=kept(draft.use_case, MOST_NAME),
        text=kept(draft.text, MOST_TEXT),
        reasoning=kept(draft.reasoning, MOST_TEXT),
        sources=tuple(kept(one, MOST_SOURCE) for one in draft.sources[:MOST_SOURCES]),
        unit=kept(draft.unit, MOST_NAME),
    )


def digest_of(draft: FeedbackDraft) -> str:
    """The same for the same feedback, as the caller wrote it."""
    return digest(plain(replace(draft, key="")))


def admit(source: Source, heard: Heard) -> Take | SetAside | Refuse:
    """What becomes of one more thing that a voice says.

    Agents and the business report as much as there is work; a user has only so many hands. What
    a reporter said before it said too much is used all the same.
    """
    of_user = source is Source.USER
    most = MOST_OF_ONE if of_user else MOST_OF_REPORTER
    if heard.in_day >= most:
        return Refuse(because=f"no more than {most:,} are kept in a day")
    if of_user and heard.in_hour >= PER_USER:
        return SetAside(because=f"more than {PER_USER} within an hour", all_of_it=True)
    if not of_user and heard.in_day >= PER_REPORTER:
        return SetAside(because=f"more than {PER_REPORTER:,} within a day")
    if heard.of_subject >= PER_SUBJECT:
        return SetAside(because=f"more than {PER_SUBJECT} of one subject within an hour")
    return Take()


def after(kept: Feedback, known: Known, *, use_case: str) -> Feedback:
    """The feedback once its subject is known."""
    return replace(
        kept,
        agent=known.agent or kept.agent,
        version=known.version or kept.version,
        environment=known.environment,
        release=known.release,
        arm=known.arm,
        turn=known.turn,
        trace=known.trace or kept.trace,
        use_case=kept.use_case or use_case,
        joined=True,
    )


def voice(draft: FeedbackDraft, reporter: Actor, about: str) -> str:
    """Whose voice it is: of an agent its own, whomever it names. What a program reports of a
    user it does not name is nobody's in particular: all of that about one piece of work is one
    voice.
    """
    if reporter.agent:
        return reporter.name
    if draft.by or reporter.human or draft.source is not Source.USER:
        return draft.by or reporter.name
    return f"anybody:{about}"


def about_of(source: Source, subject: str, turn: str) -> str:
    """What a voice is heard of once. A user who speaks of a turn, of its trace and of actions in
    it speaks of one thing; agents and the business report of each.
    """
    return f"turn/{turn}" if turn and source is Source.USER else subject


def agent_behind(reported_by: str) -> str:
    """The agent whose token reported it, or made the link that it came by; empty for others."""
    maker = reported_by.removeprefix(BY_LINK)
    return maker.removeprefix(OF_AGENT) if maker.startswith(OF_AGENT) else ""


def alone_for(project: str, one: FeedbackDraft) -> list[str]:
    """What nobody else may change while this is weighed: how much its voice has said, and which
    of several things counts.
    """
    names = [f"feedback {project} {one.source} {one.by}"]
    if one.source is Source.BUSINESS:
        names.append(f"feedback {project} {one.subject} {one.kpi}")
    return names


def next_look(at: datetime, *, now: datetime, patience: timedelta) -> datetime | None:
    """When to look again for the work of what was said `at`: the longer it is unknown, the less
    often. None where it has been looked for long enough.
    """
    age = now - at
    return None if age >= patience else now + max(FIRST_LOOK, age)


def trace_of(subject: str) -> str:
    kind, _, name = subject.partition("/")
    return name if kind == "trace" else ""


def _check_values(draft: FeedbackDraft, now: datetime) -> None:
    if draft.confidence is not None and not 0 <= draft.confidence <= 1:
        raise BadFeedback("confidence lies between 0 and 1")
    if draft.source is not Source.BUSINESS:
        return
    if _KPI.fullmatch(draft.kpi) is None:
        raise BadFeedback("a kpi has a name like on-time-delivery")
    if draft.value is None or abs(draft.value) > 10**15 or _decimals(draft.value) > 12:
        raise BadFeedback("a kpi has a value, of 10^15 and twelve decimals at most")
    if draft.known_at is None or draft.known_at.tzinfo is None:
        raise BadFeedback("known_at is a time with its zone, like 2026-11-20T09:00:00Z")
    if draft.known_at > now + AHEAD:
        raise BadFeedback("known_at lies in the future")


def _decimals(value: Decimal) -> int:
    places = value.as_tuple().exponent
    return -places if isinstance(places, int) else 0


def _alias(by: str, project: str) -> str:
    return f"user-{digest([project, by])[:16]}"


_NAMES = ("subject", "key", "by", "agent", "version", "use_case", "kpi", "unit")
_NOTHING: Sequence[Any] = (None, "", ())
_SAYS = {
    Source.USER: ("helpful", "accurate", "complete", "text"),
    Source.AGENT: ("confidence", "sources", "reasoning"),
    Source.BUSINESS: ("kpi", "value"),
}
_CALLED = {Source.USER: "a user", Source.AGENT: "an agent", Source.BUSINESS: "the business"}
