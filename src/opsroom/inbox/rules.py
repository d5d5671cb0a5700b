"""Who may answer, with how much care, how fast, and what the clock does. Pure.

Confidence that an agent reports of itself appears in no rule here: it never lowers oversight.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from opsroom.access.model import Role, permissions_of
from opsroom.kit.canonical import digest
from opsroom.kit.db import Actor

from .errors import BadRequestDraft, BadSettings, CareNeeded, TooFast
from .model import Care, Request, RequestDraft, Risk, Said, Say, Settings, State

ANSWER, OVERRIDE = "answer", "override"
ROLES = frozenset(role.value for role in Role)
HOLD_MS = 800
MOST_PROBES = 0.02
MOST_SECONDS = 0.2
MOST_TEXT = 20_000
MOST_PEOPLE = 10

# Forty approvals in a row that took under two seconds each are no longer read.
RUN = 40
GLANCE = 2.0
PAUSES = (5.0, 10.0, 20.0)
RUN_LASTS = timedelta(minutes=10)

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def check_draft(draft: RequestDraft, *, now: datetime) -> None:
    """Raise `BadRequestDraft` for what nobody could answer."""
    for name in ("subject", "agent", "tool", "title", "why", "binding"):
        if not getattr(draft, name).strip():
            raise BadRequestDraft(f"{name} is empty")
    if not 1 <= draft.quorum <= MOST_PEOPLE:
        raise BadRequestDraft(f"a quorum of {draft.quorum}")
    if not now < draft.expires_at:
        raise BadRequestDraft("it expires before anybody could answer")
    if draft.due_at > draft.expires_at:
        raise BadRequestDraft("it is due after it expires")


def check_settings(settings: Settings) -> None:
    if not 0 <= settings.probe_share <= MOST_PROBES:
        raise BadSettings(f"a probe share of {settings.probe_share:g}")
    if not 0 <= settings.second_share <= MOST_SECONDS:
        raise BadSettings(f"a share of second looks of {settings.second_share:g}")
    if settings.crowd < 1:
        raise BadSettings(f"a crowd of {settings.crowd}")
    if not 0 <= settings.grace <= 3600:
        raise BadSettings(f"a grace of {settings.grace:g} s")


def holds_role(request: RequestDraft, roles: Collection[str]) -> bool:
    """Whether it asks for one of `roles`; their holders may answer at all, by one of them."""
    return not request.roles or bool(set(request.roles) & set(roles))


def entitled(request: Request, name: str, roles: Collection[str]) -> bool:
    """Whether an answer of `name`, who may answer, counts: by role, or because it has climbed to
    them.
    """
    climbed_to = request.escalate_to[: request.climbed]
    return holds_role(request, roles) or (name in climbed_to and name not in ROLES)


def why_not_hand_over(
    request: Request, to: str, roles: Collection[str] | None, may: Collection[str] = ()
) -> str:
    """Why a request cannot go to `to`, a role or a person with `roles` (None: nobody here) who
    `may` do this and that.

    Handing over never widens who may answer.
    """
    if to in ROLES:
        if ANSWER not in permissions_of((to,)):
            return "nobody in that role answers requests"
        return (
            "" if not request.roles or to in request.roles else "it does not ask for that role"
        )
    if roles is None:
        return "nobody of that name is in this project"
    if to in request.askers:
        return "the agent acts for them"
    answers = ANSWER in may and entitled(request, to, roles)
    return "" if answers else "they may not answer it"


def why_not(request: Request, actor: Actor, say: Say, *, barred: Collection[str] = ()) -> str:
    """Why `actor` may not say this to `request`; nothing if they may. Refusing is also open
    to those whose agent asks: it lets nothing happen.
    """
    if not actor.human or actor.agent:
        return "only people answer, and this is a program"
    if ANSWER not in actor.may:
        return "this needs the permission to answer"
    if not entitled(request, actor.name, actor.roles):
        return f"it asks for the role {' or '.join(request.roles)}"
    if say in {Say.APPROVE, Say.EDIT} and actor.name in request.askers:
        return "the agent acts for you; somebody else has to approve"
    if actor.name in barred:
        return "you have answered it before; a second person has to"
    return ""


def waits_on(request: Request, actor: Actor, now: datetime, barred: Collection[str]) -> bool:
    """Whether it is this person's turn."""
    return (
        request.state is State.PENDING
        and (request.snoozed_until is None or request.snoozed_until <= now)
        and request.assignee in {"", actor.name}
        and not any(one.by == actor.name and one.undone_at is None for one in request.answers)
        and not why_not(request, actor, Say.APPROVE, barred=barred)
    )


