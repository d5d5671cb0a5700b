"""The inbox over HTTP: what waits, waiting for an answer, answering; and overrides."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.wire import Wire
from opsroom.web.waiting import until

from . import commands, otherwise, overriding, probing, queries, ruled, rules
from . import model as inbox
from .errors import RequestNotFound
from .model import Care, Override, OverrideDraft, Risk, Say, Settings, State
from .queries import Waiting
from .watching import Oversight

router = APIRouter(prefix="/v1", tags=["inbox"])
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str | None, Query(max_length=200)]

LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage(Wire):
    """Requests. `next` is what to pass as `after` for the page after this one."""

    items: tuple[Waiting, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest(Wire):
    """A request as the caller sees it. `shown` is the digest that an answer is bound to,
    `why_not` says why the caller may not approve it, `word` is what may be typed to approve
    something risky. `approved_by` are those whose approvals count so far.
    """

    request: inbox.Request
    shown: str
    why_not: str
    word: str
    evidence_opened: bool
    approved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening(Wire):
    evidence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Wire):
    """`binding` is what was `shown`. What is risky needs `typed` (the word) or `held_ms`."""

    binding: str
    reason: str = ""
    typed: str = ""
    held_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Wire):
    binding: str
    arguments: dict[str, Any]
    reason: str
    typed: str = ""
    held_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Wire):
    binding: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Wire):
    binding: str
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Wire):
    """`to` is a role, or somebody's name."""

    to: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Wire):
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverridePage(Wire):
    """Overrides, newest first. `next` is what to pass as `before` for the page after this."""

    items: tuple[Override, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Wire):
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedCategory(Wire):
    category: str
    count: int


@router.get("/inbox")
def list_requests(
    tx: Read,
    state: State = State.PENDING,
    mine: bool = False,
    agent: str | None = None,
    tool: str | None = None,
    risk: Risk | None = None,
    under: str | None = None,
    after: After = None,
    limit: Limit = queries.PAGE,
) -> RequestPage:
    """What waits, by the time it is due; or, of another state, what was asked, newest first.

    What is like another stands under it; `under` lists it. `mine` is what waits for you.
    """
    if state is State.PENDING:
        items = queries.waiting(
            tx,
            mine=mine,
            agent=agent,
            tool=tool,
            risk=risk,
            under=under,
            after=after,
            limit=limit,
        )
    else:
        found = queries.requests(
            tx, state=state, agent=agent, tool=tool, risk=risk, after=after, limit=limit
        )
        items = [Waiting(request=one) for one in found]
    more = queries.cursor(items[-1].request, state) if len(items) == limit else None
    return RequestPage(items=tuple(items), next=more)


