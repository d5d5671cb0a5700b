"""The inbox in a browser: a list, and beside it everything one decision needs.

What stands on a page is in its address, so a link leads others to the same thing. An answer is
bound to what was on the page. Nothing here needs a script but the hold of a button, and for
that there is a word to type.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access import queries as access
from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Tx
from opsroom.registry.drawing import Panel
from opsroom.web.render import Notice, Pages

from . import commands, drawing, probing, queries, ruled, rules
from . import model as inbox
from .errors import EditNotJson
from .model import Care, Risk, Say, State
from .queries import Waiting

PAGE = 30
NOTICES = {
    "request_approved": Notice(text="Approved, exactly as it was shown."),
    "request_counted": Notice(
        text="Your approval counts. It waits for somebody else's as well.", tone="info"
    ),
    "request_rejected": Notice(text="Rejected. The agent gets your reason.", tone="info"),
    "request_responded": Notice(text="The agent gets your answer.", tone="info"),
    "request_undone": Notice(text="Taken back. It waits again, and nothing has happened."),
    "request_handed_over": Notice(text="Handed over.", tone="info"),
    "request_snoozed": Notice(text="Out of sight for now. Its clock goes on.", tone="info"),
    "probe_caught": Notice(text="That one was a test, and you caught it. Nothing was done."),
    "probe_missed": Notice(
        text="That one was a test: it was known to be bad. Nothing was done.", tone="warn"
    ),
    "second_look": Notice(
        text="That was a second look, to compare. Somebody had decided it.", tone="info"
    ),
    "probe_kept": Notice(text="Copies of it may turn up as tests from now on.", tone="info"),
    "override_recorded": Notice(text="Recorded, with your reason. It is learnt from."),
    "override_sorted": Notice(text="Sorted.", tone="info"),
}
SNOOZES = (
    ("900", "15 minutes"),
    ("3600", "an hour"),
    ("14400", "4 hours"),
    ("57600", "16 hours"),
)

router = APIRouter(prefix="/inbox", include_in_schema=False)
DrawBeside = Callable[[Tx, inbox.Request], Panel | None]
View = Literal["mine", "all", "answered"]
Do = Literal["", "edit", "reject", "respond", "hand-over", "snooze"]

Id = Annotated[str, Query(max_length=200)]
Shown = Annotated[str, Form(max_length=64)]
Back = Annotated[str, Form(max_length=1000)]
Reason = Annotated[str, Form(max_length=4000, pattern=r"\S")]
Optional = Annotated[str, Form(max_length=4000)]
Typed = Annotated[str, Form(max_length=200)]
Held = Annotated[int, Form(ge=0, le=60_000)]


@router.get("")
def inbox_page(
    request: Request,
    tx: Read,
    actor: Caller,
    view: View = "mine",
    asked: Annotated[str, Query(alias="request", max_length=200)] = "",
    agent: Id = "",
    tool: Id = "",
    under: Id = "",
    after: Id = "",
    do: Do = "",
) -> Response:
    """What waits, the one that is due first on top; and one of them, to be decided."""
    page = _page(tx, view, agent=agent, tool=tool, under=under, after=after)
    rows = page[:PAGE]
    chosen = _chosen(tx, asked, rows)
    if chosen is not None and chosen.state is State.PENDING and rules.ANSWER in actor.may:
        _note_opening(request, actor, tx, chosen.id)
    place = next(
        (n for n, one in enumerate(rows) if chosen and one.request.id == chosen.id), -1
    )
    kept = _given(view="" if view == "mine" else view, agent=agent, tool=tool, under=under)
    return _pages(request).render(
        request,
        "inbox/inbox.html",
        rows=rows,
        view=view,
        kept=kept,
        under=queries.request(tx, under) if under else None,
        count=queries.count_mine(tx),
        next_page=queries.cursor(rows[-1].request, _state(view)) if len(page) > PAGE else "",
        after=after,
        before=rows[place - 1].request.id if place > 0 else "",
        following=rows[place + 1].request.id if 0 <= place < len(rows) - 1 else "",
        flooding=[one for one in rows if one.request.flood],
        do=do,
        undo=queries.to_take_back(tx),
        now=tx.now,
        card=None if chosen is None else _card(request, tx, chosen, do),
        risks=drawing.RISKS,
        states=drawing.STATES,
    )


@router.get("/undo")
def undo_banner(request: Request, tx: Read) -> Response:
    """The banner with which an answer is taken back, as long as it can be."""
    return _pages(request).render(
        request, "inbox/undo.html", undo=queries.to_take_back(tx), now=tx.now
    )


@router.post("/{request_id}/open")
def open_evidence(request: Request, request_id: str, tx: Write, back: Back = "") -> Response:
    """Lay out the evidence; that it was is what approving something risky asks for."""
    commands.opened(tx, request_id, evidence=True)
    return _pages(request).redirect(
        f"/inbox?request={request_id}" + (f"&{back}" if back else "")
    )


@router.post("/{request_id}/approve")
def approve(
    request: Request,
    request_id: str,
    tx: Write,
    binding: Shown,
    reason: Optional = "",
    typed: Typed = "",
    held_ms: Held = 0,
    back: Back = "",
) -> Response:
    """Approve what was on the page."""
    done = commands.answer(
        tx,
        request_id,
        Say.APPROVE,
        binding=binding,
        reason=reason,
        care=Care(typed=typed, held_ms=held_ms),
    )
    return _answered(request, tx, done, Say.APPROVE, back)


@router.post("/{request_id}/edit")
def edit(
    request: Request,
    request_id: str,
    tx: Write,
    binding: Shown,
    arguments: Annotated[str, Form(max_length=100_000)],
    reason: Reason,
    typed: Typed = "",
    held_ms: Held = 0,
    back: Back = "",
) -> Response:
    """Approve it with other arguments."""
    done = commands.answer(
        tx,
        request_id,
        Say.EDIT,
        binding=binding,
        reason=reason,
        arguments=_read(arguments),
        care=Care(typed=typed, held_ms=held_ms),
    )
    return _answered(request, tx, done, Say.EDIT, back)


@router.post("/{request_id}/reject")
def reject(
    request: Request,
    request_id: str,
    tx: Write,
    binding: Shown,
    reason: Reason,
    back: Back = "",
) -> Response:
    """Refuse it."""
    done = commands.answer(
        tx, request_id, Say.REJECT, binding=binding, reason=reason, care=Care()
    )
    return _answered(request, tx, done, Say.REJECT, back)


@router.post("/{request_id}/respond")
def respond(
    request: Request,
    request_id: str,
    tx: Write,
    binding: Shown,
    text: Reason,
    back: Back = "",
) -> Response:
    """Answer with a message, in place of what was asked for."""
    done = commands.answer(tx, request_id, Say.RESPOND, binding=binding, text=text, care=Care())
    return _answered(request, tx, done, Say.RESPOND, back)


@router.post("/{request_id}/hand-over")
def hand_over(
    request: Request,
    request_id: str,
    tx: Write,
    to: Annotated[str, Form(max_length=200)],
    reason: Optional = "",
    back: Back = "",
) -> Response:
    """Pass it on."""
    commands.hand_over(tx, request_id, to, reason)
    return _onward(request, back, "request_handed_over")


@router.post("/{request_id}/snooze")
def snooze(
    request: Request,
    request_id: str,
    tx: Write,
    seconds: Annotated[int, Form(ge=60, le=7 * 86_400)],
    back: Back = "",
) -> Response:
    """Put it out of sight for a while."""
    commands.snooze(tx, request_id, tx.now + tx.lasting(timedelta(seconds=seconds)))
    return _onward(request, back, "request_snoozed")


@router.post("/{request_id}/undo")
def undo(request: Request, request_id: str, tx: Write) -> Response:
    """Take the answer back."""
    commands.undo(tx, request_id)
    return _pages(request).redirect(f"/inbox?request={request_id}", notice="request_undone")


@router.post("/{request_id}/probe")
def keep_as_probe(request: Request, request_id: str, tx: Write) -> Response:
    """Let copies of what was rejected here test reviewers."""
    probing.keep_as_probe(tx, request_id)
    return _pages(request).redirect(
        f"/inbox?view=answered&request={request_id}", notice="probe_kept"
    )


def _page(
    tx: Tx, view: View, *, agent: str, tool: str, under: str, after: str
) -> Sequence[Waiting]:
    if view == "answered":
        found = queries.over(
            tx, agent=agent or None, tool=tool or None, after=after or None, limit=PAGE + 1
        )
        return [Waiting(request=one) for one in found]
    return queries.waiting(
        tx,
        mine=view == "mine",
        agent=agent or None,
        tool=tool or None,
        under=under or None,
        after=after or None,
        limit=PAGE + 1,
    )


def _state(view: View) -> State | None:
    return None if view == "answered" else State.PENDING


def _chosen(tx: Tx, request_id: str, rows: Sequence[Waiting]) -> inbox.Request | None:
    """The one that the address names, else the first."""
    if request_id:
        return queries.request(tx, request_id)
    return rows[0].request if rows else None


def _card(request: Request, tx: Tx, chosen: inbox.Request, do: Do) -> dict[str, Any]:
    """Everything one decision needs."""
    actor = tx.actor
    barred = queries.barred(tx, chosen.id)
    high = chosen.risk is Risk.HIGH
    may = {
        say: ruled.why_not(tx, chosen, say, barred=barred) for say in (Say.APPROVE, Say.REJECT)
    }
    mine = any(one.by == actor.name and one.undone_at is None for one in chosen.answers)
    people = _takers(tx, chosen) if do == "hand-over" else []
    return {
        "request": chosen,
        "shown": chosen.shown,
        "lines": drawing.lines(chosen),
        "fences": drawing.fences(chosen),
        "evidence": not high
        or chosen.state is not State.PENDING
        or queries.evidence_opened(tx, chosen.id),
        "may_approve": may[Say.APPROVE],
        "may_reject": may[Say.REJECT],
        "mine": mine,
        "approved_by": commands.standing(tx, chosen),
        "word": rules.word_to_type(chosen) if high else "",
        "digits": chosen.amount is not None,
        "likes": drawing.tally_words(queries.likes_of(tx, chosen)),
        "panels": [
            panel for draw in _beside(request) if (panel := draw(tx, chosen)) is not None
        ],
        "text": drawing.arguments_text(chosen) if do == "edit" else "",
        "people": people,
        "snoozes": SNOOZES,
        "may_probe": "audit" in actor.may and chosen.state is State.REJECTED and not barred,
    }


def _takers(tx: Tx, chosen: inbox.Request) -> list[tuple[str, str]]:
    """Who may take a request over: people first, then roles."""
    people = [
        (one.name, f"{one.name} ({', '.join(one.held)})")
        for one in access.people(tx)
        if one.name != tx.actor.name
        and not rules.why_not_hand_over(
            chosen, one.name, one.held, access.permissions(tx, one.held)
        )
    ]
    roles = [
        (role, f"everybody who is {role}")
        for role in sorted(rules.ROLES)
        if not rules.why_not_hand_over(chosen, role, None)
    ]
    return [*people, *roles]


def _note_opening(request: Request, actor: Any, tx: Tx, request_id: str) -> None:
    """Note, once, that this person has the request before them: by our clock, not theirs."""
    if not queries.opened(tx, request_id):
        with database(request).write(actor) as mine:
            commands.opened(mine, request_id)


def _answered(request: Request, tx: Tx, done: inbox.Request, say: Say, back: str) -> Response:
    check = queries.check(tx, done.id)
    if check is not None:
        caught = "probe_caught" if check.passed(say) else "probe_missed"
        return _onward(request, back, caught if check.sort == "probe" else "second_look")
    if done.release_at is not None and done.release_at > tx.now:
        return _onward(request, back, "")  # the banner with its undo says so
    return _onward(
        request,
        back,
        {
            State.PENDING: "request_counted",
            State.APPROVED: "request_approved",
            State.EDITED: "request_approved",
            State.REJECTED: "request_rejected",
        }.get(done.state, "request_responded"),
    )


def _onward(request: Request, back: str, notice: str) -> Response:
    """On to what waits next."""
    return _pages(request).redirect("/inbox" + (f"?{back}" if back else ""), notice=notice)


def _read(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise EditNotJson(str(error)) from error
    if not isinstance(found, dict):
        raise EditNotJson("it is no object")
    return cast("dict[str, Any]", found)


def _given(**query: str) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def _beside(request: Request) -> Sequence[DrawBeside]:
    return cast("Sequence[DrawBeside]", getattr(request.app.state, "beside_requests", ()))


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
