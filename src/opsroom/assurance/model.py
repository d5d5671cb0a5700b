"""What a report of evidence holds. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsroom.kit.wire import Wire


class Verdict(StrEnum):
    """What records say of a control: never that it is met."""

    RECORDS = "records"
    EXCEPTIONS = "exceptions"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period, as the entries of the journal after one number and up to another."""

    after: int
    until: int
    since: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Wire):
    """One record: the entry of the journal, in words, and the page of what it is about."""

    seq: int
    at: datetime
    by: str
    says: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Wire):
    """What one query found: how many records, the newest of them, where all of them are shown,
    and which of them speak against what was asked. `tested` is how many were looked at for
    that, from the newest on; 0 where nothing could speak against it.
    """

    look: str
    asks: str
    count: int
    rows: tuple[Row, ...]
    exceptions: tuple[Row, ...]
    tested: int
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFound(Wire):
    """A control of a framework, and what was found for it. `test` names the one in opsroom's
    own suite that holds what the gate does about it, where there is one.
    """

    id: str
    title: str
    verdict: Verdict
    found: tuple[Found, ...]
    test: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Wire):
    """One entry of the population of changes. `hash` is its hash in the chain."""

    seq: int
    at: datetime
    by: str
    event: str
    subject: str
    says: str
    href: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps(Wire):
    """That nothing is missing: every entry of the journal in the period was walked, one number
    after the other, `walked` of them, from `before` to `behind` (hashes of the chain).
    `in_project` of them are of this project, `changes` of those are changes.

    `first` and `last` prove that the ends of the period are in the signed `checkpoint`; they
    are left out where an end is not yet in it.
    """

    after: int
    until: int
    walked: int
    before: str
    behind: str
    in_project: int
    changes: int
    signed: int
    checkpoint: str
    key: str
    first: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Wire):
    """Evidence for one framework, of one project in one period."""

    framework: str
    title: str
    about: str
    project: str
    site: str
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    controls: tuple[ControlFound, ...]
    changes: tuple[Change, ...]
    gaps: Gaps


def verdict(found: tuple[Found, ...]) -> Verdict:
    """Whether there are records, whether some speak against it, or whether there is nothing."""
    if any(one.exceptions for one in found):
        return Verdict.EXCEPTIONS
    return Verdict.RECORDS if any(one.count for one in found) else Verdict.NOTHING
