"""What an occasion is, when the next one is due, and whether it was kept. No I/O.

Times are UTC, and so are months: an occasion of November is one of November in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from opsroom.kit.wire import Wire

from .errors import BadCadence, BadDate, Unanswered

GRACE = timedelta(
    days=7
)  # at least so long is left for what comes up in the middle of a period
REMIND_EVERY = timedelta(days=7)
CLAIM = timedelta(hours=1)  # so long one begins it, unless the process ended
FARTHEST = timedelta(days=90)
MOST_EVIDENCE = 600
MOST_TEXT = 2_000


class Kind(StrEnum):
    PROMPT_AUDIT = "prompt-audit"
    OPTIMISATION = "optimisation"
    EVENT_REVIEW = "event-review"
    ACCESS_REVIEW = "access-review"
    JUDGE_CALIBRATION = "judge-calibration"
    CONTRACT_TESTS = "contract-tests"


class State(StrEnum):
    """`missed`: nobody had begun it in time when the next one came up. `cancelled`: what it was
    about does not serve any more, or the next came up before it was due.
    """

    OPEN = "open"
    STARTED = "started"
    CLOSED = "closed"
    MISSED = "missed"
    CANCELLED = "cancelled"


LIVE = (State.OPEN, State.STARTED)
ENDED = frozenset({State.CLOSED, State.MISSED})  # what a streak is made of


class Verdict(StrEnum):
    """What a person says to a question: it holds as it is, or something has to be done. Of an
    access, `act` takes it away.
    """

    HOLDS = "holds"
    ACT = "act"


AUDITED = ("relevance", "token efficiency", "edge-case coverage")
QUESTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.PROMPT_AUDIT: AUDITED,
    Kind.OPTIMISATION: ("the search",),
    Kind.EVENT_REVIEW: ("what happened",),
    Kind.JUDGE_CALIBRATION: ("the judge",),
    Kind.CONTRACT_TESTS: ("the integration",),
}
NAMES: Mapping[Kind, str] = {
    Kind.PROMPT_AUDIT: "Prompt audit",
    Kind.OPTIMISATION: "Optimisation",
    Kind.EVENT_REVIEW: "Review",
    Kind.ACCESS_REVIEW: "Access review",
    Kind.JUDGE_CALIBRATION: "Judge recalibration",
    Kind.CONTRACT_TESTS: "Contract tests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit(Wire):
    """A record as it was when it was attached: its name, the SHA-256 of what it said, and that
    in words. `about` is the question it speaks to; empty speaks to all.
    """

    record: str
    digest: str
    says: str
    about: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Wire):
    verdict: Verdict
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Wire):
    """A date that was changed."""

    before: datetime
    after: datetime
    at: datetime
    by: str
    because: str


def title(kind: Kind, subject: str) -> str:
    """What people call an occasion."""
    return f"{NAMES[kind]}: {subject.partition('/')[2].replace('/', ', part ')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An occasion in a line: what it is called, and when it is due."""

    id: str
    title: str
    due_at: datetime

    def late(self, now: datetime) -> bool:
        return now > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion(Wire):
    """One thing that people have to look at by `due_at`. `period` is the month it belongs to,
    or the journal entry that called for it; there is one for each kind, subject and period.
    """

    id: str
    kind: Kind
    subject: str
    period: str
    because: str
    owner: str
    state: State
    due_at: datetime
    first_due: datetime
    opened_at: datetime
    questions: tuple[str, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    evidence: tuple[Exhibit, ...] = ()
    moves: tuple[Move, ...] = ()
    started_at: datetime | None = None
    started_by: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""
    reminded: int = 0
    remind_at: datetime
    revision: int = 1

    @property
    def ref(self) -> str:
        return f"occasion/{self.id}"

    @property
    def title(self) -> str:
        return title(self.kind, self.subject)

    @property
    def about(self) -> str:
        """The name of the subject, without its kind."""
        return self.subject.partition("/")[2]

    @property
    def whole(self) -> str:
        """What it is about; a review in parts has `project/default/2` as its second."""
        return "/".join(self.subject.split("/")[:2])

    @property
    def promised(self) -> datetime:
        """The date that counts: moving one that has passed does not make it kept."""
        held = self.first_due
        for move in self.moves:
            if move.at <= held:
                held = move.after
        return held

    @property
    def kept(self) -> bool:
        """Whether it was done in time."""
        return self.closed_at is not None and self.closed_at <= self.promised

    def late(self, now: datetime) -> bool:
        return self.state in LIVE and now > self.due_at

    def beginning(self, now: datetime) -> bool:
        """Whether somebody is about to begin it, and its evidence is being collected."""
        claimed = self.started_at
        return self.state is State.OPEN and claimed is not None and now - claimed < CLAIM

    def with_evidence(self, more: Sequence[Exhibit]) -> "Occasion":
        """With these too; what says the same of the same record is there once."""
        there = {(one.record, one.digest, one.about) for one in self.evidence}
        new = [one for one in more if (one.record, one.digest, one.about) not in there]
        return replace(self, evidence=(*self.evidence, *new)[:MOST_EVIDENCE])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Wire):
    """How often a kind comes up, and how many days after the beginning of its period (or after
    what called for it) it is due. Without an owner, who owns the subject has it.
    """

    on: bool = True
    every_months: int = 1
    within_days: int = 14
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Wire):
    """Which occasions a project has. `every_months` of a review after an event says nothing."""

    prompt_audit: Rule = field(default_factory=Rule)
    optimisation: Rule = field(default_factory=lambda: Rule(every_months=3, within_days=45))
    event_review: Rule = field(default_factory=lambda: Rule(within_days=7))
    access_review: Rule = field(default_factory=lambda: Rule(every_months=3, within_days=21))
    judge_calibration: Rule = field(
        default_factory=lambda: Rule(every_months=3, within_days=30)
    )
    contract_tests: Rule = field(default_factory=Rule)

    def rule(self, kind: Kind) -> Rule:
        found: Rule = getattr(self, kind.value.replace("-", "_"))
        return found


