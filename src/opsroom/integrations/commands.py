"""Checking integrations, taking in what was found, and accepting what changed.

A check is three steps, because nobody waits for a stranger inside a transaction: claim it,
visit the system, take in what was found. A claim that nobody comes back from runs out.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from opsroom.kit.db import Tx

from . import queries, store
from .calls import one_call
from .differ import Change, ToolFace, compare, compare_tools
from .errors import BeingChecked, ChangedAgain, NothingToAccept
from .model import (
    Found,
    IntegrationSpec,
    Outcome,
    Run,
    Standing,
    State,
    Undescribed,
    decide,
    judge,
    unanswered,
)
from .probing import TOOLS

PATIENCE = timedelta(minutes=10)
RETRY = timedelta(minutes=5)  # until a failed check is repeated, so that a blip is no outage
TOLD = 5
MOST_REASON = 2_000
WATCHED = "integration.watched"
EVENTS = {
    Outcome.PASSED: "integration.checked",
    Outcome.CHANGED: "integration.changed",
    Outcome.FAILED: "integration.failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to check an integration now, and what to check."""

    standing: Standing
    version: int
    spec: IntegrationSpec


def watch(tx: Tx, name: str) -> Standing:
    """Look after an integration from now on. Doing so twice is doing it once; a new version
    is checked at once.
    """
    was = store.standing(tx, name, lock=True)
    if was is None:
        fresh = Standing(id=tx.ids.new("int"), name=name, since=tx.now, next_at=tx.now)
        store.add(tx, fresh)
        tx.record(WATCHED, f"integration/{name}")
        return fresh
    due = replace(was, next_at=tx.now, revision=was.revision + 1)
    store.save(tx, due, was=was)
    return due


def claim(tx: Tx, name: str, *, due_only: bool = False) -> Claim | None:
    """Take the right to check; None where it is not due. Raises `BeingChecked`."""
    was = store.standing(tx, name, lock=True) or watch(tx, name)
    if due_only and was.next_at > tx.now:
        return None
    if was.busy_until is not None and was.busy_until > tx.now:
        if due_only:
            return None
        raise BeingChecked(name)
    version, spec = queries.checked_version(tx, name)
    busy = replace(was, busy_until=tx.now + PATIENCE, revision=was.revision + 1)
    store.save(tx, busy, was=was)
    return Claim(standing=busy, version=version.number, spec=spec)


def take_in(tx: Tx, claimed: Claim, found: Found) -> Run:
    """Store what a check found, decide how the integration stands, and journal both."""
    name, spec = claimed.standing.name, claimed.spec
    was = store.standing(tx, name, lock=True)
    if was is None or was.busy_until != claimed.standing.busy_until:
        raise ChangedAgain(name)  # the claim ran out, and somebody else checks
    digest, fresh = was.document, False
    baseline = was.baseline
    if isinstance(spec.source, Undescribed):
        digest = baseline = ""
    elif found.document is not None:
        digest, body = store.digest_of(found.document)
        store.keep_document(tx, digest, body)
        moved = was.source != spec.source.url
        fresh = bool(was.document) and not moved and digest != was.document
        baseline = digest if moved or not baseline else baseline
    run = judge(
        found,
        _changes(tx, baseline, digest),
        run_id=tx.ids.new("chk"),
        integration=name,
        version=claimed.version,
        by=tx.actor.name,
        now=tx.now,
        document=digest,
        fresh=fresh,
    )
    store.add_run(tx, run, of=was.id)
    if not isinstance(spec.source, Undescribed):
        fault = found.fault.value if found.fault else ""
        store.count(tx, was.id, one_call(failure=bool(fault), seconds=None, fault=fault))
    for one in run.tests:
        seen = one_call(
            failure=not one.passed,
            seconds=one.seconds,
            fault=one.fault.value if one.fault else "",
        )
        store.count(tx, was.id, seen)
    every = timedelta(seconds=spec.every)
    failures = was.failures + 1 if unanswered(run) else 0
    now = replace(
        was,
        baseline=baseline,
        document=digest,
        source="" if isinstance(spec.source, Undescribed) else spec.source.url,
        level=run.level,
        failures=failures,
        last_run=run.id,
        next_at=tx.now + (min(RETRY, every) if failures == 1 else every),
        busy_until=None,
    )
    tx.record(EVENTS[run.outcome], _subject(name), **_facts(run))
    _settle(tx, now, was=was, last=run, slow=spec.slow)
    return run


