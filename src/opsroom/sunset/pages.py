"""Sunset pages: what ends, each step with its evidence, and which agents linger."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response, StreamingResponse

from opsroom.access.http import Caller, Read, Write
from opsroom.registry import queries as registry
from opsroom.web.render import Notice, Pages

from . import commands, queries, reviewing, routes
from .drawing import TONES, steps
from .model import BEFORE_THE_END, Plan, State, Sunset, SunsetDraft, Wait, decide
from .zombies import WORDS
from .zombies import State as Found

router = APIRouter(prefix="/sunsets", include_in_schema=False)
PATH = "/sunsets"
ZOMBIES = f"{PATH}/zombies"
MOST_AGENTS = 500

Text = Annotated[str, Query(max_length=200)]
Before = Annotated[str | None, Query(max_length=100)]
Word = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=2000)]
Days = Annotated[float, Form(ge=0, le=400, allow_inf_nan=False)]

NOTICES = {
    "sunset_proposed": Notice(text="Proposed. Somebody else has to approve it.", tone="info"),
    "sunset_approved": Notice(text="Approved. Its end is announced to whoever calls it."),
    "sunset_looked": Notice(text="Looked. What was seen stands below.", tone="info"),
    "sunset_signed": Notice(
        text="Decommissioned. No token of it works; the rest is closed now.", tone="warn"
    ),
    "sunset_reinstated": Notice(text="Called off. It serves everybody again."),
    "zombies_looked": Notice(text="Every agent was looked at.", tone="info"),
}
FOUND = {Found.OPEN: "warn", Found.TO_END: "bad", Found.KEPT: "info", Found.SETTLED: "good"}


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    *,
    everything: bool = False,
    before: Before = None,
    propose: Text = "",
) -> Response:
    """What ends, how far each is, and the form that proposes an end."""
    found = queries.sunsets(tx, everything=everything, before=before, limit=queries.PAGE + 1)
    shown = found[: queries.PAGE]
    agents = registry.artifacts(tx, "agent", limit=MOST_AGENTS)
    return _pages(request).render(
        request,
        "sunset/list.html",
        sunsets=shown,
        tones=TONES,
        steps=steps,
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > queries.PAGE else "",
        waiting=sum(one.state in {State.PROPOSED, State.DORMANT} for one in shown),
        zombies=len(reviewing.flagged(tx)),
        agents=[(of.name, of.name) for of, _, _ in agents],
        propose=propose,
        plan=Plan(),
        may=tx.actor.may,
    )


@router.post("")
def propose(
    request: Request,
    tx: Write,
    agent: Word,
    because: Long,
    successor: Word = "",
    at_100: Days = 14,
    at_50: Days = 7,
    at_10: Days = 7,
    dormant: Days = 30,
) -> Response:
    """Propose an end."""
    plan = Plan(at_100=at_100, at_50=at_50, at_10=at_10, dormant=dormant)
    draft = SunsetDraft(agent=agent, because=because, successor=successor, plan=plan)
    made = commands.propose(tx, draft)
    return _pages(request).redirect(f"{PATH}/{made.id}", notice="sunset_proposed")


@router.get("/zombies")
def zombies_page(
    request: Request,
    tx: Read,
    *,
    agent: Text = "",
    everything: bool = False,
    before: Before = None,
) -> Response:
    """Which agents linger, in which way, and what people said to it."""
    found = reviewing.findings(
        tx,
        agent=agent or None,
        everything=everything,
        before=before,
        limit=reviewing.PAGE + 1,
    )
    shown = found[: reviewing.PAGE]
    return _pages(request).render(
        request,
        "sunset/zombies.html",
        findings=shown,
        agent=agent,
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > reviewing.PAGE else "",
        standing=sum(map(len, reviewing.flagged(tx).values())),
        ending=queries.ending(tx),
        words=WORDS,
        tones=FOUND,
        may=tx.actor.may,
    )


@router.post("/zombies/look")
def look_for_zombies(request: Request, actor: Caller) -> Response:
    """Look at every agent now."""
    routes.looked(request, actor)
    return _pages(request).redirect(ZOMBIES, notice="zombies_looked")


@router.get("/{sunset_id}")
def sunset_page(request: Request, sunset_id: str, tx: Read) -> Response:
    """One sunset: every step with its evidence, who still calls, and what people can do."""
    standing = queries.standing(tx, sunset_id)
    one = standing.sunset
    return _pages(request).render(
        request,
        "sunset/sunset.html",
        one=one,
        binding=standing.binding,
        signatures=standing.signatures,
        tone=TONES[one.state],
        waits=_waits(one, tx.now),
        steps=steps(one),
        plan=one.plan,
        proven=one.proven_at,
        now=tx.now,
        mine=one.proposed_by == tx.actor.name,
        open=one.state in BEFORE_THE_END,
        may=tx.actor.may,
    )


@router.get("/{sunset_id}/export")
def export(request: Request, sunset_id: str, actor: Caller) -> StreamingResponse:
    """What the agent held when it ended."""
    return routes.exported(request, actor, sunset_id)


@router.post("/{sunset_id}/approve")
def approve(
    request: Request, sunset_id: str, tx: Write, binding: Word, reason: Long = ""
) -> Response:
    """Let it begin."""
    commands.approve(tx, sunset_id, binding=binding, reason=reason)
    return _pages(request).redirect(f"{PATH}/{sunset_id}", notice="sunset_approved")


@router.post("/{sunset_id}/look")
def look(request: Request, sunset_id: str, actor: Caller) -> Response:
    """Look who calls, now."""
    routes.look_at(request, actor, sunset_id)
    return _pages(request).redirect(f"{PATH}/{sunset_id}", notice="sunset_looked")


@router.post("/{sunset_id}/decommission")
def decommission(
    request: Request, sunset_id: str, actor: Caller, binding: Word, reason: Long = ""
) -> Response:
    """Sign its end."""
    routes.signed(request, actor, sunset_id, binding=binding, reason=reason)
    return _pages(request).redirect(f"{PATH}/{sunset_id}", notice="sunset_signed")


@router.post("/{sunset_id}/reinstate")
def reinstate(request: Request, sunset_id: str, tx: Write, reason: Long) -> Response:
    """Call it off."""
    commands.reinstate(tx, sunset_id, reason=reason)
    return _pages(request).redirect(f"{PATH}/{sunset_id}", notice="sunset_reinstated")


def _waits(one: Sunset, now: datetime) -> str:
    """What a sunset waits for, or what follows by itself."""
    decision = decide(one, one.seen, now=now)
    return decision.because if isinstance(decision, Wait) else "the next step follows now"


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
