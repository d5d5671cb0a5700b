from dataclasses import dataclass

from opsroom.kit.errors import Invalid, NotFound, TooLarge


@dataclass(eq=False)
class NoFramework(NotFound):
    code = "no_framework"
    text = "there is no framework {0.name!r}"
    hint = "there are {0.known}"
    name: str
    known: str


@dataclass(eq=False)
class NoPeriod(Invalid):
    code = "no_period"
    text = "a period from {0.since} to {0.until} cannot be looked at"
    hint = "give a beginning before the end, as 2026-11-01 or 2026-11-01T08:00:00+00:00"
    since: str
    until: str


@dataclass(eq=False)
class TooManyChanges(TooLarge):
    code = "too_many_changes"
    text = "{0.count} changes lie in this period; a report holds all of them or none, and {0.limit} at most"
    hint = "ask for shorter periods, one after the other"
    count: int
    limit: int
