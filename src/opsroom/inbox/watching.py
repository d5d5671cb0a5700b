"""Who watches the reviewers: probes, second looks, and what both say about them. Pure.

A probe is a copy of a request that is known to be bad; a second look is a copy of one that
somebody has answered, for a person who does not see that answer. Neither is ever executed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from opsroom.evidence.model import Interval, Tally
from opsroom.evidence.rates import clopper_pearson
from opsroom.kit.wire import Wire

from .model import Say

Sort = Literal["probe", "second"]
GLANCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Wire):
    """What a request is there to find out: a copy of `of`, whose right answer is known.

    Those in `barred` know it too well to be asked.
    """

    sort: Sort
    of: str
    expected: Say
    barred: tuple[str, ...] = ()

    def passed(self, say: Say) -> bool:
        """A probe is passed by anything but an approval as it stands, a second look by
        agreeing on whether it is to be done.
        """
        if self.sort == "probe":
            return say is not Say.APPROVE
        lets = {Say.APPROVE, Say.EDIT}
        return (say in lets) == (self.expected in lets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wire):
    """`hits` of `n`, with the interval that n allows; none where nothing was counted."""

    n: int
    hits: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewing(Wire):
    """How one person, one tool or everybody answers. `missed` are probes that were approved,
    `disagreed` second looks that came out otherwise. Seconds are medians, by risk; `glanced`
    are answers given in under two seconds. `by_hour` counts approvals and answers by the hour
    of the day (UTC): tired people approve more.
    """

    name: str
    answers: int
    says: Mapping[str, int]
    approved: Share
    missed: Share
    disagreed: Share
    glanced: Share
    seconds: Mapping[str, float]
    by_hour: Mapping[str, tuple[int, int]]
    taken_back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight(Wire):
    """How well people watch over agents: of everybody, by person, by tool."""

    days: int
    everybody: Reviewing
    people: tuple[Reviewing, ...]
    tools: tuple[Reviewing, ...]


def share(hits: int, n: int) -> Share:
    if n == 0:
        return Share(n=0, hits=0)
    return Share(n=n, hits=hits, interval=clopper_pearson(Tally(n=n, hits=hits)))


def oversight(rows: Sequence[Mapping[str, Any]], *, days: int) -> Oversight:
    """Count what was said. `rows` have by, say, at, seconds, tool, risk, check, passed and
    undone_at.
    """
    return Oversight(
        days=days,
        everybody=_reviewing("everybody", rows),
        people=_each(rows, "by"),
        tools=_each(rows, "tool"),
    )


def _each(rows: Sequence[Mapping[str, Any]], by: str) -> tuple[Reviewing, ...]:
    names: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        names.setdefault(row[by], []).append(row)
    return tuple(_reviewing(name, names[name]) for name in sorted(names))


def _reviewing(name: str, rows: Sequence[Mapping[str, Any]]) -> Reviewing:
    stand = [row for row in rows if row["undone_at"] is None]
    real = [row for row in stand if not row["check"]]
    timed = [row for row in stand if row["seconds"] is not None]
    return Reviewing(
        name=name,
        answers=len(real),
        says=Counter(row["say"] for row in real),
        approved=share(sum(row["say"] == Say.APPROVE for row in real), len(real)),
        missed=_failed(stand, "probe"),
        disagreed=_failed(stand, "second"),
        glanced=share(sum(row["seconds"] < GLANCE for row in timed), len(timed)),
        seconds=_medians(timed),
        by_hour=_hours(real),
        taken_back=len(rows) - len(stand),
    )


def _failed(rows: Iterable[Mapping[str, Any]], check: Sort) -> Share:
    found = [row["passed"] for row in rows if row["check"] == check]
    return share(sum(not passed for passed in found), len(found))


def _medians(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    risks = sorted({row["risk"] for row in rows})
    return {
        risk: round(median(row["seconds"] for row in rows if row["risk"] == risk), 2)
        for risk in risks
    }


def _hours(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    hours: dict[str, list[bool]] = {}
    for row in rows:
        hours.setdefault(f"{row['at'].hour:02}", []).append(row["say"] == Say.APPROVE)
    return {hour: (sum(hours[hour]), len(hours[hour])) for hour in sorted(hours)}
