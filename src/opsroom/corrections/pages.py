"""Corrections in the browser: the ledger, and one correction with where it came from and went."""

from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.datasets.pages import cut
from opsroom.inbox.drawing import spelt
from opsroom.registry.routes import KnownKinds
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries, seconds
from .model import State

PATH = "/corrections"
PAGE = 50
MAY = "review"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Reason = Annotated[str, Form(max_length=2000, pattern=r"\S")]
NOTICES = {
    "corrections_accepted": Notice(
        text="They are in the dataset: what comes next has to get them right."
    ),
    "corrections_some": Notice(
        text="Some were not accepted; each of them says why on its page.", tone="warn"
    ),
    "corrections_none": Notice(
        text="None was accepted; each of them says why on its page.", tone="warn"
    ),
    "correction_asked": Notice(
        text="It waits in a review queue for somebody who does not know it."
    ),
    "correction_retired": Notice(text="It teaches no more."),
    "correction_readmitted": Notice(text="It is a candidate again."),
    "correction_completed": Notice(text="It is a candidate now."),
}
STATES: dict[State, Tone] = {
    State.CANDIDATE: "warn",
    State.ACCEPTED: "good",
    State.RETIRED: "muted",
    State.QUARANTINED: "bad",
}


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    agent: Text = "",
    state: State | None = None,
    category: Text = "",
    version: Text = "",
    before: Text = "",
) -> Response:
    """What people taught, what waits to be taken in, and where they disagree with agents."""
    found = queries.corrections(
        tx,
        agent=agent or None,
        state=state,
        category=category or None,
        before=before or None,
        limit=PAGE + 1,
    )
    kept = {"agent": agent, "state": state and state.value, "category": category}
    return _pages(request).render(
        request,
        "corrections/list.html",
        rows=found[:PAGE],
        ledger=queries.ledger(tx, agent=agent or None, version=version or None),
        states=STATES,
        State=State,
        agent=agent,
        state=state,
        category=category,
        version=version,
        before=before,
        next=found[PAGE - 1].id if len(found) > PAGE else "",
        query=urlencode({name: value for name, value in kept.items() if value}),
        cut=cut,
        may=MAY in tx.actor.may,
    )


@router.post("/accept")
def accept(
    request: Request,
    tx: Write,
    known: KnownKinds,
    ids: Annotated[list[str], Form(max_length=commands.MOST_AT_ONCE)],
) -> Response:
    """Take the chosen ones in."""
    done = commands.accept(tx, ids, kinds=known)
    notice = "none" if not done.accepted else "some" if done.refused else "accepted"
    return _pages(request).redirect(
        PATH if len(ids) > 1 else f"{PATH}/{ids[0]}", notice=f"corrections_{notice}"
    )


@router.post("/{correction_id}/second")
def second(request: Request, correction_id: str, tx: Write) -> Response:
    """Put it before somebody who does not know which answer is whose."""
    seconds.ask(tx, [correction_id])
    return _pages(request).redirect(f"{PATH}/{correction_id}", notice="correction_asked")


@router.get("/{correction_id}")
def correction_page(request: Request, correction_id: str, tx: Read) -> Response:
    """One correction."""
    found = queries.lineage(tx, correction_id)
    return _pages(request).render(
        request,
        "corrections/show.html",
        found=found,
        one=found.correction,
        why_not=queries.why_not(tx, found),
        tone=STATES[found.correction.state],
        states=STATES,
        spelt=spelt,
        may=MAY in tx.actor.may,
    )


@router.post("/{correction_id}/retire")
def retire(
    request: Request, correction_id: str, tx: Write, known: KnownKinds, reason: Reason
) -> Response:
    """Let it teach no more."""
    commands.retire(tx, correction_id, reason=reason, kinds=known)
    return _pages(request).redirect(f"{PATH}/{correction_id}", notice="correction_retired")


@router.post("/{correction_id}/readmit")
def readmit(request: Request, correction_id: str, tx: Write, reason: Reason) -> Response:
    """Make it a candidate again."""
    commands.readmit(tx, correction_id, reason=reason)
    return _pages(request).redirect(f"{PATH}/{correction_id}", notice="correction_readmitted")


@router.post("/{correction_id}/complete")
def complete(
    request: Request,
    correction_id: str,
    tx: Write,
    asked: Annotated[str, Form(max_length=100_000)] = "",
    right: Annotated[str, Form(max_length=100_000)] = "",
) -> Response:
    """Say what was asked, or what would have been right."""
    commands.complete(tx, correction_id, input_=_given(asked), expected=_given(right))
    return _pages(request).redirect(f"{PATH}/{correction_id}", notice="correction_completed")


def _given(text: str) -> str | None:
    return text.replace("\r\n", "\n").strip() or None


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
