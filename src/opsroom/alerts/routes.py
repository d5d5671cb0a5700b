"""Alerts over HTTP: what is open, why, what changed before, taking it on and ending it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field, StringConstraints

from opsroom.access.http import Read, Write
from opsroom.kit.wire import Wire
from opsroom.traces.telemetry import Traces

from . import commands, queries
from .model import HOUR, LONGEST_MUTE, Alert, Every, Mute, Rule
from .queries import Incident

router = APIRouter(prefix="/v1", tags=["alerts"])
Limit = Annotated[int, Query(ge=1, le=200)]
Text = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage(Wire):
    """Alerts, newest first. `next` is what to pass as `before` for the page after this one."""

    items: tuple[Alert, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Wire):
    """The rules in force, and why some could not be decided at the last look."""

    items: tuple[Rule, ...]
    problems: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution(Wire):
    """What an alert was, in words; it goes into the journal."""

    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteDraft(Wire):
    """What is not to be told, when, and why. It begins now unless said, and lasts until
    `ends_at`, or for so many `seconds`.
    """

    reason: str
    rule: Annotated[str, StringConstraints(max_length=200)] = ""
    agent: Annotated[str, StringConstraints(max_length=200)] = ""
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    seconds: Annotated[float, Field(gt=0, le=LONGEST_MUTE.total_seconds())] = HOUR
    every: Every = Every.ONCE


def telemetry(request: Request) -> Traces | None:
    """What agents did, if this process has it open."""
    return cast("Traces", request.app.state.traces).used


@router.get("/alerts")
def list_alerts(
    tx: Read, *, everything: bool = False, before: Text | None = None, limit: Limit = 50
) -> AlertPage:
    """Alerts that are not resolved; with `everything`, those that are as well."""
    items = tuple(queries.alerts(tx, everything=everything, before=before, limit=limit))
    return AlertPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/alerts/{alert_id}")
def show_alert(alert_id: str, tx: Read, request: Request) -> Incident:
    """An alert, and what changed in the two hours before it."""
    return queries.incident(tx, alert_id, telemetry(request))


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge_alert(alert_id: str, tx: Write) -> Alert:
    """Take an alert on."""
    return commands.acknowledge(tx, alert_id)


@router.post("/alerts/{alert_id}/resolve")
def resolve_alert(alert_id: str, given: Resolution, tx: Write) -> Alert:
    """End an alert, saying what it was."""
    return commands.resolve(tx, alert_id, note=given.note)


@router.get("/alert-mutes")
def list_mutes(tx: Read) -> tuple[Mute, ...]:
    """Mutes and maintenance windows that are in force or to come."""
    return tuple(queries.mutes(tx))


@router.post("/alert-mutes")
def mute_alerts(given: MuteDraft, tx: Write) -> Mute:
    """Tell nobody of some alerts for a while, or at the same time of every day or week."""
    return commands.mute(
        tx,
        since=given.starts_at,
        until=given.ends_at or (given.starts_at or tx.now) + timedelta(seconds=given.seconds),
        rule=given.rule,
        agent=given.agent,
        every=given.every,
        reason=given.reason,
    )


@router.delete("/alert-mutes/{mute_id}")
def unmute_alerts(mute_id: str, tx: Write) -> Mute:
    """End a mute before its time."""
    return commands.unmute(tx, mute_id)


@router.get("/alert-rules")
def list_rules(tx: Read) -> Rules:
    """The rules in force: those of the project, and the shipped ones it has not replaced."""
    return Rules(items=tuple(queries.rules(tx)), problems=queries.problems(tx))
