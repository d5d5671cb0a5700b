"""Releases over HTTP, and the question every agent asks: which version serves this subject?"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from opsroom.access.http import Read, Write, called
from opsroom.agents import queries as agents
from opsroom.approvals import Answer, Approval
from opsroom.kit.wire import Wire
from opsroom.registry import environments
from opsroom.registry.model import PRODUCTION
from opsroom.registry.routes import KnownKinds

from . import commands, observing, queries
from .decide import DecisionRecord
from .model import Decision, Draft, Release, State
from .observation import Observation, Observed, Sampled, ShadowPair
from .queries import Point, Resolution, Standing

router = APIRouter(prefix="/v1", tags=["releases"])
Limit = Annotated[int, Query(ge=1, le=500)]
Before = Annotated[str | None, Query(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePage(Wire):
    """Releases, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Release, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage(Wire):
    """Decisions, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[DecisionRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Wire):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReview(Wire):
    """`binding` is the digest of what was shown; an answer to anything else is refused."""

    answer: Answer
    binding: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Wire):
    """What a person says of the candidate's answer to a sampled request."""

    key: str
    good: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowBatch(Wire):
    pairs: tuple[ShadowPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeBatch(Wire):
    outcomes: tuple[Observation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvent(Wire):
    """Something that must not happen. Told twice under the same `key`, it happened once."""

    key: str
    what: str


@router.get("/resolve")
def resolve(
    name: str,
    subject: str,
    tx: Read,
    request: Request,
    response: Response,
    kind: str = "agent",
    environment: str = PRODUCTION,
) -> Resolution:
    """Which version serves a subject now, and whether another one should answer unseen."""
    environments.check_within(tx, environment)
    if kind == "agent":
        called(request, tx, name)
        if (ending := agents.admit(tx, name, subject)) is not None:
            response.headers.update(ending.headers)
    return queries.resolve(tx, kind, name, subject, environment=environment)


@router.get("/releases")
def list_releases(
    tx: Read,
    state: State | None = None,
    active: bool | None = None,
    kind: str | None = None,
    name: str | None = None,
    environment: str | None = None,
    before: Before = None,
    limit: Limit = queries.PAGE,
) -> ReleasePage:
    """Releases, newest first, of everything, of one artifact or to one environment."""
    found = queries.releases(
        tx,
        state=state,
        active=active,
        kind=kind,
        name=name,
        environment=environment,
        before=before,
        limit=limit,
    )
    return ReleasePage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.post("/releases", status_code=201)
def start_release(draft: Draft, tx: Write, known: KnownKinds) -> Release:
    """Begin to release a version by a plan; every number of the plan has a default."""
    return commands.start(tx, draft, kinds=known)


@router.get("/releases/{release_id}")
def show_release(release_id: str, tx: Read) -> Standing:
    """Where a release stands, what is known, and what would be decided now."""
    return queries.standing(tx, release_id)


@router.get("/releases/{release_id}/decisions")
def list_decisions(
    release_id: str, tx: Read, before: Before = None, limit: Limit = queries.PAGE
) -> DecisionPage:
    """What was decided, on which evidence, newest first."""
    found = queries.decisions(tx, release_id, before=before, limit=limit)
    return DecisionPage(items=tuple(found), next=found[-1].id if len(found) == limit else None)


@router.get("/releases/{release_id}/series/{metric}")
def show_series(release_id: str, metric: str, tx: Read) -> tuple[Point, ...]:
    """How the knowledge of one metric narrowed, look by look: a confidence sequence."""
    return tuple(queries.series(tx, release_id, metric))


@router.get("/releases/{release_id}/sample")
def show_sample(release_id: str, tx: Read) -> tuple[Sampled, ...]:
    """The shadow pairs that were drawn for people to judge."""
    return tuple(queries.sample(tx, release_id))


@router.post("/releases/{release_id}/sample")
def judge_pair(release_id: str, said: Judgement, tx: Write) -> Sampled:
    """Say whether the candidate's answer to a sampled request is good enough."""
    return observing.judge_pair(tx, release_id, said.key, good=said.good, reason=said.reason)


@router.post("/releases/{release_id}/advance")
def advance_release(release_id: str, tx: Write) -> Decision:
    """Take a release a step further if the evidence allows it, and say why or why not."""
    return commands.advance(tx, release_id)


@router.post("/releases/{release_id}/shadow")
def observe_shadow(release_id: str, batch: ShadowBatch, tx: Write) -> Observed:
    """Report requests that both versions answered; each counts once."""
    return observing.observe_shadow(tx, release_id, batch.pairs)


@router.post("/releases/{release_id}/outcomes")
def observe_outcomes(release_id: str, batch: OutcomeBatch, tx: Write) -> Observed:
    """Report how live requests came out; each counts once."""
    return observing.observe_canary(tx, release_id, batch.outcomes)


@router.post("/releases/{release_id}/security-events")
def report_security_event(release_id: str, event: SecurityEvent, tx: Write) -> Decision:
    """Report something that must not happen; it ends the release at once."""
    return commands.report_security_event(tx, release_id, key=event.key, what=event.what)


@router.post("/releases/{release_id}/reviews", status_code=201)
def review_release(release_id: str, given: ReleaseReview, tx: Write) -> Approval:
    """Approve a release exactly as it stands, or ask for changes."""
    commands.as_shown(tx, release_id, given.binding)
    return commands.review(tx, release_id, answer=given.answer, reason=given.reason)


@router.post("/releases/{release_id}/pause")
def pause_release(release_id: str, given: Reason, tx: Write) -> Release:
    """Stop a release where it is: everybody gets the champion."""
    return commands.pause(tx, release_id, reason=given.reason)


@router.post("/releases/{release_id}/resume")
def resume_release(release_id: str, given: Reason, tx: Write) -> Release:
    """Let a paused release go on where it was."""
    return commands.resume(tx, release_id, reason=given.reason)


@router.post("/releases/{release_id}/abort")
def abort_release(release_id: str, given: Reason, tx: Write) -> Release:
    """End a release that nobody was served from."""
    return commands.abort(tx, release_id, reason=given.reason)


@router.post("/releases/{release_id}/rollback")
def roll_back_release(release_id: str, given: Reason, tx: Write) -> Release:
    """Serve everybody the champion again; also after the promotion."""
    return commands.roll_back(tx, release_id, reason=given.reason)
