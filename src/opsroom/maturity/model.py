"""Levels of maturity: criteria in order, each met or not by what is on record. No I/O.

A level is reached when all of its criteria are met, and those of every level below. Nothing
can be ticked: a criterion is a query, and comes with the records that it found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsroom.kit.wire import Wire

TITLES = ("unknown", "known", "measured", "controlled", "watched", "improving")
HIGHEST = len(TITLES) - 1
MOST_RECORDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Wire):
    """A record that a criterion rests on, and the page that shows it."""

    name: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Wire):
    """One thing asked of a level: whether it is met, what was found in words, on which records
    (the first five), and what to do where it is not.
    """

    level: int
    name: str
    met: bool
    says: str
    records: tuple[Record, ...] = ()
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment(Wire):
    """How far a subject has come: the level it has reached, and each criterion."""

    subject: str
    page: str
    level: int
    title: str
    criteria: tuple[Criterion, ...]

    @property
    def missing(self) -> tuple[Criterion, ...]:
        return tuple(one for one in self.criteria if not one.met)

    @property
    def next(self) -> Criterion | None:
        """The one thing to do next: the first that is missing on the way up."""
        return next(iter(self.missing), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Wire):
    """The level of the project and of everything in it. The project has the level that the
    weakest agent in production has, and no more than its own criteria allow. `left_out` counts
    what was too much to assess; `site` is the address of the pages of the records.
    """

    project: Assessment
    agents: tuple[Assessment, ...]
    prompts: tuple[Assessment, ...]
    at: datetime
    left_out: int
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past(Wire):
    """The level of a subject from a day on, until the next of these."""

    subject: str
    day: str
    level: int
    digest: str


def assess(subject: str, page: str, criteria: Sequence[Criterion]) -> Assessment:
    """The level that these criteria come to, in the order of their levels."""
    ordered = tuple(sorted(criteria, key=lambda one: one.level))
    asked = [one.level for one in ordered]
    failing = min((one.level for one in ordered if not one.met), default=HIGHEST + 1)
    level = min(failing - 1, max(asked, default=0))
    return Assessment(
        subject=subject, page=page, level=level, title=TITLES[level], criteria=ordered
    )
