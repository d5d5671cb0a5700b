from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class OccasionNotFound(NotFound):
    code = "occasion_not_found"
    text = "there is no occasion {0.occasion_id!r} in this project"
    hint = "list what there is with `opsroom cadence due --all`"
    occasion_id: str


@dataclass(eq=False)
class OccasionMoved(Conflict):
    code = "occasion_moved"
    text = "occasion {0.occasion_id!r} was changed by someone else"
    hint = "look at it again and repeat the command"
    occasion_id: str


@dataclass(eq=False)
class NotNow(Conflict):
    code = "occasion_not_now"
    text = "occasion {0.occasion_id!r} is {0.state} and cannot be {0.wanted}"
    hint = "start it before you close it; what is over stays as it is"
    occasion_id: str
    state: str
    wanted: str


@dataclass(eq=False)
class Unanswered(Invalid):
    code = "occasion_unanswered"
    text = "{0.question!r} {0.why}"
    hint = "answer each question of the occasion with `holds` or `act`; `act` takes a reason"
    question: str
    why: str


@dataclass(eq=False)
class PeopleJudge(Conflict):
    code = "people_judge"
    text = "{0.actor!r} is a program, and this is for people"
    hint = "log in as a person; programs may read what is due and attach evidence"
    actor: str


@dataclass(eq=False)
class OwnAccess(Conflict):
    code = "own_access"
    text = "{0.actor!r} cannot take away their own roles in a review"
    hint = "confirm them, or let another administrator close this review"
    actor: str


@dataclass(eq=False)
class StillHeld(Conflict):
    code = "still_held"
    text = (
        "{0.user!r} would still be {0.roles} here, by the organisation or taken in an emergency"
    )
    hint = "take it away there first (`opsroom org member`, `opsroom glass end`), then close this review"
    user: str
    roles: str


@dataclass(eq=False)
class BadDate(Invalid):
    code = "occasion_bad_date"
    text = "{0.day} cannot be the new date: {0.why}"
    hint = "choose a day after today, at most 90 days away"
    day: str
    why: str


@dataclass(eq=False)
class BadCadence(Invalid):
    code = "bad_cadence"
    text = "{0.kind}: {0.why}"
    hint = "months are 1, 2, 3, 4, 6 or 12; days lie between 1 and the length of a period"
    kind: str
    why: str


@dataclass(eq=False)
class NoSuchRecord(Invalid):
    code = "no_such_record"
    text = "{0.record!r} is no record that can be attached"
    hint = "name a version (prompt/triage@7), or run/…, release/…, improvement/…, drift/…, alert/…, correction/…"
    record: str


@dataclass(eq=False)
class StillSearching(Conflict):
    code = "still_searching"
    text = "{0.improvement!r} is {0.state}, so there is nothing to judge yet"
    hint = "close the occasion when the search is over, or stop it with `opsroom improve stop`"
    improvement: str
    state: str


@dataclass(eq=False)
class NothingToLearnFrom(Conflict):
    code = "nothing_to_learn_from"
    text = "no dataset or model is known to improve {0.subject!r} on"
    hint = "name them: `opsroom cadence start ID --dataset NAME --model NAME`"
    subject: str


@dataclass(eq=False)
class FeedNotFound(NotFound):
    code = "feed_not_found"
    text = "there is no such calendar"
    hint = "make a new address with `opsroom cadence feed`"
