from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class KeptTooShort(Invalid):
    code = "kept_too_short"
    text = "{0.what} cannot be kept for {0.days} days: {0.least} at least"
    hint = "the EU AI Act wants logs for six months (articles 19 and 26); leave the number out to keep everything"
    what: str
    days: int
    least: int


@dataclass(eq=False)
class NothingToHold(Invalid):
    code = "nothing_to_hold"
    text = "a hold on {0.scope} {0.what!r} cannot be placed: {0.why}"
    hint = "hold the project, an agent by its name, or a subject: a person, a case, or turn/… and action/…"
    scope: str
    what: str
    why: str


@dataclass(eq=False)
class HoldNotFound(NotFound):
    code = "hold_not_found"
    text = "there is no hold {0.hold_id!r} here that stands"
    hint = "`opsroom retention show` lists those that do"
    hold_id: str


@dataclass(eq=False)
class HeldBack(Conflict):
    code = "held_back"
    text = "nothing is erased while hold {0.hold_id} on {0.scope} {0.what} stands: {0.reason}"
    hint = "whoever placed it releases it when the case is over; then repeat the command"
    hold_id: str
    scope: str
    what: str
    reason: str


@dataclass(eq=False)
class NobodyNamed(Invalid):
    code = "nobody_named"
    text = "name whom or what to erase: either a user or a subject"
    hint = "`--user` is whom agents acted for and who gave feedback, `--subject` what a turn was about"
