"""A request as it is kept: filed, found, closed, opened again. Shared by what changes requests."""

from dataclasses import replace
from typing import Any

from opsroom.approvals import queries as approvals
from opsroom.kit.db import Tx
from opsroom.kit.faults import boundary

from . import answer_store, overriding, rules, store, watch_store
from .errors import RequestNotFound
from .model import Request, RequestDraft, State
from .watching import Check


def file(tx: Tx, draft: RequestDraft, *, check: Check | None = None) -> Request:
    """Store a request, and put it where it belongs in the list."""
    rules.check_draft(draft, now=tx.now)
    grouped = rules.group_of(draft)
    request = Request(id=tx.ids.new("inb"), asked_at=tx.now, **_fields(draft))
    if under := store.lead(tx, grouped):
        request = replace(request, under=under)
    elif store.pending_of(tx, draft.agent) >= watch_store.load_settings(tx).crowd:
        grouped = rules.flood_of(draft)
        request = replace(request, under=store.lead(tx, grouped) or "", flood=True)
    store.add(tx, request, grouped=grouped)
    if check is not None:
        watch_store.add_check(tx, request.id, check)
    tx.record(
        "inbox.asked",
        about(request, check),
        request=request.id,
        agent=request.agent,
        tool=request.tool,
        title=request.title,
        risk=request.risk.value,
        requester=request.requester,
        binding=request.binding,
        due_at=request.due_at.isoformat(),
    )
    if request.flood and not request.under:
        tx.record("inbox.flooded", f"agent/{request.agent}", request=request.id)
    boundary("inbox.asked")
    return request


def get(tx: Tx, request_id: str) -> Request:
    """A request of this project, which nobody else can change until the transaction ends.

    Raises `RequestNotFound`.
    """
    found = store.request(tx, request_id, lock=True)
    if found is None:
        raise RequestNotFound(request_id)
    return found


def standing(tx: Tx, request: Request) -> tuple[str, ...]:
    """The people whose approvals of what is shown count today."""
    given = approvals.standing(tx, request.ref, request.shown, permission=rules.ANSWER)
    return rules.approvers(request, [(one.approver, one.roles) for one in given])


def lapsed(tx: Tx, request: Request) -> bool:
    """Whether an approval stands no more, because its approvers have lost their role."""
    return len(standing(tx, request)) < request.quorum


def about(request: Request, check: Check | None) -> str:
    """What the journal files an event under. Nothing must ever follow for an action from a
    copy that only watches reviewers, and no open page is told of one.
    """
    return request.subject if check is None else f"oversight/{request.id}"


def close(tx: Tx, was: Request, state: State, event: str, **facts: Any) -> Request:
    """End a request without an answer."""
    request = store.save(tx, replace(was, state=state, release_at=None), was=was)
    tx.record(event, about(was, watch_store.check(tx, was.id)), request=was.id, **facts)
    advance_group(tx, request)
    return request


def reopen(tx: Tx, was: Request, event: str) -> Request:
    """Let a request wait again as it was first asked; everything said to it is void."""
    answer_store.take_back(tx, was.id)
    overriding.retract(tx, was.id)
    again = replace(
        was,
        state=State.PENDING,
        edited=None,
        answered_at=None,
        answered_by="",
        reason="",
        text="",
        release_at=None,
        under="",
        round=was.round + 1,
    )
    store.save(tx, again, was=was)
    tx.record(event, about(was, watch_store.check(tx, was.id)), request=was.id)
    return get(tx, was.id)


def advance_group(tx: Tx, request: Request) -> None:
    """Let the oldest of those that stood under a request stand for the others."""
    first, *rest = store.following(tx, request.id) or (None,)
    if first is None:
        return
    store.save(tx, replace(first, under=""), was=first)
    for one in rest:
        store.save(tx, replace(one, under=first.id), was=one)


def _fields(draft: RequestDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in RequestDraft.__dataclass_fields__}
