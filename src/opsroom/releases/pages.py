"""Releases: what is moving, why one stands where it does, and what people can do about it.

Actions are bound to what was on the page: an approval to the exact candidate, plan and gate
evidence, a judgement to the pair that was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from opsroom.access.http import Read, Write
from opsroom.approvals import Answer
from opsroom.approvals import queries as approvals
from opsroom.evals import queries as evals
from opsroom.evals.drawing import verdict_facts
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Version, environments
from opsroom.registry.drawing import Action
from opsroom.web.render import Notice, Pages

from . import commands, observing, queries
from .drawing import agreement, effect, plot
from .gathering import gather
from .judge import canary_alarm
from .model import Release, State
from .observation import Sampled
from .plan import MetricRule
from .steps import steps
from .watching import allowed, stopped_at, watch
from .words import by_itself, harm, moves, title

PAGE = 30
DECISIONS = 20
NEWS = 12
QUIET = frozenset({"release.pair_judged", "release.due", "approval.consumed"})

router = APIRouter(prefix="/releases", include_in_schema=False)
NOTICES = {
    "release_approved": Notice(
        text="Your approval counts for exactly this candidate, plan and gate verdict."
    ),
    "release_paused": Notice(
        text="Paused. Everybody gets the champion until it goes on.", tone="warn"
    ),
    "release_resumed": Notice(text="It goes on where it was."),
    "release_aborted": Notice(text="Stopped. Nobody was served the candidate.", tone="info"),
    "release_rolled_back": Notice(
        text="Rolled back. Everybody gets the champion again.", tone="warn"
    ),
    "pair_judged": Notice(text="Noted."),
}

Id = Annotated[str, Query(max_length=100)]
Reason = Annotated[str, Form(max_length=2000, pattern=r"\S")]
Optional = Annotated[str, Form(max_length=2000)]


@router.get("")
def list_page(
    request: Request,
    tx: Read,
    active: bool | None = None,
    kind: Id = "",
    name: Id = "",
    environment: Id = "",
    before: Id = "",
) -> Response:
    """What is moving now, and how earlier releases ended."""
    page = queries.releases(
        tx,
        active=active,
        kind=kind or None,
        name=name or None,
        environment=environment or None,
        before=before or None,
        limit=PAGE + 1,
    )
    shown = page[:PAGE]
    return _pages(request).render(
        request,
        "releases/list.html",
        rows=[watch(tx, one) for one in shown],
        active=active,
        name=name,
        of=_given(kind=kind if name else "", name=name, environment=environment),
        environment=environment,
        environments=[one.name for one in environments.environments(tx)],
        chosen=_given(
            active=None if active is None else str(active).lower(),
            kind=kind,
            name=name,
            environment=environment,
            before=before,
        ),
        before=before,
        next=shown[-1].id if len(page) > PAGE else "",
    )


@router.get("/{release_id}")
def show_page(
    request: Request, release_id: str, tx: Read, metric: Id = "", before: Id = ""
) -> Response:
    """One release: every step, the numbers it is decided by, and what will happen by itself."""
    found = queries.standing(tx, release_id)
    release, evidence = found.release, found.evidence
    decisions = queries.decisions(tx, release_id, before=before or None, limit=DECISIONS + 1)
    answers = approvals.history(tx, release.subject)
    watched = _watched(release, metric)
    alarm = canary_alarm(release.plan, gather(tx, release))  # which needs every look
    word, tone = title(release)
    return _pages(request).render(
        request,
        "releases/show.html",
        release=release,
        evidence=evidence,
        next=found.next,
        title=moves(release),
        word=word,
        tone=tone,
        steps=steps(release, evidence, now=tx.now, stopped=stopped_at(tx, release)),
        ahead=by_itself(release, found.next, evidence),
        metrics=[
            (one, f"/releases/{release_id}?metric={quote(one)}", one == watched.metric)
            for one in release.plan.names
        ],
        plot=plot(release, watched, queries.series(tx, release_id, watched.metric)),
        effects=[
            effect(one, evidence, alarm) for one in found.readings if one.estimate.interval
        ],
        readings=[(one, harm(one, alarm)) for one in found.readings],
        agreement=agreement(release, evidence),
        gate=_gate(tx, evidence.gate.digest if evidence.gate else ""),
        decisions=decisions[:DECISIONS],
        chosen=_given(metric=metric, before=before),
        older=decisions[DECISIONS - 1].id if len(decisions) > DECISIONS else "",
        before=before,
        news=_news(tx, release),
        answers=answers[::-1],
        binding=found.binding,
        may=allowed(
            found,
            tx.actor,
            barred=commands.barred(tx, release),
            answered=frozenset(one.approver for one in answers if one.digest == found.binding),
        ),
    )


@router.get("/{release_id}/sample")
def sample_page(request: Request, release_id: str, tx: Read, key: Id = "") -> Response:
    """The sample, one answer at a time: what was asked, and what both versions said."""
    found = queries.standing(tx, release_id)
    pairs = queries.sample(tx, release_id)
    open_ = [one for one in pairs if one.good is None]
    chosen = next((one for one in pairs if one.pair.key == key), open_[0] if open_ else None)
    return _pages(request).render(
        request,
        "releases/sample.html",
        release=found.release,
        title=moves(found.release),
        counts=found.evidence.sample,
        pairs=pairs,
        chosen=chosen,
        place=pairs.index(chosen) + 1 if chosen else 0,
        shown=None if chosen is None else _texts(chosen),
        may=allowed(
            found,
            tx.actor,
            barred=commands.barred(tx, found.release),
            answered=frozenset(),
        ),
    )


@router.post("/{release_id}/approve")
def approve(
    request: Request,
    release_id: str,
    tx: Write,
    binding: Annotated[str, Form(max_length=64)],
    reason: Optional = "",
) -> Response:
    """Approve what was on the page: candidate, plan and gate verdict."""
    commands.as_shown(tx, release_id, binding)
    commands.review(tx, release_id, answer=Answer.APPROVE, reason=reason.strip())
    return _back(request, release_id, "release_approved")


@router.post("/{release_id}/pause")
def pause(request: Request, release_id: str, tx: Write, reason: Reason) -> Response:
    commands.pause(tx, release_id, reason=reason.strip())
    return _back(request, release_id, "release_paused")


@router.post("/{release_id}/resume")
def resume(request: Request, release_id: str, tx: Write, reason: Reason) -> Response:
    commands.resume(tx, release_id, reason=reason.strip())
    return _back(request, release_id, "release_resumed")


@router.post("/{release_id}/abort")
def abort(request: Request, release_id: str, tx: Write, reason: Reason) -> Response:
    commands.abort(tx, release_id, reason=reason.strip())
    return _back(request, release_id, "release_aborted")


@router.post("/{release_id}/rollback")
def roll_back(request: Request, release_id: str, tx: Write, reason: Reason) -> Response:
    commands.roll_back(tx, release_id, reason=reason.strip())
    return _back(request, release_id, "release_rolled_back")


@router.post("/{release_id}/sample")
def judge(
    request: Request,
    release_id: str,
    tx: Write,
    key: Annotated[str, Form(max_length=200)],
    good: Annotated[Literal["yes", "no"], Form()],
    reason: Optional = "",
) -> Response:
    """Say whether one sampled answer is good enough, and go on to the next."""
    observing.judge_pair(tx, release_id, key, good=good == "yes", reason=reason.strip())
    over = queries.release(tx, release_id).state is not State.IN_REVIEW
    return _pages(request).redirect(
        f"/releases/{release_id}" + ("" if over else "/sample"), notice="pair_judged"
    )


def offer(tx: Tx, of: Artifact, _version: Version) -> Sequence[Action]:
    """From an artifact to the release of it that is under way, or to earlier ones."""
    under_way = queries.releases(tx, active=True, kind=of.kind, name=of.name, limit=1)
    if under_way:
        one = under_way[0]
        return (Action(title=f"Release {title(one)[0]}", href=f"/releases/{one.id}"),)
    if queries.releases(tx, kind=of.kind, name=of.name, limit=1):
        href = f"/releases?kind={of.kind}&name={of.name}"
        return (Action(title="Releases", href=href),)
    return ()


def _gate(tx: Tx, digest: str) -> dict[str, Any] | None:
    """The verdict that approvals rest on, as evaluations draw it."""
    verdict = evals.stored_verdict(tx, digest) if digest else None
    return None if verdict is None else verdict_facts(verdict)


def _watched(release: Release, metric: str) -> MetricRule:
    """The rule whose numbers are drawn: the one asked for, else the first primary one."""
    rules = (*release.plan.primaries, *release.plan.guardrails)
    return next((one for one in rules if one.metric == metric), rules[0])


def _news(tx: Tx, release: Release) -> list[Any]:
    """What happened to a release, in words, newest first."""
    entries = journal.entries(tx, subject=release.subject, limit=10 * NEWS)
    called: Mapping[str, str] = {release.subject: "it"}
    loud = [entry for entry, _ in entries if entry.event not in QUIET]
    return [replace(tell(entry, called), href="") for entry in loud[:NEWS]]


def _texts(chosen: Sampled) -> dict[str, str]:
    """What was asked and answered, as text."""
    pair = chosen.pair
    return {
        "input": _text(pair.input),
        "champion": _text(pair.champion_output),
        "challenger": _text(pair.challenger_output),
    }


def _text(value: Any) -> str:
    """An object of texts is read as its parts, anything else that is no text as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        return "\n".join(f"{name}: {part}" for name, part in value.items())
    return canonical(value).decode()


def _given(**query: str | None) -> dict[str, str]:
    """What of an address was asked for."""
    return {name: value for name, value in query.items() if value}


def _back(request: Request, release_id: str, notice: str) -> Response:
    return _pages(request).redirect(f"/releases/{release_id}", notice=notice)


def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)