def check_settings(settings: Settings) -> None:
    """Raises `BadCadence`."""
    for kind in Kind:
        rule = settings.rule(kind)
        if rule.every_months not in {1, 2, 3, 4, 6, 12}:
            raise BadCadence(kind.value, f"every {rule.every_months} months fits no year")
        longest = 90 if kind is Kind.EVENT_REVIEW else 28 * rule.every_months
        if not 1 <= rule.within_days <= longest:
            raise BadCadence(
                kind.value, f"{rule.within_days} days do not lie between 1 and {longest}"
            )
        if len(rule.owner) > 100:
            raise BadCadence(kind.value, "an owner has at most 100 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The stretch of months that an occasion belongs to."""

    begins: datetime
    months: int

    @property
    def key(self) -> str:
        """Its first month and its length, as in ISO 8601: `2026-10/P3M`."""
        return f"{self.old_key}/P{self.months}M"

    @property
    def old_key(self) -> str:
        """What it was called while keys did not say how long a period is."""
        return f"{self.begins:%Y-%m}"


def period_of(now: datetime, every_months: int) -> Period:
    """The period that `now` lies in; periods begin with the year."""
    at = now.astimezone(UTC)
    month = (at.month - 1) // every_months * every_months + 1
    return Period(begins=datetime(at.year, month, 1, tzinfo=UTC), months=every_months)


def due_of(period: Period, rule: Rule, *, now: datetime) -> datetime:
    """When an occasion that comes up now is due."""
    within = timedelta(days=rule.within_days)
    return max(
        end_of(period.begins + within - timedelta(days=1)), end_of(now + min(within, GRACE))
    )


def end_of(day: datetime) -> datetime:
    """The last second of a day."""
    return day.astimezone(UTC).replace(hour=23, minute=59, second=59, microsecond=0)


def check_move(occasion: Occasion, to: datetime, *, now: datetime) -> None:
    """Raises `BadDate` for a date that has passed, is the same, or is too far away."""
    day = f"{to:%Y-%m-%d}"
    if to <= now:
        raise BadDate(day, "it has passed")
    if to == occasion.due_at:
        raise BadDate(day, "it is that already")
    if to - now > FARTHEST:
        raise BadDate(day, f"it is more than {FARTHEST.days} days away")


def check_answers(occasion: Occasion, answers: Mapping[str, Answer]) -> None:
    """Every question has an answer, and each `act` a reason. Raises `Unanswered`."""
    for one in answers:
        if one not in occasion.questions:
            raise Unanswered(one[:200], "is no question of this occasion")
    for question in occasion.questions:
        answer = answers.get(question)
        if answer is None:
            raise Unanswered(question, "has no answer")
        if answer.verdict is Verdict.ACT and not answer.because.strip():
            raise Unanswered(question, "has no reason, and something is to be done about it")
        if len(answer.because) > MOST_TEXT:
            raise Unanswered(question, f"has a reason of more than {MOST_TEXT:,} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak(Wire):
    """How many of a kind were done in time in a row up to now, of how many that ended. What is
    overdue ends a streak at once.
    """

    kind: Kind
    streak: int
    kept: int
    ended: int
    overdue: int


def streak(kind: Kind, newest_first: Sequence[Occasion], *, now: datetime) -> Streak:
    """The streak of what ended, newest due date first, beside what is still live."""
    ended = [one for one in newest_first if one.state in ENDED]
    overdue = sum(one.late(now) for one in newest_first)
    run = 0
    for one in ended:
        if not one.kept or overdue:
            break
        run += 1
    kept = sum(one.kept for one in ended)
    return Streak(kind=kind, streak=run, kept=kept, ended=len(ended), overdue=overdue)