def observe(
    tx: Tx, integration: str, *, failure: bool, seconds: float | None = None, fault: str = ""
) -> None:
    """Count a call that an agent made. What is no integration of the registry is not counted.

    A call that went well changes nothing where all is well, so only its count is written.
    """
    was = store.standing(tx, integration, lock=True)
    if was is None:
        return
    store.count(tx, was.id, one_call(failure=failure, seconds=seconds, fault=fault))
    if not failure and was.state is State.HEALTHY:
        return
    _, spec = queries.checked_version(tx, integration)
    last = store.run(tx, was.id, was.last_run) if was.last_run else None
    _settle(tx, was, was=was, last=last, slow=spec.slow)


def accept(tx: Tx, name: str, document: str, *, reason: str) -> Standing:
    """Accept what the integration promises now as what it shall promise from now on.

    `document` is the digest that was looked at. Raises `ChangedAgain` and `NothingToAccept`.
    """
    was = store.standing(tx, name, lock=True)
    if was is None or was.document == was.baseline:
        raise NothingToAccept(name)
    if was.document != document:
        raise ChangedAgain(name)
    now = replace(was, baseline=document, level=None)
    _, spec = queries.checked_version(tx, name)
    last = store.run(tx, was.id, was.last_run) if was.last_run else None
    tx.record(
        "integration.accepted",
        _subject(name),
        document=document,
        before=was.baseline,
        reason=reason[:MOST_REASON],
    )
    return _settle(tx, now, was=was, last=last, slow=spec.slow)


def _changes(tx: Tx, baseline: str, digest: str) -> tuple[Change, ...]:
    """What is different from what was accepted."""
    if not baseline or baseline == digest:
        return ()
    before, after = store.document(tx, baseline), store.document(tx, digest)
    if before is None or after is None:
        return ()
    if TOOLS in before and TOOLS in after:
        return compare_tools(_tools(before), _tools(after))
    return compare(before, after)


def _tools(document: dict[str, Any]) -> list[ToolFace]:
    return [ToolFace(**one) for one in document[TOOLS]]


def _settle(
    tx: Tx, now: Standing, *, was: Standing, last: Run | None, slow: float | None
) -> Standing:
    """Decide how it stands, and tell if that is news. Nothing is written where nothing moved."""
    verdict = decide(now, last, queries.health_of(tx, now), slow=slow)
    if verdict.state is not now.state:
        tx.record(
            "integration.health_changed",
            _subject(now.name),
            before=now.state.value,
            after=verdict.state.value,
            because=verdict.because,
        )
        now = replace(now, since=tx.now)
    now = replace(now, state=verdict.state, because=verdict.because)
    if now == was:
        return was
    store.save(tx, now, was=was)
    return replace(now, revision=was.revision + 1)


def _facts(run: Run) -> dict[str, Any]:
    """What the journal says of a run: enough to act on, and no more than a screen of it."""
    failed = run.failed_tests
    words = [
        *([run.words] if run.words else []),
        *(f"{one.name}: {one.words}" for one in failed),
        *(f"{one.level.value}: {one.sentence}" for one in run.changes),
    ]
    return {
        "run": run.id,
        "version": run.version,
        "level": None if run.level is None else run.level.value,
        "changes": len(run.changes) + run.omitted,
        "tests": len(run.tests),
        "failed": len(failed),
        "document": run.document,
        "because": words[0] if words else "",
        "words": words[:TOLD],
    }


def _subject(name: str) -> str:
    return f"integration/{name}"
