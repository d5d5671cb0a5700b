"""Alerts in the browser: what is open, why, and what may be behind it."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.journal import Entry
from opsroom.journal.pages import called_by
from opsroom.journal.words import tell
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel, drawings
from opsroom.web.charts import Tone
from opsroom.web.render import Notice, Pages

from . import commands, queries
from .errors import BrokenMute
from .figures import RATES
from .model import AlertRuleSpec, Every, Scope, State, Urgency
from .routes import telemetry

PAGE = 50
PATH = "/alerts"
router = APIRouter(prefix=PATH, include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Word = Annotated[str, Form(max_length=200)]
_ID = re.compile(r"alt_[A-Za-z0-9]+", re.ASCII)
NOTICES = {
    "alert_acknowledged": Notice(text="It is yours now."),
    "alerts_muted": Notice(text="Nobody is told while that lasts; alerts open all the same."),
    "alerts_unmuted": Notice(text="People are told again."),
    "alert_resolved": Notice(text="Resolved. It opens anew if its condition holds again."),
}
TONES: dict[Urgency, Tone] = {
    Urgency.CRITICAL: "bad",
    Urgency.WARNING: "warn",
    Urgency.INFO: "info",
}
STATES: dict[State, Tone] = {
    State.OPEN: "bad",
    State.ACKNOWLEDGED: "warn",
    State.RESOLVED: "good",
}


@router.get("")
def list_page(
    request: Request, tx: Read, *, everything: bool = False, before: Text | None = None
) -> Response:
    """What is open, newest first, and the rules in force."""
    found = queries.alerts(tx, everything=everything, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    problems, rules = queries.problems(tx), queries.rules(tx)
    return _pages(request).render(
        request,
        "alerts/list.html",
        alerts=shown,
        open=queries.count_open(tx),
        tones=TONES,
        states=STATES,
        everything=everything,
        before=before,
        next=shown[-1].id if len(found) > PAGE else "",
        rules=[(rule, problems.get(rule.name, "")) for rule in rules],
        mutes=[(one, one.at(tx.now)) for one in queries.mutes(tx)],
        names=[(rule.name, rule.name) for rule in rules],
        may="operate" in tx.actor.may,
    )


@router.post("/mutes")
def mute(
    request: Request,
    tx: Write,
    reason: Annotated[str, Form(max_length=2000, pattern=r"\S")],
    hours: Annotated[float, Form(gt=0, le=168)] = 1,
    rule: Word = "",
    agent: Word = "",
    starts_at: Word = "",
    every: Annotated[Every, Form()] = Every.ONCE,
    back: Word = "",
) -> Response:
    """Tell nobody of some alerts for a while. `starts_at` is UTC."""
    since = _moment(starts_at) or tx.now
    until = since + timedelta(hours=hours)
    commands.mute(
        tx, since=since, until=until, rule=rule, agent=agent, every=every, reason=reason
    )
    place = f"{PATH}/{back}" if _ID.fullmatch(back) else PATH
    return _pages(request).redirect(place, notice="alerts_muted")


@router.post("/mutes/{mute_id}/end")
def unmute(request: Request, mute_id: str, tx: Write) -> Response:
    """End a mute before its time."""
    commands.unmute(tx, mute_id)
    return _pages(request).redirect(PATH, notice="alerts_unmuted")


@router.get("/{alert_id}")
def alert_page(request: Request, alert_id: str, tx: Read) -> Response:
    """One alert: why it opened, what changed before, and what can be done."""
    found = queries.incident(tx, alert_id, telemetry(request))
    alert = found.alert
    names = called_by(request, tx, {entry.subject for entry in found.changes})
    return _pages(request).render(
        request,
        "alerts/alert.html",
        alert=alert,
        tone=TONES[alert.urgency],
        state_tone=STATES[alert.state],
        told=[tell(entry, names) for entry in found.changes],
        models=found.models,
        suspect=None if found.suspect is None else tell(found.suspect, names),
        undo="" if found.suspect is None else _undo(request, found.suspect),
        facts=json.dumps(alert.facts, indent=2),
        rates=RATES,
        now=tx.now,
        muted=[one for one in queries.mutes(tx) if one.covers(alert.rule, alert.agent)],
        may="operate" in tx.actor.may,
    )


@router.post("/{alert_id}/acknowledge")
def acknowledge(request: Request, alert_id: str, tx: Write) -> Response:
    """Take it on."""
    commands.acknowledge(tx, alert_id)
    return _pages(request).redirect(f"{PATH}/{alert_id}", notice="alert_acknowledged")


@router.post("/{alert_id}/resolve")
def resolve(
    request: Request,
    alert_id: str,
    tx: Write,
    note: Annotated[str, Form(max_length=2000, pattern=r"\S")],
) -> Response:
    """End it, saying what it was."""
    commands.resolve(tx, alert_id, note=note.strip())
    return _pages(request).redirect(f"{PATH}/{alert_id}", notice="alert_resolved")


def draw(tx: Tx, version: Version) -> Panel:
    """A rule, and its alerts that are not resolved."""
    spec = adapter(AlertRuleSpec).validate_python(version.spec)
    return Panel(
        template="alerts/rule.html",
        facts={
            "spec": spec,
            "tone": TONES[spec.urgency],
            "of_each": spec.scope is Scope.AGENT,
            "minutes": spec.window / 60,
            "quiet": spec.quiet_after / 60,
            "live": queries.alerts(tx, rule=version.name, limit=PAGE),
            "states": STATES,
            "problem": queries.problems(tx).get(version.name, ""),
        },
    )


def _moment(text: str) -> datetime | None:
    """What a field for a moment holds, as UTC. Raises `BrokenMute`."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BrokenMute(f"{text!r} is no moment such as 2026-11-30T22:00") from error


def _undo(request: Request, entry: Entry) -> str:
    """Where a change is taken back."""
    kind, _, name = entry.subject.partition("/")
    if kind == "release":
        return f"/releases/{name}"
    return f"{drawings(request).address(kind, name)}/labels/{entry.facts['label']}/rollback"


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


PAGE_OF_KIND = KindPage(
    kind="alert-rule",
    path="/alert-rules",
    plural="alert rules",
    question="What should somebody be told of?",
    absent="The shipped rules hold; one of a shipped name takes its place once it is in production.",
    command="opsroom alert store NAME rule.yaml",
    draw=draw,
    served=False,
    cited="holds in its newest version, or in the one that production names",
)
