"""What changes a request: asking, answering, waiting, and using an approval up.

Every answer is bound to what was shown, and an approval to the binding it was asked with.
Whatever is missing (an answer in time, a role, a second person) leaves the answer at no.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from opsroom.access import queries as access
from opsroom.approvals import Answer, ApproverIsRequester, NotAPerson
from opsroom.approvals import commands as approvals
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary
from opsroom.kit.reasons import ReasonMissing

from . import answer_store, overriding, probing, ruled, rules, store, watch_store
from .editing import fitted
from .errors import (
    BadSnooze,
    NobodyThere,
    NotApproved,
    NothingEdited,
    NotReleased,
    NotYours,
    OtherBinding,
    RequestClosed,
    RequestExpired,
    RequestMoved,
    TooLate,
)
from .keeping import about, advance_group, close, file, get, reopen, standing
from .model import GRANTED, Care, Consumed, Request, RequestDraft, Said, Say, State
from .timekeeping import expire
from .watching import Check

__all__ = [
    "answer",
    "ask",
    "cancel",
    "consume",
    "expire",
    "get",
    "hand_over",
    "opened",
    "snooze",
    "standing",
    "undo",
]

ENDS = {
    Say.APPROVE: State.APPROVED,
    Say.EDIT: State.EDITED,
    Say.REJECT: State.REJECTED,
    Say.RESPOND: State.RESPONDED,
}
ALONE = {State.PENDING: "answered", State.APPROVED: "used", State.EDITED: "used"}


def ask(tx: Tx, draft: RequestDraft) -> Request:
    """Put a request before people; it is stored whatever else waits, and never answered by us.

    What differs from a pending request of the same agent only in its numbers stands under
    that one in the list; so does what an agent asks beyond what people can read.
    """
    request = file(tx, draft)
    probing.perhaps_probe(tx, request)
    return request


def answer(
    tx: Tx,
    request_id: str,
    say: Say,
    *,
    binding: str,
    reason: str = "",
    arguments: Mapping[str, Any] | None = None,
    text: str = "",
    care: Care | None = None,
) -> Request:
    """Say what the acting person says to what they were shown; `binding` is its `shown`.

    One refusal ends it; approvals count until there are enough. An edit approves the edited
    arguments, which others then see. Everything but a plain approval needs a reason, and is
    kept as an override. `care` is how deliberately it was given; every door for people states
    it, and then what is risky, or approved at a glance for too long, is held up.
    """
    was = get(tx, request_id)
    check = watch_store.check(tx, request_id)
    _may_answer(tx, was, say, check)
    if was.state is not State.PENDING:
        raise RequestClosed(request_id, was.state.value, "answered")
    if was.over(tx.now):
        raise RequestExpired(request_id)
    if binding != was.shown:
        raise RequestMoved(request_id)
    if care is not None:
        _careful(tx, was, say, care)
    reason, text = reason.strip(), text.strip()
    request = _meant(was, say, arguments or {}, reason=reason, text=text)
    said = Said(
        by=tx.actor.name,
        say=say,
        reason=reason,
        text=text,
        arguments=request.edited if say is Say.EDIT else None,
        at=tx.now,
        seconds=_seconds(tx, request_id),
    )
    _testify(tx, request, say, reason)
    answer_store.add_answer(
        tx,
        request,
        said,
        check=check.sort if check else "",
        passed=check.passed(say) if check else None,
    )
    request = _settled(tx, request, said)
    request = store.save(tx, request, was=was)
    boundary("inbox.answered")
    if say is not Say.APPROVE and check is None:
        overriding.of_answer(tx, request, said)
    if request.state is not State.PENDING:
        _record_end(tx, request, said, check)
        advance_group(tx, request)
        if check is None:
            probing.perhaps_second(tx, request, said)
    return get(tx, request_id)


def consume(tx: Tx, request_id: str, *, binding: str) -> Consumed:
    """Use an approval up, in the transaction that begins what it allows. Once.

    Everything is looked at again: that it is for `binding`, not over, no longer to be taken
    back, and that enough of those who approved it still hold the role they spoke in.
    """
    was = get(tx, request_id)
    if watch_store.check(tx, request_id) is not None:
        raise NotApproved(request_id, "it is there to watch over reviewers")
    if was.state not in GRANTED:
        raise NotApproved(request_id, f"it is {was.state.value}")
    if binding != was.binding:
        raise OtherBinding(request_id)
    if was.over(tx.now):
        raise RequestExpired(request_id)
    if was.release_at is not None and tx.now < was.release_at:
        raise NotReleased(request_id, was.release_at.isoformat())
    by = standing(tx, was)
    if len(by) < was.quorum:
        raise NotApproved(request_id, f"{len(by)} of {was.quorum} approvals still stand")
    approvals.consume(tx, was.ref, was.shown)
    store.save(tx, replace(was, state=State.CONSUMED), was=was)
    tx.record("inbox.consumed", was.subject, request=was.id, binding=binding, by=list(by))
    boundary("inbox.consumed")
    return Consumed(
        request=was.id,
        arguments=was.proposed,
        edited=was.edited is not None,
        by=by,
        reason=was.reason,
    )


def cancel(tx: Tx, request_id: str, reason: str) -> Request:
    """Withdraw what is no longer wanted; also after an approval that was not used."""
    was = get(tx, request_id)
    if was.state not in ALONE:
        raise RequestClosed(request_id, was.state.value, "cancelled")
    return close(tx, was, State.CANCELLED, "inbox.cancelled", reason=reason)


def undo(tx: Tx, request_id: str) -> Request:
    """Take back what the acting person said, before its effect is released.

    The request waits again, for everybody: what others said to it before is void too.
    """
    was = get(tx, request_id)
    mine = [one for one in was.answers if one.undone_at is None and one.by == tx.actor.name]
    if was.state not in ALONE:
        raise TooLate(request_id, f"it is {was.state.value}")
    if not mine:
        raise TooLate(request_id, "it is not yours")
    if was.release_at is not None and tx.now >= was.release_at:
        raise TooLate(request_id, "its effect has been released")
    return reopen(tx, was, "inbox.undone")


def hand_over(tx: Tx, request_id: str, to: str, reason: str = "") -> Request:
    """Pass a request on to a person, or to everybody in a role, who may answer it as it is."""
    was = _open(tx, request_id, "handed over")
    roles = access.roles_of(tx, to)
    why = rules.why_not_hand_over(was, to, roles, access.permissions(tx, roles or ()))
    if why:
        raise NobodyThere(request_id, to, why)
    assignee = "" if to in rules.ROLES else to
    changed = replace(was, assignee=assignee, snoozed_until=None)
    return _changed(tx, was, changed, "inbox.handed_over", to=to, reason=reason.strip())


def snooze(tx: Tx, request_id: str, until: datetime) -> Request:
    """Put a request out of sight for a while. Its clock goes on."""
    was = _open(tx, request_id, "put off")
    if not tx.now < until < was.expires_at:
        raise BadSnooze(request_id, until.isoformat(), was.expires_at.isoformat())
    changed = replace(was, snoozed_until=until)
    return _changed(tx, was, changed, "inbox.snoozed", until=until.isoformat())


def opened(tx: Tx, request_id: str, *, evidence: bool = False) -> Request:
    """Note that the acting person has a request before them now, and perhaps its evidence."""
    request = get(tx, request_id)
    if rules.ANSWER in tx.actor.may:
        watch_store.open_(tx, request_id, tx.actor.name, evidence=evidence)
    return request


def _may_answer(tx: Tx, request: Request, say: Say, check: Check | None) -> None:
    if not tx.actor.human:
        raise NotAPerson(request.ref, tx.actor.name)
    if say in {Say.APPROVE, Say.EDIT} and tx.actor.person in request.askers:
        raise ApproverIsRequester(request.ref, tx.actor.name)
    if say is Say.RELABEL:
        raise NotYours(request.id, tx.actor.name, "relabelling is no answer to a request")
    barred = check.barred if check else ()
    if why := ruled.why_not(tx, request, say, barred=barred):
        raise NotYours(request.id, tx.actor.name, why)


def _careful(tx: Tx, request: Request, say: Say, care: Care) -> None:
    if say is Say.APPROVE:
        recent = answer_store.recent_answers(tx, tx.actor.name, limit=rules.RUN * 2)
        rules.check_pace(recent, now=tx.now)
    if say in {Say.APPROVE, Say.EDIT}:
        seen = watch_store.opening(tx, request.id, tx.actor.name)
        rules.check_care(
            request, care, evidence_opened=seen is not None and seen[1] is not None
        )


def _meant(
    was: Request, say: Say, arguments: Mapping[str, Any], *, reason: str, text: str
) -> Request:
    """What the request becomes by what is said, if it says enough."""
    match say:
        case Say.EDIT if not reason:
            raise ReasonMissing("edit a request")
        case Say.REJECT if not reason:
            raise ReasonMissing("reject a request")
        case Say.RESPOND if not text:
            raise ReasonMissing("respond to a request")
        case Say.EDIT:
            wanted = fitted(was, arguments)
            if wanted == dict(was.proposed):
                raise NothingEdited(was.id)
            return replace(was, edited=wanted)
        case _:
            return was


def _testify(tx: Tx, request: Request, say: Say, reason: str) -> None:
    """Keep who said so, to exactly what. A refusal after one's own approval needs no second."""
    grants = say in {Say.APPROVE, Say.EDIT}
    if not grants and any(
        one.by == tx.actor.name and one.undone_at is None for one in request.answers
    ):
        return
    approvals.give(
        tx,
        request.ref,
        request.shown,
        requester=request.requester,
        answer=Answer.APPROVE if grants else Answer.REQUEST_CHANGES,
        reason=reason,
    )


