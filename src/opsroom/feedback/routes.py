"""Feedback over HTTP: saying something, looking at it, what it comes to, links, the widget."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from pydantic import Field, ValidationError
from starlette.responses import Response

from opsroom.access.http import Caller, Read, Write, database
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire, adapter
from opsroom.redactions import Tally
from opsroom.traces.keepers import Keepers

from . import commands, links, queries
from .commands import Refused
from .errors import BadFeedback
from .figures import Figures
from .model import MOST_AT_ONCE, Feedback, FeedbackDraft, Source, State
from .placing import Desk
from .queries import Voice

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])
files = APIRouter(include_in_schema=False)
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str | None, Query(max_length=200)]
WIDGET = "feedback-widget.js"
LINK = "system:feedback-link"
IN_ONE = 50  # pieces of feedback in one transaction: others write between two


@dataclass(frozen=True, slots=True, kw_only=True)
class Many(Wire):
    """Up to 500 pieces of feedback. Each is taken or refused by itself."""

    items: Annotated[tuple[dict[str, Any], ...], Field(max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Wire):
    """What became of one of many: its id and state, or the error with its code."""

    id: str = ""
    state: str = ""
    code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn(Wire):
    """What became of each, in the order in which they were sent."""

    items: tuple[Taken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPage(Wire):
    """Feedback, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Feedback, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(Wire):
    """Whose feedback is set aside, or was refused."""

    items: tuple[Voice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class By(Wire):
    """Whose feedback to let through."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Wire):
    """How much counts now that was set aside."""

    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDraft(Wire):
    """What a link is to permit: saying something of `subject`, as the user `by`, for so many
    hours. Without `by`, all who use links of a subject are one voice.
    """

    subject: str
    by: str = ""
    use_case: str = ""
    hours: Annotated[float, Field(gt=0, le=links.LONGEST / timedelta(hours=1))] = (
        links.USUAL / timedelta(hours=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked(Wire):
    """A link, until when it holds, and where its user's page posts to."""

    token: str
    until: datetime
    post_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Wire):
    """What the user of a link says."""

    token: Annotated[str, Field(max_length=links.MOST_LINK)]
    helpful: bool | None = None
    accurate: bool | None = None
    complete: bool | None = None
    text: Annotated[str, Field(max_length=20_000)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanks(Wire):
    """It has been heard. Whether it counts is not told to whoever holds a link."""

    heard: bool = True


@router.post("")
def give(request: Request, actor: Caller, said: FeedbackDraft | Many) -> Feedback | TakenIn:
    """Say what users, the agent itself or the business think of a turn, an action or a trace.

    One, or many as `items`, of which some are kept when the rest fails; safe to repeat under the
    same `key`.
    """
    if isinstance(said, FeedbackDraft):
        return _one(request, actor, said)
    found: list[Taken] = []
    desk: Desk | None = None
    for start in range(0, len(said.items), IN_ONE):
        with database(request).write(actor) as tx:
            desk = desk or Desk(_clean(request, tx))
            some = [_parsed(item) for item in said.items[start : start + IN_ONE]]
            found += map(_taken, commands.give_some(tx, some, desk=desk))
    return TakenIn(items=tuple(found))


@router.get("")
def list_feedback(
    tx: Read,
    *,
    subject: Text = None,
    agent: Text = None,
    version: Text = None,
    source: Source | None = None,
    state: State | None = None,
    use_case: Text = None,
    kpi: Text = None,
    by: Text = None,
    counted: bool | None = None,
    before: Text = None,
    limit: Limit = 50,
) -> FeedbackPage:
    """What was said, newest first. With `counted`, only what figures use."""
    items = queries.page(
        tx,
        subject=subject,
        agent=agent,
        version=version,
        source=source,
        state=state,
        use_case=use_case,
        kpi=kpi,
        by=by,
        counted=counted,
        before=before,
        limit=limit,
    )
    return FeedbackPage(items=tuple(items), next=items[-1].id if len(items) == limit else None)


@router.get("/figures")
def show_figures(tx: Read, *, days: Annotated[float, Query(gt=0, le=3660)] = 30) -> Figures:
    """Satisfaction, lifts of results between versions, and how the work went, with intervals."""
    return queries.figures(tx, window=timedelta(days=days))


@router.get("/quarantine")
def show_quarantine(tx: Read) -> Quarantine:
    """Whose feedback is set aside or was refused, why, and how much of it."""
    return Quarantine(items=tuple(queries.quarantine(tx)))


@router.post("/quarantine/release")
def release_all(given: By, tx: Write) -> Released:
    """Let everything of one voice count that was set aside."""
    return Released(released=commands.release_all(tx, given.by))


@router.post("/links/revoke", status_code=204)
def revoke_links(tx: Write) -> None:
    """Let no link of this project that was made until now permit anything any more."""
    commands.revoke_links(tx)


@router.post("/links")
def make_link(request: Request, draft: LinkDraft, tx: Write) -> Linked:
    """A signed token with which somebody's page may say something of one subject, and nothing
    else, until its time is up.
    """
    token = commands.link(
        tx,
        draft.subject,
        by=draft.by,
        use_case=draft.use_case,
        lasting=timedelta(hours=draft.hours),
        clean=_clean(request, tx),
    )
    until = datetime.fromtimestamp(links.read(token)[0].until, UTC)
    site = cast("str", request.app.state.settings.site)
    return Linked(token=token, until=until, post_to=f"{site}/v1/feedback/given")


@router.post("/given")
def give_by_link(request: Request, said: Given) -> Thanks:
    """Say what the user of a link thinks. The token is all the permission this needs."""
    db = database(request)
    link = _permitted(db, said.token)
    actor = Actor(LINK, link.project, human=False)
    draft = FeedbackDraft(
        subject=link.subject,
        by=link.by,
        use_case=link.use_case,
        helpful=said.helpful,
        accurate=said.accurate,
        complete=said.complete,
        text=said.text,
    )
    _one(request, actor, draft, link=link)
    return Thanks()


@router.get("/{feedback_id}")
def show_feedback(feedback_id: str, tx: Read) -> Feedback:
    """One piece of feedback, with what it was joined to."""
    return queries.feedback(tx, feedback_id)


@router.post("/{feedback_id}/release")
def release(feedback_id: str, tx: Write) -> Feedback:
    """Let one piece of feedback count that was set aside."""
    return commands.release(tx, feedback_id)


@files.get(f"/{WIDGET}")
def widget() -> Response:
    """The element that other people's pages show; any site may load it."""
    body = resources.files(__package__ or "opsroom.feedback") / "static" / WIDGET
    return Response(
        body.read_bytes(),
        media_type="text/javascript; charset=utf-8",
        headers={
            "Cache-Control": "public, max-age=3600",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def _one(
    request: Request, actor: Actor, draft: FeedbackDraft, *, link: links.Link | None = None
) -> Feedback:
    with database(request).write(actor) as tx:
        done = commands.give(tx, draft, clean=_clean(request, tx), link=link)
    if isinstance(done, Refused):
        raise done.error  # once the count of it is kept
    return done


def _taken(done: Feedback | Refused | OpsroomError) -> Taken:
    match done:
        case Feedback():
            return Taken(id=done.id, state=done.state.value)
        case Refused(error) | (OpsroomError() as error):
            return Taken(code=error.code, error=str(error))


def _parsed(item: dict[str, Any]) -> FeedbackDraft | BadFeedback:
    try:
        return _draft(item)
    except BadFeedback as error:
        return error


def _draft(item: dict[str, Any]) -> FeedbackDraft:
    try:
        return adapter(FeedbackDraft).validate_python(item)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadFeedback(f"{place}: {first['msg'].lower()}"[:300]) from error


def _permitted(db: Database, token: str) -> links.Link:
    claimed, _ = links.read(token)
    with db.read(Actor(LINK, claimed.project, human=False)) as tx:
        return commands.permitted(tx, token)


def _clean(request: Request, tx: Tx) -> Callable[[str], str]:
    """Takes out of what is said what the project does not want there, and counts it."""
    keepers: Keepers = request.app.state.keepers
    tally: Tally = request.app.state.redactions
    return tally.cleaner(keepers.of(tx).redactor, tx.project, "feedback")
