"""Turns as people read them: intent, plan, actions, result, final state; and what-if.

Everything that was said or returned is text about text; nothing of it is ever markup.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read
from opsroom.journal import queries as journal
from opsroom.journal.words import Told, tell
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.policies.model import PolicyRequest, PolicySpec, Verdict
from opsroom.registry.drawing import Panel
from opsroom.web.charts import Tone
from opsroom.web.render import Pages

from . import queries, store, whatif
from .errors import TurnNotFound
from .model import Action, Final, State, Turn
from .queries import TurnRecord

PAGE = 40
MOST_SHOWN = 4_000
SPANS = (("1", "a day"), ("7", "a week"), ("30", "a month"))
STATES: dict[State, tuple[str, Tone]] = {
    State.PROPOSED: ("proposed", "info"),
    State.DENIED: ("denied", "bad"),
    State.DEFERRED: ("deferred", "warn"),
    State.AWAITING_APPROVAL: ("waits for a person", "warn"),
    State.PERMITTED: ("permitted", "info"),
    State.RESERVED: ("reserved", "info"),
    State.EXECUTING: ("being done", "info"),
    State.SUCCEEDED: ("done", "good"),
    State.FAILED: ("failed", "bad"),
    State.UNKNOWN: ("outcome unknown", "bad"),
    State.RECONCILED: ("settled", "info"),
    State.VERIFIED: ("verified", "good"),
    State.COMPENSATED: ("undone", "warn"),
    State.RECOMMENDED: ("recommended", "muted"),
}
FINALS: dict[Final | None, tuple[str, Tone]] = {
    None: ("open", "info"),
    Final.DONE: ("done", "good"),
    Final.REFUSED: ("refused", "warn"),
    Final.ESCALATED: ("escalated", "warn"),
    Final.FAILED: ("failed", "bad"),
    Final.ABANDONED: ("abandoned", "muted"),
}
VERDICTS: dict[Verdict | None, Tone] = {
    None: "muted",
    Verdict.PERMIT: "good",
    Verdict.MODIFY: "info",
    Verdict.ESCALATE: "warn",
    Verdict.DEFER: "warn",
    Verdict.DENY: "bad",
}

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form(max_length=100_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One action of a turn with all that its decision rests on."""

    action: Action
    word: str
    tone: Tone
    verdict_tone: Tone
    arguments: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    result: str
    told: list[Told]


@router.get("/turns")
def list_page(request: Request, tx: Read, agent: Id = "", before: Id = "") -> Response:
    """What agents were asked lately, and how it ended."""
    found = queries.turns(tx, agent=agent or None, before=before or None, limit=PAGE + 1)
    shown = found[:PAGE]
    return _pages(request).render(
        request,
        "actions/turns.html",
        rows=[(one, *FINALS[one.final]) for one in shown],
        unknown=queries.actions(tx, state=State.UNKNOWN, limit=20),
        agent=agent,
        before=before,
        next=shown[-1].id if len(found) > PAGE else "",
    )


@router.get("/turns/{turn_id}")
def show_page(request: Request, turn_id: str, tx: Read) -> Response:
    """The decision record of a turn."""
    found = queries.turn(tx, turn_id)
    word, tone = FINALS[found.turn.final]
    return _pages(request).render(
        request,
        "actions/turn.html",
        turn=found.turn,
        word=word,
        tone=tone,
        steps=_steps(found.turn, found),
        texts=[(one.voice.value, one.tool, one.text[:MOST_SHOWN]) for one in found.texts],
        actions=[_decided(tx, one) for one in found.actions],
        subjects=[f"action/{one.id}" for one in found.actions],
        audits="audit" in tx.actor.may,
    )


def strip(tx: Tx, turn_id: str) -> Panel | None:
    """A turn in one line, for where its trace is shown; None where nothing is known of it."""
    try:
        found = queries.turn(tx, turn_id)
    except TurnNotFound:
        return None
    return Panel(
        template="actions/strip.html",
        facts={
            "turn": turn_id,
            "title": found.turn.intent[:100] or turn_id,
            "steps": _steps(found.turn, found),
            "actions": [
                {
                    "id": one.id,
                    "tool": one.tool,
                    "word": STATES[one.state][0],
                    "tone": STATES[one.state][1],
                }
                for one in found.actions[:20]
            ],
        },
    )


