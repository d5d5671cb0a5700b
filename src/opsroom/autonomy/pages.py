"""Autonomy in the browser: who may do how much alone, and the switch that stops them."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access import ruling
from opsroom.access.http import Read, Write
from opsroom.access.rules import Action
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.db import Tx
from opsroom.registry import environments
from opsroom.web.render import Notice, Pages

from . import commands, drawing, queries
from .errors import BrokenGrant
from .model import ALL, ORDER, Envelope, Level, Widening, WideningDraft, WideningState

PAGE = 50
NEWS = 12
router = APIRouter(include_in_schema=False)
NOTICES = {
    "killed": Notice(text="Stopped. Nothing more is decided in its favour.", tone="bad"),
    "revived": Notice(text="It may act again, as far as its grants go."),
    "narrowed": Notice(text="Narrowed. It holds from the next decision on.", tone="warn"),
    "widening_proposed": Notice(
        text="Proposed. Nothing changes until somebody else approves.", tone="info"
    ),
    "widened": Notice(text="Widened. Your approval was for exactly what you saw."),
    "widening_declined": Notice(text="Declined. Everything stays as it was.", tone="info"),
}
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=2000, pattern=r"\S")]


@router.get("/autonomy")
def list_page(
    request: Request, tx: Read, after: Text = "", environment: Text = queries.PRODUCTION
) -> Response:
    """Every agent with the most it may do alone, and the kill switches."""
    found = queries.agents(tx, environment=environment, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    waiting = queries.widenings(tx, state=WideningState.OPEN, limit=PAGE)
    return _pages(request).render(
        request,
        "autonomy/list.html",
        agents=shown,
        subjects=["agents/all", *(f"agent/{one.agent}" for one in shown)],
        words={one: drawing.word(one) for one in Level},
        tones=drawing.TONES,
        stopped=queries.switch_of_all(tx),
        widenings=[_shown(tx, one) for one in waiting],
        after=after,
        environment=environment,
        environments=[one.name for one in environments.environments(tx)],
        next=shown[-1].agent if len(found) > PAGE else "",
        barred=_barred(tx, ALL),
    )


@router.get("/autonomy/{agent}")
def show_page(
    request: Request, agent: str, tx: Read, environment: Text = queries.PRODUCTION
) -> Response:
    """One agent: its ladder, what is missing for more, and what people can do."""
    found = queries.ladder(tx, agent, environment=environment)
    news = [
        one
        for one, _ in journal.entries(tx, subject=f"agent/{agent}", limit=200)
        if one.event.startswith("autonomy.")
    ]
    return _pages(request).render(
        request,
        "autonomy/show.html",
        agent=agent,
        ladder=found,
        environments=[one.name for one in environments.environments(tx)],
        rows=[drawing.row(one) for one in found.rungs],
        means=[(drawing.word(one), said) for one, said in drawing.MEANS.items()],
        levels=[(one.value, drawing.word(one)) for one in ORDER],
        words={one: drawing.word(one) for one in Level},
        tones=drawing.TONES,
        scopes=[(one.grant.scope, one.grant.scope) for one in found.rungs],
        widenings=[_shown(tx, one) for one in found.widenings],
        news=[tell(one) for one in news[:NEWS]],
        barred=_barred(tx, agent),
    )


@router.post("/autonomy/kill")
def kill_all(request: Request, tx: Write, reason: Reason) -> Response:
    commands.kill(tx, ALL, reason.strip())
    return _pages(request).redirect("/autonomy", notice="killed")


@router.post("/autonomy/revive")
def revive_all(request: Request, tx: Write, reason: Reason) -> Response:
    commands.revive(tx, ALL, reason.strip())
    return _pages(request).redirect("/autonomy", notice="revived")


@router.post("/autonomy/{agent}/kill")
def kill(request: Request, agent: str, tx: Write, reason: Reason) -> Response:
    commands.kill(tx, agent, reason.strip())
    return _pages(request).redirect(f"/autonomy/{agent}", notice="killed")


@router.post("/autonomy/{agent}/revive")
def revive(request: Request, agent: str, tx: Write, reason: Reason) -> Response:
    commands.revive(tx, agent, reason.strip())
    return _pages(request).redirect(f"/autonomy/{agent}", notice="revived")


@router.post("/autonomy/{agent}/narrow")
def narrow(
    request: Request,
    agent: str,
    tx: Write,
    scope: Word,
    level: Annotated[Level, Form()],
    reason: Reason,
    max_amount: Word = "",
    max_per_day: Word = "",
    min_confidence: Word = "",
    spot_share: Word = "",
    environment: Word = queries.PRODUCTION,
) -> Response:
    """Let it do less, at once; bounds that are left empty stay as they are."""
    given = _envelope(max_amount, max_per_day, min_confidence, spot_share)
    commands.narrow(
        tx,
        agent,
        scope,
        level,
        environment=environment,
        envelope=None if given == Envelope() else given,
        reason=reason.strip(),
    )
    return _pages(request).redirect(_ladder_of(agent, environment), notice="narrowed")


@router.post("/autonomy/{agent}/propose")
def propose(
    request: Request,
    agent: str,
    tx: Write,
    scope: Word,
    level: Annotated[Level, Form()],
    reason: Reason,
    max_amount: Word = "",
    max_per_day: Word = "",
    min_confidence: Word = "",
    spot_share: Word = "",
    environment: Word = queries.PRODUCTION,
) -> Response:
    """Ask for more; somebody else decides."""
    commands.propose_widening(
        tx,
        WideningDraft(
            agent=agent,
            scope=scope,
            level=level,
            environment=environment,
            envelope=_envelope(max_amount, max_per_day, min_confidence, spot_share),
            reason=reason.strip(),
        ),
    )
    return _pages(request).redirect(_ladder_of(agent, environment), notice="widening_proposed")


@router.post("/widenings/{widening_id}/approve")
def approve(
    request: Request,
    widening_id: str,
    tx: Write,
    binding: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Approve exactly what was on the page."""
    made = commands.widen(tx, widening_id, binding=binding, reason=reason.strip())
    there = _ladder_of(made.agent, made.environment)
    return _pages(request).redirect(there, notice="widened")


