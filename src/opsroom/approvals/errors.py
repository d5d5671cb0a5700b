from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Forbidden


@dataclass(eq=False)
class ApproverIsRequester(Forbidden):
    code = "approver_is_requester"
    text = "{0.approver!r} asked for {0.subject!r} and cannot also approve it"
    hint = "ask somebody else who may review"
    subject: str
    approver: str


@dataclass(eq=False)
class NotAPerson(Forbidden):
    code = "not_a_person"
    text = "{0.approver!r} is a program; only people approve {0.subject!r}"
    hint = "log in as yourself and approve on the page"
    subject: str
    approver: str


@dataclass(eq=False)
class AlreadyAnswered(Conflict):
    code = "already_answered"
    text = "{0.approver!r} has already answered {0.subject!r} as it stands"
    hint = "an answer counts once; it is void by itself when the subject changes"
    subject: str
    approver: str