def _settled(tx: Tx, request: Request, said: Said) -> Request:
    """The request after one more answer: decided, or waiting for more people."""
    grants = said.say in {Say.APPROVE, Say.EDIT}
    if grants and len(standing(tx, request)) < request.quorum:
        return replace(request, assignee="")
    state = ENDS[said.say]
    if grants:
        state = State.APPROVED if request.edited is None else State.EDITED
    grace = tx.lasting(timedelta(seconds=watch_store.load_settings(tx).grace))
    return replace(
        request,
        state=state,
        answered_at=tx.now,
        answered_by=said.by,
        reason=said.reason,
        text=said.text,
        release_at=tx.now + grace if grants else None,
        under="",
    )


def _record_end(tx: Tx, request: Request, said: Said, check: Check | None) -> None:
    facts: dict[str, Any] = {"reason": said.reason, "title": request.title}
    if request.release_at is not None:
        facts["release_at"] = request.release_at.isoformat()
    if request.text:
        facts["text"] = request.text
    tx.record(
        f"inbox.{request.state.value}", about(request, check), request=request.id, **facts
    )
    if check is not None:
        tx.record(
            "inbox.checked",
            about(request, check),
            request=request.id,
            of=check.of,
            sort=check.sort,
            tool=request.tool,
            passed=check.passed(said.say),
        )


def _seconds(tx: Tx, request_id: str) -> float | None:
    """How long the request has been open before the acting person, by our clock."""
    seen = watch_store.opening(tx, request_id, tx.actor.name)
    if seen is None:
        return None
    return round(max((tx.now - seen[0]).total_seconds(), 0.0), 3)


def _open(tx: Tx, request_id: str, wanted: str) -> Request:
    """A pending request, for somebody who answers requests."""
    request = get(tx, request_id)
    if not tx.actor.human or rules.ANSWER not in tx.actor.may:
        raise NotYours(request_id, tx.actor.name, "this needs the permission to answer")
    if request.state is not State.PENDING:
        raise RequestClosed(request_id, request.state.value, wanted)
    if request.over(tx.now):
        raise RequestExpired(request_id)
    return request


def _changed(tx: Tx, was: Request, changed: Request, event: str, **facts: Any) -> Request:
    store.save(tx, changed, was=was)
    tx.record(event, about(was, watch_store.check(tx, was.id)), request=was.id, **facts)
    return get(tx, was.id)