def word_to_type(request: RequestDraft) -> str:
    """What has to be typed to approve something risky: the last three digits of the amount as
    it is written, or the name of the tool.
    """
    if request.amount is not None:
        digits = re.sub(r"\D", "", f"{request.amount:.2f}")
        return digits[-3:].rjust(3, "0")
    return request.tool


def check_care(request: Request, care: Care, *, evidence_opened: bool) -> None:
    """Raise `CareNeeded` unless an approval was as deliberate as its risk asks."""
    if request.risk is not Risk.HIGH:
        return
    word = word_to_type(request)
    if not evidence_opened:
        raise CareNeeded("the evidence has not been opened", word)
    if care.held_ms < HOLD_MS and care.typed.strip().casefold() != word.casefold():
        raise CareNeeded("one key is not enough to approve it", word)


def check_pace(recent: Sequence[Said], *, now: datetime) -> None:
    """Raise `TooFast` when the last forty answers were approvals at a glance.

    `recent` are a person's answers, newest first. The pause is counted from the last of them,
    and is longer the longer it goes on; one answer that was read ends it.
    """
    run = 0
    before = now
    for one in recent:
        glanced = one.seconds is not None and one.seconds < GLANCE
        if one.say is not Say.APPROVE or not glanced or before - one.at > RUN_LASTS:
            break
        run, before = run + 1, one.at
    if run < RUN:
        return
    pause = PAUSES[min((run - RUN) // 10, len(PAUSES) - 1)]
    left = pause - (now - recent[0].at).total_seconds()
    if left > 0:
        raise TooFast(RUN, GLANCE, round(left, 1))


def group_of(draft: RequestDraft) -> str:
    """Requests of one group differ in nothing but their numbers and arguments."""
    reason = _DIGITS.sub("#", draft.why.casefold())
    return digest([draft.agent, draft.tool, " ".join(reason.split())])


def flood_of(draft: RequestDraft) -> str:
    """The group of everything an agent asks beyond what people can read."""
    return digest(["flood", draft.agent])


def climb(request: Request, *, now: datetime) -> Request | None:
    """The request after its time to answer has run out: the next of its chain may answer too,
    and gets as much time again. None where it is not due, or the chain is at its end.
    """
    if now < request.due_at or request.climbed >= len(request.escalate_to):
        return None
    to = request.escalate_to[request.climbed]
    again = now + max(request.due_at - request.asked_at, timedelta(minutes=1))
    climbed = replace(
        request,
        climbed=request.climbed + 1,
        due_at=min(again, request.expires_at),
        snoozed_until=None,
    )
    if to in ROLES:
        # Without roles everybody who may answer could; a role more would shut them out.
        roles = tuple(dict.fromkeys((*request.roles, to))) if request.roles else ()
        return replace(climbed, roles=roles, assignee="")
    return replace(climbed, assignee=to)


def approvers(
    request: Request, standing: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[str, ...]:
    """The distinct people whose approvals count, given the names and today's roles of those who
    approved and may answer.
    """
    return tuple(
        dict.fromkeys(
            name
            for name, roles in standing
            if name not in request.askers and entitled(request, name, roles)
        )
    )


def chance(secret: str) -> float:
    """A number from 0 to 1 that nobody can foresee who does not know `secret`."""
    return int(hashlib.sha256(secret.encode()).hexdigest()[:13], 16) / 16**13
