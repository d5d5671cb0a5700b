from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class NoReport(NotFound):
    code = "no_report"
    text = "there is no report {0.name!r}"
    hint = "there are {0.known}"
    name: str
    known: str


@dataclass(eq=False)
class NoStretch(Invalid):
    code = "no_stretch"
    text = "a report cannot be about the time from {0.since!r} to {0.until!r}"
    hint = "say how far back (12h, 30d, 4w) or a day (2026-11-01); the beginning before the end, and at most 366 days apart"
    since: str
    until: str


@dataclass(eq=False)
class NoPlace(Invalid):
    code = "no_report_place"
    text = "{0.after!r} is no place in this report"
    hint = "pass `next` of the page before, as it is"
    after: str


@dataclass(eq=False)
class ScheduleNotFound(NotFound):
    code = "report_schedule_not_found"
    text = "there is no schedule {0.schedule_id!r} in this project"
    hint = "list what there is with `opsroom report schedules`"
    schedule_id: str


@dataclass(eq=False)
class ScheduleMoved(Conflict):
    code = "report_schedule_moved"
    text = "schedule {0.schedule_id!r} was changed by someone else"
    hint = "read it again and repeat the command"
    schedule_id: str


@dataclass(eq=False)
class ScheduleOver(Conflict):
    code = "report_schedule_over"
    text = "schedule {0.schedule_id!r} has ended"
    hint = "set up a new one with `opsroom report schedule`"
    schedule_id: str


@dataclass(eq=False)
class TooManySchedules(Conflict):
    code = "too_many_report_schedules"
    text = "this project sends {0.limit} reports by schedule, and no more than that"
    hint = "end one that nobody reads with `opsroom report end`"
    limit: int


@dataclass(eq=False)
class CopyNotFound(NotFound):
    code = "report_copy_not_found"
    text = "no copy {0.copy_id!r} of a report is kept in this project"
    hint = "copies are kept for 400 days; list them with `opsroom report sent`"
    copy_id: str
