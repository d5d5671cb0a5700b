"""What a report is: a question, columns, rows that answer it, and the records behind them. No I/O.

Also when a schedule is due, and which time a report is then about: the last complete week
(Monday to Sunday) or calendar month, in UTC.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from opsroom.evidence import Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from .errors import NoStretch

PAGE = 200  # rows of an answer; a table as CSV has all of them
MOST_RECORDS = 5
MOST_TEXT = 300
USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)
LEAST = 20  # observations, below which a rate ranks nothing
HOUR = 6  # of the day (UTC) at which schedules send

# Of each report its title, and the question that it answers.
NAMES: dict[str, tuple[str, str]] = {
    "prompts": (
        "Prompts and agent coverage",
        "Which prompts serve, which agents use them, and what was never proven?",
    ),
    "failing-prompts": ("Top failing prompts", "Which prompts fail most often?"),
    "satisfaction": ("Satisfaction by use case", "What do users say of the work?"),
    "changes": ("Change log by agent", "Who changed which agent, when, and who agreed?"),
    "exposure": (
        "Critical workflows with AI exposure",
        "What do agents decide where harm is greatest, and how much of it alone?",
    ),
    "cost": ("Cost against plan", "What did agents cost, and what was planned?"),
}


class Shape(StrEnum):
    """How the cells of a column are read."""

    TEXT = "text"
    COUNT = "count"
    RATE = "rate"
    MEAN = "mean"
    USD = "usd"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Wire):
    key: str
    title: str
    shape: Shape = Shape.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Wire):
    """So many of so many, with the exact 95 % interval (Clopper and Pearson); no interval where
    there was nothing.
    """

    hits: int
    n: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(Wire):
    """A mean in US dollars over `n`, with a 95 % interval where there is enough for one."""

    mean: float
    n: int
    low: float | None
    high: float | None


Cell = Rate | Mean | int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Wire):
    """A record that a row rests on: what it is called, and its page."""

    name: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Wire):
    """Cells by the key of their column; amounts and times are text, as in JSON everywhere."""

    cells: dict[str, Cell]
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Wire):
    """One number over everything that the report is about."""

    name: str
    value: Cell
    shape: Shape = Shape.COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a report: from `since` until before `until`, of one agent if named.

    `least` is from how many observations on a rate ranks. `after` is where the last page ended.
    """

    since: datetime
    until: datetime
    agent: str = ""
    least: int = LEAST
    after: str = ""
    limit: int = PAGE

    @property
    def first(self) -> bool:
        """Whether it begins, so that facts and notes are wanted."""
        return not self.after


@dataclass(frozen=True, slots=True)
class Found:
    """What a report has to say: facts (of the first page), some rows, where to go on (empty at
    the end), and what one has to know beside.
    """

    rows: Sequence[Row]
    facts: Sequence[Fact] = ()
    next: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Wire):
    """A report as it was made at one moment. `next` is what to pass as `after` for more rows;
    empty where these are all.
    """

    report: str
    title: str
    question: str
    project: str
    agent: str
    since: datetime
    until: datetime
    made_at: datetime
    facts: tuple[Fact, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    next: str
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        return digest(plain(self))


class Every(StrEnum):
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDraft(Wire):
    """Send a report through a channel, every week or month."""

    report: str
    every: Every
    channel: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(ScheduleDraft):
    """A schedule at work until `ended_at`. `said` is why the last report is not sent yet."""

    id: str
    created_at: datetime
    created_by: str
    next_at: datetime
    ended_at: datetime | None = None
    said: str = ""
    revision: int = 1

    @property
    def ref(self) -> str:
        return f"report-schedule/{self.id}"

    def sent(self, now: datetime) -> "Schedule":
        """The schedule when the report of this time is on its way."""
        return replace(self, next_at=due_after(self.every, now), said="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Wire):
    """What was sent: which report, about which time, and how it went on its way."""

    id: str
    report: str
    schedule: str
    channel: str
    delivery: str
    since: datetime
    until: datetime
    made_at: datetime
    digest: str

    @property
    def ref(self) -> str:
        return f"report/{self.id}"


def rate(hits: int, n: int) -> Rate:
    if not n:
        return Rate(hits=0, n=0, low=None, high=None)
    found = clopper_pearson(Tally(n=n, hits=hits))
    return Rate(hits=hits, n=n, low=found.low, high=found.high)


def cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


_BACK = re.compile(r"([1-9][0-9]{0,3})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def stretch(since: str, until: str, *, now: datetime) -> tuple[datetime, datetime]:
    """The time somebody means: `since` as `30d` before the end or as a moment, `until` as a
    moment; without them the last 30 days. UTC where no zone is named. Raises `NoStretch`.
    """
    try:
        end = _moment(until) if until else now
        back = _BACK.fullmatch(since)
        if back:
            begin = end - int(back[1]) * _UNITS[back[2]]
        else:
            begin = _moment(since) if since else end - USUAL
    except (ValueError, OverflowError) as error:
        raise NoStretch(since, until) from error
    if not timedelta(0) < end - begin <= LONGEST:
        raise NoStretch(since, until)
    return begin, end


def complete(every: Every, now: datetime) -> tuple[datetime, datetime]:
    """The last week or month that is over."""
    end = _begin(every, now)
    return _begin(every, end - timedelta(hours=1)), end


def due_after(every: Every, now: datetime) -> datetime:
    """When a report is to be sent next, after now."""
    at = _begin(every, now) + timedelta(hours=HOUR)
    while at <= now:
        # No week or month is longer than this, and none shorter than half of it.
        later = timedelta(days=7 if every is Every.WEEK else 32)
        at = _begin(every, at + later) + timedelta(hours=HOUR)
    return at


def _begin(every: Every, at: datetime) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if every is Every.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday())


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def amount(value: Any) -> str:
    """US dollars as text, to the millionth."""
    return f"{value:.6f}"
