from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(eq=False)
class RequestNotFound(NotFound):
    code = "request_not_found"
    text = "there is no request {0.request_id!r} in this project"
    hint = "list what waits with `opsroom inbox list`"
    request_id: str


@dataclass(eq=False)
class OverrideNotFound(NotFound):
    code = "override_not_found"
    text = "there is no override {0.override_id!r} in this project"
    hint = "list them with `opsroom override list`"
    override_id: str


@dataclass(eq=False)
class LinkRefused(NotFound):
    code = "inbox_link_refused"
    text = "this link leads you nowhere: {0.why}"
    hint = "look into the inbox; what waits for you is there"
    why: str


@dataclass(eq=False)
class BadRequestDraft(Invalid):
    code = "bad_request_draft"
    text = "this cannot be asked of people: {0.why}"
    hint = "a request needs words, a binding, a quorum from 1, and due_at before expires_at"
    why: str


@dataclass(eq=False)
class RequestMoved(Conflict):
    code = "request_moved"
    text = "request {0.request_id!r} is no longer what was shown"
    hint = "read it again, and answer what it says now"
    request_id: str


@dataclass(eq=False)
class RequestClosed(Conflict):
    code = "request_closed"
    text = "request {0.request_id!r} is {0.state} and cannot be {0.wanted}"
    hint = "an answer counts once; what is over stays over"
    request_id: str
    state: str
    wanted: str


@dataclass(eq=False)
class RequestExpired(Conflict):
    code = "request_expired"
    text = "request {0.request_id!r} has expired; the answer is no"
    hint = "let the agent ask again if it still matters"
    request_id: str


@dataclass(eq=False)
class NotYours(Forbidden):
    code = "not_yours_to_answer"
    text = "{0.who!r} may not answer request {0.request_id!r}: {0.why}"
    hint = "hand it over to somebody who may"
    request_id: str
    who: str
    why: str


@dataclass(eq=False)
class NothingEdited(Invalid):
    code = "nothing_edited"
    text = "the arguments of request {0.request_id!r} are the same as before"
    hint = "approve it as it is, or change an argument"
    request_id: str


@dataclass(eq=False)
class CareNeeded(Invalid):
    code = "care_needed"
    text = "this is high risk: {0.why}"
    hint = "open the evidence, then hold the button, or type {0.word}"
    why: str
    word: str


@dataclass(eq=False)
class TooFast(Conflict):
    code = "too_fast"
    text = "{0.count} approvals in a row took under {0.under:g} s each; wait {0.wait:g} s"
    hint = "nothing is wrong with this request; read it before you answer"
    count: int
    under: float
    wait: float


@dataclass(eq=False)
class NotApproved(Conflict):
    code = "not_approved"
    text = "request {0.request_id!r} gives no permission: {0.why}"
    hint = "wait for its answer, or ask again"
    request_id: str
    why: str


@dataclass(eq=False)
class NotReleased(Conflict):
    code = "not_released"
    text = "the answer to request {0.request_id!r} can be taken back until {0.until}"
    hint = "try again then"
    request_id: str
    until: str


@dataclass(eq=False)
class OtherBinding(Conflict):
    code = "other_binding"
    text = "the approval of request {0.request_id!r} is for something else"
    hint = "what was approved has changed since; ask again"
    request_id: str


@dataclass(eq=False)
class TooLate(Conflict):
    code = "too_late_to_undo"
    text = "the answer to request {0.request_id!r} cannot be taken back: {0.why}"
    hint = "compensate the action if it can be undone"
    request_id: str
    why: str


@dataclass(eq=False)
class NobodyThere(Invalid):
    code = "nobody_there"
    text = "{0.to!r} cannot take request {0.request_id!r}: {0.why}"
    hint = "name a role, or a person of this project who may answer"
    request_id: str
    to: str
    why: str


@dataclass(eq=False)
class BadSnooze(Invalid):
    code = "bad_snooze"
    text = "request {0.request_id!r} cannot be put off until {0.until}"
    hint = "choose a time from now to before it expires, {0.expires}"
    request_id: str
    until: str
    expires: str


@dataclass(eq=False)
class BadSettings(Invalid):
    code = "bad_inbox_settings"
    text = "these settings of the inbox do not go: {0.why}"
    hint = "shares are from 0 to 0.02 for probes and to 0.2 for second looks, the rest from 1"
    why: str


@dataclass(eq=False)
class NoProbe(Conflict):
    code = "no_probe"
    text = "request {0.request_id!r} cannot become a probe: {0.why}"
    hint = "only what a person rejected for a reason is known to be bad"
    request_id: str
    why: str


@dataclass(eq=False)
class BadCursor(Invalid):
    code = "bad_inbox_cursor"
    text = "{0.after!r} is no place in the list of what waits"
    hint = "pass `next` of the page before, as it is"
    after: str


@dataclass(eq=False)
class EditNotJson(Invalid):
    code = "edit_not_json"
    text = "the edited arguments are no JSON object: {0.why}"
    hint = "change values, and leave quotes, commas and braces as they are"
    why: str