@router.post("/widenings/{widening_id}/decline")
def decline(request: Request, widening_id: str, tx: Write, reason: Reason) -> Response:
    ended = commands.decline(tx, widening_id, reason=reason.strip())
    there = _ladder_of(ended.grant.agent, ended.grant.environment)
    return _pages(request).redirect(there, notice="widening_declined")


def _ladder_of(agent: str, environment: str) -> str:
    """The address of an agent's ladder in an environment."""
    query = (
        ""
        if environment == queries.PRODUCTION
        else f"?{urlencode({'environment': environment})}"
    )
    return f"/autonomy/{agent}{query}"


def _shown(tx: Tx, one: Widening) -> dict[str, object]:
    """A widening as the page shows it, and why whoever looks cannot approve it."""
    actor = tx.actor
    of = commands.thing(tx, one.grant.agent, one.grant.environment)
    why = ruling.why_not(tx, Action.REVIEW, of)
    if not why and actor.name == one.requester:
        why = "you asked for it"
    return {
        "widening": one,
        "binding": one.binding,
        "envelope": drawing.envelope(one.envelope) if one.level is Level.BOUNDED else "",
        "why_not": why,
    }


def _barred(tx: Tx, agent: str) -> dict[str, str]:
    """What whoever looks may not do to an agent in production, and why. Roles alone say who may
    stop and narrow.
    """
    lacks = "" if "operate" in tx.actor.may else ruling.lacking("operate")
    return {
        "stop": lacks,
        "revive": ruling.why_not(tx, Action.OPERATE, commands.thing(tx, agent)),
        "propose": ruling.why_not(
            tx, Action.AUTHOR, commands.thing(tx, agent, queries.PRODUCTION)
        ),
    }


def _envelope(
    max_amount: str, max_per_day: str, min_confidence: str, spot_share: str
) -> Envelope:
    try:
        return Envelope(
            max_amount=Decimal(max_amount) if max_amount.strip() else None,
            max_per_day=int(max_per_day) if max_per_day.strip() else None,
            min_confidence=float(min_confidence) if min_confidence.strip() else None,
            spot_share=float(spot_share) if spot_share.strip() else None,
        )
    except (ValueError, InvalidOperation) as error:
        raise BrokenGrant("the bounds of an envelope are numbers") from error


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