@router.get("/inbox/oversight")
def show_oversight(tx: Read, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Oversight:
    """How well people watch over agents. Of others than oneself only auditors see more than
    the whole.
    """
    return visible(tx, queries.watched(tx, days=days))


@router.get("/inbox/settings")
def show_settings(tx: Read) -> Settings:
    """How this project watches over its own oversight."""
    return queries.settings(tx)


@router.put("/inbox/settings")
def set_settings(new: Settings, tx: Write) -> Settings:
    """Set shares of probes and second looks, the size of a crowd, and the grace of an answer."""
    return probing.set_settings(tx, new)


@router.get("/inbox/{request_id}")
async def show_request(
    request_id: str,
    request: Request,
    actor: Caller,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> ShownRequest:
    """A request as it stands; with `wait`, once it is answered or so many seconds are over.

    Waiting holds neither a transaction nor a thread, and nothing is lost by not waiting: ask
    again, from any process.
    """
    return await until(
        request,
        lambda: _look(database(request), actor, request_id),
        settled=lambda found: found.request.state is not State.PENDING,
        seconds=wait,
    )


@router.post("/inbox/{request_id}/open")
def open_request(request_id: str, opening: Opening, tx: Write) -> ShownRequest:
    """Note that you have it before you, and with `evidence` also what it rests on."""
    return shown(tx, commands.opened(tx, request_id, evidence=opening.evidence))


@router.post("/inbox/{request_id}/approve")
def approve(request_id: str, given: Approval, tx: Write) -> ShownRequest:
    """Approve exactly what was shown."""
    care = Care(typed=given.typed, held_ms=given.held_ms)
    return shown(
        tx,
        commands.answer(
            tx, request_id, Say.APPROVE, binding=given.binding, reason=given.reason, care=care
        ),
    )


@router.post("/inbox/{request_id}/edit")
def edit(request_id: str, given: Edit, tx: Write) -> ShownRequest:
    """Approve it with other arguments, and say why."""
    return shown(
        tx,
        commands.answer(
            tx,
            request_id,
            Say.EDIT,
            binding=given.binding,
            reason=given.reason,
            arguments=given.arguments,
            care=Care(typed=given.typed, held_ms=given.held_ms),
        ),
    )


@router.post("/inbox/{request_id}/reject")
def reject(request_id: str, given: Rejection, tx: Write) -> ShownRequest:
    """Refuse it, and say why."""
    return shown(
        tx,
        commands.answer(
            tx, request_id, Say.REJECT, binding=given.binding, reason=given.reason, care=Care()
        ),
    )


@router.post("/inbox/{request_id}/respond")
def respond(request_id: str, given: Response, tx: Write) -> ShownRequest:
    """Answer with a message to the agent, in place of what it asked for."""
    return shown(
        tx,
        commands.answer(
            tx,
            request_id,
            Say.RESPOND,
            binding=given.binding,
            text=given.text,
            reason=given.reason,
            care=Care(),
        ),
    )


@router.post("/inbox/{request_id}/hand-over")
def hand_over(request_id: str, given: HandOver, tx: Write) -> ShownRequest:
    """Pass it on to somebody else who may answer it."""
    return shown(tx, commands.hand_over(tx, request_id, given.to, given.reason))


@router.post("/inbox/{request_id}/snooze")
def snooze(request_id: str, given: Snooze, tx: Write) -> ShownRequest:
    """Put it out of sight until then. Its clock goes on."""
    return shown(tx, commands.snooze(tx, request_id, aware(given.until)))


@router.post("/inbox/{request_id}/undo")
def undo(request_id: str, tx: Write) -> ShownRequest:
    """Take back your answer, before its effect is released."""
    return shown(tx, commands.undo(tx, request_id))


@router.post("/inbox/{request_id}/probe")
def keep_as_probe(request_id: str, tx: Write) -> ShownRequest:
    """Say that anybody should refuse what was rejected here: copies of it become probes."""
    return shown(tx, probing.keep_as_probe(tx, request_id))


@router.get("/overrides")
def list_overrides(
    tx: Read,
    agent: str | None = None,
    tool: str | None = None,
    category: str | None = None,
    subject: str | None = None,
    before: After = None,
    limit: Limit = queries.PAGE,
) -> OverridePage:
    """What people decided otherwise, newest first."""
    found = queries.overrides(
        tx,
        agent=agent,
        tool=tool,
        category=category,
        subject=subject,
        before=before,
        limit=limit,
    )
    return OverridePage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.post("/overrides", status_code=201)
def add_override(draft: OverrideDraft, request: Request, actor: Caller) -> Override:
    """Record that a person decided otherwise about something nobody had asked them about.

    What the agent had been asked is taken from the trace where the draft does not say it.
    """
    draft = otherwise.with_asked(request.app.state.traces, actor.project, draft)
    with database(request).write(actor) as tx:
        return overriding.override(tx, draft)


@router.get("/overrides/categories")
def list_categories(tx: Read) -> tuple[CountedCategory, ...]:
    """What people disagree about, the most frequent first."""
    return tuple(
        CountedCategory(category=name, count=count)
        for name, count in queries.override_categories(tx)
    )


@router.put("/overrides/{override_id}/category")
def recategorise(override_id: str, to: Category, tx: Write) -> Override:
    """Say what kind of disagreement it was, in place of what was suggested."""
    return overriding.recategorise(tx, override_id, to.category)


def shown(tx: Tx, found: inbox.Request) -> ShownRequest:
    """A request as the acting person sees it."""
    barred = queries.barred(tx, found.id)
    return ShownRequest(
        request=found,
        shown=found.shown,
        why_not=ruled.why_not(tx, found, Say.APPROVE, barred=barred),
        word=rules.word_to_type(found) if found.risk is Risk.HIGH else "",
        evidence_opened=queries.evidence_opened(tx, found.id),
        approved_by=commands.standing(tx, found),
    )


def visible(tx: Tx, found: Oversight) -> Oversight:
    if "audit" in tx.actor.may:
        return found
    mine = tuple(one for one in found.people if one.name == tx.actor.name)
    return replace(found, people=mine)


def aware(moment: datetime) -> datetime:
    """A time without a zone is meant as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _look(db: Database, actor: Actor, request_id: str) -> ShownRequest:
    with db.read(actor) as tx:
        found = queries.request(tx, request_id)
        if not _concerns(found, actor):
            raise RequestNotFound(request_id)
        return shown(tx, found)


def _concerns(found: inbox.Request, actor: Actor) -> bool:
    """Agents see what they asked; programs that act for any agent, and people, see all."""
    if actor.agent:
        return found.agent == actor.agent
    return "read" in actor.may or "act" in actor.may
