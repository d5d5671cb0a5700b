"""The retraining queue in the browser: who should be made better, why, and how far that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.improvement.model import Budget, Method
from opsroom.journal.words import address
from opsroom.registry import queries as registry
from opsroom.registry.routes import KnownKinds
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .errors import BrokenSettings
from .model import Entry, Mode, Settings, State

PATH = "/retraining"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
Number = Annotated[str, Form(pattern=r"^[0-9]{1,6}$")]
Why = Annotated[str, Form(max_length=2000, pattern=r"\S")]
NOTICES = {
    "retraining_added": Notice(text="It is in the queue, with your reason."),
    "retraining_started": Notice(text="The search is queued. It begins in a moment."),
    "retraining_releasing": Notice(text="The release is started, as the last one went."),
    "retraining_dismissed": Notice(text="Dismissed. The next reason opens a new entry."),
    "retraining_set": Notice(text="Set. It holds for what is noticed from now on."),
}
STATES: Mapping[State, Tone] = {
    State.QUEUED: "warn",
    State.RUNNING: "info",
    State.CANDIDATE: "info",
    State.RELEASED: "good",
    State.DISMISSED: "muted",
}
WAY = (State.QUEUED, State.RUNNING, State.CANDIDATE, State.RELEASED)
MODES = (
    (Mode.OFF.value, "nothing: people start it"),
    (Mode.CANDIDATE.value, "the search, up to a proposal"),
    (Mode.RELEASE.value, "the search, the gate, and a release where people need not be asked"),
)
METHODS = (
    (Method.EXAMPLES.value, "examples from the training split"),
    (Method.REFLECT.value, "rewriting after mistakes (gepa)"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way, as steppers show it."""

    title: str
    state: Literal["done", "now", "next", "failed", "skipped"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str


def stages(entry: Entry) -> list[Stage]:
    """How far an entry is. One that was dismissed failed where it had come to."""
    reached = WAY.index(entry.state) if entry.state in WAY else _reached(entry)
    over = entry.over
    found: list[Stage] = []
    for place, state in enumerate(WAY):
        if place < reached or entry.state is State.RELEASED:
            found.append(Stage(state.value, "done"))
        elif place == reached:
            found.append(Stage(state.value, "failed" if over else "now"))
        else:
            found.append(Stage(state.value, "skipped" if over else "next"))
    return found


def links(entry: Entry) -> list[Link]:
    """Where to look for what it came to."""
    named = (
        ("the search", f"improvement/{entry.improvement}" if entry.improvement else ""),
        (entry.version, entry.version),
        ("the proposal", f"proposal/{entry.proposal}" if entry.proposal else ""),
        ("the release", f"release/{entry.release}" if entry.release else ""),
    )
    return [Link(text, address(subject)) for text, subject in named if subject]


@router.get("")
def list_page(
    request: Request, tx: Read, *, everything: bool = False, before: Text | None = None
) -> Response:
    """What should be made better, and the form that puts an agent into the queue."""
    found = queries.entries(tx, everything=everything, before=before, limit=queries.PAGE + 1)
    shown = found[: queries.PAGE]
    watches = queries.watches(tx)
    return _pages(request).render(
        request,
        "retraining/list.html",
        entries=shown,
        open=queries.count_open(tx),
        people=sum(one.state is not State.RUNNING and not one.over for one in shown),
        states=STATES,
        stages=stages,
        links=links,
        address=address,
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > queries.PAGE else "",
        agents=[(one.agent, one.agent) for one in watches],
        watches=watches,
        may=tx.actor.may,
    )


@router.post("")
def add(request: Request, tx: Write, agent: Word, because: Why) -> Response:
    """Put an agent into the queue."""
    made = commands.add(tx, agent, because=because)
    return _pages(request).redirect(f"{PATH}/{made.id}", notice="retraining_added")


@router.get("/settings/{agent}")
def settings_page(request: Request, agent: str, tx: Read) -> Response:
    """When an agent is put into the queue, and how far that goes by itself."""
    return _pages(request).render(
        request,
        "retraining/settings.html",
        agent=agent,
        set=queries.settings(tx, agent),
        of=registry.artifact(tx, "agent", agent),
        modes=MODES,
        methods=METHODS,
        may="administer" in tx.actor.may,
    )


@router.post("/settings/{agent}")
def set_settings(
    request: Request,
    agent: str,
    tx: Write,
    mode: Annotated[Mode, Form()],
    method: Annotated[Method, Form()],
    share: Word,
    accepted: Number,
    every_days: Number,
    max_calls: Number,
    role: Word = "",
    model: Word = "",
    reflection_model: Word = "",
    max_usd: Word = "",
) -> Response:
    """Set it."""
    given = Settings(
        mode=mode,
        share=float(_number(share) / 100),
        accepted=int(accepted),
        every_days=int(every_days),
        role=role.strip(),
        method=method,
        model=model.strip(),
        reflection_model=reflection_model.strip(),
        budget=Budget(
            max_calls=int(max_calls), max_usd=_number(max_usd) if max_usd.strip() else None
        ),
    )
    commands.set_settings(tx, agent, given)
    return _pages(request).redirect(f"{PATH}/settings/{agent}", notice="retraining_set")


@router.get("/{entry_id}")
def entry_page(request: Request, entry_id: str, tx: Read) -> Response:
    """One entry: every reason with its evidence, what it would cost, and what it waits for."""
    entry = queries.entry(tx, entry_id)
    return _pages(request).render(
        request,
        "retraining/entry.html",
        one=entry,
        tone=STATES[entry.state],
        stages=stages(entry),
        links=links(entry),
        address=address,
        releasable=not queries.why_not_released(tx, entry),
        may=tx.actor.may,
    )


@router.post("/{entry_id}/start")
def start(request: Request, entry_id: str, tx: Write) -> Response:
    """Begin the search for something better."""
    commands.start(tx, entry_id)
    return _pages(request).redirect(f"{PATH}/{entry_id}", notice="retraining_started")


@router.post("/{entry_id}/release")
def release(request: Request, entry_id: str, tx: Write, known: KnownKinds) -> Response:
    """Start the release of the agent with what was found."""
    made = commands.release(tx, entry_id, kinds=known)
    return _pages(request).redirect(f"/releases/{made.release}", notice="retraining_releasing")


@router.post("/{entry_id}/dismiss")
def dismiss(request: Request, entry_id: str, tx: Write, reason: Why) -> Response:
    """End an entry without a release."""
    commands.dismiss(tx, entry_id, reason=reason)
    return _pages(request).redirect(f"{PATH}/{entry_id}", notice="retraining_dismissed")


def _reached(entry: Entry) -> int:
    """How far a dismissed entry had come."""
    if entry.proposal:
        return WAY.index(State.CANDIDATE)
    return WAY.index(State.RUNNING if entry.improvement else State.QUEUED)


def _number(given: str) -> Decimal:
    try:
        found = Decimal(given.strip())
    except InvalidOperation as error:
        raise BrokenSettings(f"{given!r}, which is no number,") from error
    if not found.is_finite():
        raise BrokenSettings(f"{given!r}, which is no number,")
    return found


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
