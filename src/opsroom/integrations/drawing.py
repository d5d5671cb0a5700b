"""How integrations are put into words and marks. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.web.charts import Tone

from .calls import Bucket, Health
from .differ import Change, Level
from .differ.changes import WORST
from .model import ENOUGH, GOOD, POOR, Outcome, Run, State

HOURS = 24
MOST_SHOWN = 60
MOST_OPERATIONS = 4

TONES: dict[State, Tone] = {
    State.UNCHECKED: "muted",
    State.HEALTHY: "good",
    State.DEGRADED: "warn",
    State.BROKEN: "bad",
    State.DRIFTED: "bad",
}
LEVELS: dict[Level, Tone] = {
    Level.BREAKING: "bad",
    Level.WARNING: "warn",
    Level.COMPATIBLE: "good",
}
OUTCOMES: dict[Outcome, Tone] = {
    Outcome.PASSED: "good",
    Outcome.CHANGED: "warn",
    Outcome.FAILED: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One piece of a strip, as the page's stepper draws it."""

    title: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One change in words, with every operation that it happened to."""

    level: Level
    tone: Tone
    words: str
    operations: tuple[str, ...]
    more: int


def hours(buckets: Iterable[tuple[datetime, Bucket]], *, now: datetime) -> list[Mark]:
    """The last 24 hours, oldest first: how calls went in each."""
    known = dict(buckets)
    last = now.replace(minute=0, second=0, microsecond=0)
    return [_hour(last - timedelta(hours=back), known) for back in range(HOURS - 1, -1, -1)]


def _hour(since: datetime, known: dict[datetime, Bucket]) -> Mark:
    clock, seen = f"{since:%H:%M}", known.get(since)
    if seen is None or not seen.calls:
        return Mark(title=f"{clock}, no call", state="skipped")
    share = (seen.calls - seen.failures) / seen.calls
    state = "done" if share >= GOOD else "held" if share >= POOR else "failed"
    good = seen.calls - seen.failures
    return Mark(title=f"{clock}, {good:,} of {seen.calls:,} calls succeeded", state=state)


def changes(found: Sequence[Change]) -> list[Said]:
    """Changes in words, the worst first; the same change in many operations is said once."""
    grouped: dict[tuple[Level, str], list[str]] = {}
    for one in found:
        grouped.setdefault((one.level, one.words), []).append(one.operation)
    ordered = sorted(grouped.items(), key=lambda one: (-WORST[one[0][0]], -len(one[1])))
    return [
        Said(
            level=level,
            tone=LEVELS[level],
            words=words,
            operations=tuple(operations[:MOST_OPERATIONS]),
            more=max(0, len(operations) - MOST_OPERATIONS),
        )
        for (level, words), operations in ordered[:MOST_SHOWN]
    ]


def rate(seen: Health) -> str:
    """The share of calls that succeeded, in words."""
    return "–" if seen.rate is None else f"{seen.rate:.1%}".replace("%", " %")


def rate_tone(seen: Health) -> Tone:
    if seen.rate is None or seen.calls < ENOUGH:
        return "muted"
    return "good" if seen.rate >= GOOD else "warn" if seen.rate >= POOR else "bad"


def seconds(value: float | None) -> str:
    """A span of time as short as it can be said."""
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def summary(run: Run) -> str:
    """What a check came to, in a few words."""
    failed, total = len(run.failed_tests), len(run.tests)
    parts = [run.words] if run.words else []
    if total:
        parts.append(f"{total - failed} of {total} tests passed")
    changed = len(run.changes) + run.omitted
    if changed:
        word = "change" if changed == 1 else "changes"
        parts.append(f"{changed} {word} since what was accepted")
    return ", ".join(parts) or "it says what it said before"