@router.get("/policies/what-if")
def whatif_page(request: Request, tx: Read, policy: Id = "", days: int = 7) -> Response:
    """What a stored policy, or a draft that is about to be written, would have changed."""
    cedar, problem, found = "", "", None
    if policy:
        try:
            named = whatif.policies_of(tx, (policy,))
            cedar = named[0][1].cedar
            found = _tried(tx, named, days)
        except OpsroomError as error:
            problem = str(error)
    return _whatif(request, cedar=cedar, days=days, found=found, problem=problem, policy=policy)


@router.post("/policies/what-if")
def try_draft(
    request: Request, tx: Read, cedar: Text, days: Annotated[int, Form()] = 7
) -> Response:
    """Decide again what was decided, under the text in the field; nothing is stored."""
    problem, found = "", None
    try:
        found = _tried(
            tx, [("draft", PolicySpec(cedar=cedar))] if cedar.strip() else None, days
        )
    except OpsroomError as error:
        problem = str(error)
    return _whatif(request, cedar=cedar, days=days, found=found, problem=problem, policy="")


def _tried(tx: Tx, policies: list[tuple[str, PolicySpec]] | None, days: int) -> whatif.WhatIf:
    span = timedelta(days=min(max(days, 1), 400))
    return whatif.simulate(
        tx, policies, since=tx.now - span, until=tx.now + timedelta(seconds=1)
    )


def _whatif(request: Request, **facts: Any) -> Response:
    found: whatif.WhatIf | None = facts["found"]
    rows = (
        []
        if found is None
        else [
            (one, VERDICTS[one], found.before.get(one.value, 0), found.after.get(one.value, 0))
            for one in Verdict
        ]
    )
    return _pages(request).render(
        request, "actions/whatif.html", rows=rows, tones=VERDICTS, spans=SPANS, **facts
    )


def _steps(turn: Turn, found: TurnRecord) -> list[dict[str, str]]:
    """Intent, plan, actions, result, final state: what is there, and what is to come."""
    ended = turn.final is not None
    done = sum(one.state is State.SUCCEEDED for one in found.actions)
    bad = turn.final in {Final.FAILED, Final.ABANDONED}
    now = "done" if ended else "now"
    return [
        {"title": "Intent", "note": turn.intent[:80], "state": "done"},
        {
            "title": "Plan",
            "note": turn.plan[:80] or "none was told",
            "state": "done" if turn.plan else "skipped",
        },
        {
            "title": "Actions",
            "note": f"{done} of {len(found.actions)} done",
            "state": now if found.actions else "skipped" if ended else "next",
        },
        {
            "title": "Result",
            "note": turn.result[:80],
            "state": "done" if turn.result else "skipped" if ended else "next",
        },
        {
            "title": "Final state",
            "note": FINALS[turn.final][0],
            "state": ("failed" if bad else "done") if ended else "next",
        },
    ]


def _decided(tx: Tx, action: Action) -> Decided:
    word, tone = STATES[action.state]
    request, _ = store.decided(tx, action.id)
    audits = "audit" in tx.actor.may
    entries = journal.entries(tx, subject=f"action/{action.id}", limit=30) if audits else []
    return Decided(
        action=action,
        word=word,
        tone=tone,
        verdict_tone=VERDICTS[action.verdict],
        arguments=[(name, _said(value)) for name, value in action.arguments.items()],
        facts=_facts(request),
        result=_said(action.result)[:MOST_SHOWN] if action.result is not None else "",
        told=[tell(entry, {}) for entry, _ in reversed(entries)],
    )


def _facts(request: PolicyRequest | None) -> list[tuple[str, str]]:
    facts: Mapping[str, Any] = {} if request is None else request.facts
    return [(name.replace("_", " "), _said(value)) for name, value in sorted(facts.items())]


def _said(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case list() | tuple() if all(isinstance(one, str) for one in value):
            return ", ".join(value) or "–"
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
