"""What a person sees of a release from afar, and what they may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opsroom.access.rules import Action
from opsroom.approvals import queries as approvals
from opsroom.kit.db import Actor, Tx
from opsroom.web.charts import Tone

from . import commands, queries, store
from .decide import decide
from .gathering import gather
from .model import Hold, Release, State
from .queries import Standing
from .steps import Step, Stopped, steps
from .words import STATES, moves, title


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """For each thing one can do: nothing where it is possible, else the reason why not."""

    approve: str
    pause: str
    resume: str
    abort: str
    roll_back: str
    judge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A release in a list: its way as marks, and the sentence it stands by."""

    release: Release
    title: str
    word: str
    tone: Tone
    steps: list[Step]
    because: str
    until: datetime | None


def watch(tx: Tx, release: Release) -> Watched:
    """How a release looks in a list. One that is over stands by its last decision."""
    because, until = release.because, None
    if release.active and release.state is not State.PAUSED:
        now = decide(release, gather(tx, release), now=tx.now)
        because = now.because
        until = now.until if isinstance(now, Hold) else None
    word, tone = title(release)
    return Watched(
        release=release,
        title=moves(release),
        word=word,
        tone=tone,
        steps=steps(release, None, now=tx.now, stopped=stopped_at(tx, release)),
        because=because,
        until=until,
    )


def stopped_at(tx: Tx, release: Release) -> Stopped | None:
    """Where an ended release was last decided about."""
    if release.state not in {State.ABORTED, State.ROLLED_BACK}:
        return None
    last = store.last_decision(tx, release.id)
    if last is None:
        return None
    kind, _, state, step = last
    return Stopped(kind=kind, state=State(state), step=step)


def waits(tx: Tx, release: Release) -> str:
    """What a release wants from the person who looks, or nothing."""
    if release.state not in {State.GATING, State.IN_REVIEW}:
        return ""
    found = queries.standing(tx, release.id)
    answers = approvals.history(tx, release.subject)
    answered = frozenset(one.approver for one in answers if one.digest == found.binding)
    may = allowed(found, tx.actor, barred=commands.barred(tx, release), answered=answered)
    if not may.judge:
        left = found.evidence.sample.drawn - found.evidence.sample.judged
        return f"{left} sampled {'answer' if left == 1 else 'answers'} to judge"
    return "an approval" if not may.approve and found.evidence.approvals_missing else ""


def allowed(
    found: Standing,
    actor: Actor,
    *,
    barred: Mapping[Action, str],
    answered: frozenset[str],
) -> May:
    """What `actor` may do. `barred` says what their roles and the access rules keep them from;
    `answered` are those who approved exactly this already.
    """
    release, evidence = found.release, found.evidence
    state = STATES[release.state][0]
    operate = barred.get(Action.OPERATE, "")
    review = _reviews(actor, barred)
    own = actor.name in {release.author, release.version_author}
    return May(
        approve=review
        or ("" if release.state is State.GATING else f"it is {state} and takes no approval")
        or ("" if evidence.gate or release.plan.gate is None else "its gate has not spoken yet")
        or ("you made or started it; somebody else has to approve it" if own else "")
        or ("you have approved exactly this already" if actor.name in answered else ""),
        pause=operate
        or ("" if release.active and release.state is not State.PAUSED else f"it is {state}"),
        resume=operate or ("" if release.state is State.PAUSED else f"it is {state}"),
        abort=operate
        or ("" if release.active and not release.met_traffic else "it met traffic or is over"),
        roll_back=operate
        or (
            ""
            if release.state is State.PROMOTED or (release.active and release.met_traffic)
            else "nobody is served by it"
        ),
        judge=judges(release, actor, barred),
    )


def why_not_judge(tx: Tx, release: Release) -> str:
    """Why whoever acts may not judge the sample of a release; nothing where they may."""
    return judges(release, tx.actor, commands.barred(tx, release))


def judges(release: Release, actor: Actor, barred: Mapping[Action, str]) -> str:
    """Why `actor` may not judge the sample of a release; nothing where they may."""
    state = STATES[release.state][0]
    own = actor.name in {release.author, release.version_author}
    return (
        _reviews(actor, barred)
        or (
            ""
            if release.state is State.IN_REVIEW
            else f"it is {state}, and its sample is not open"
        )
        or ("you made or started it; somebody else has to judge" if own else "")
    )


def _reviews(actor: Actor, barred: Mapping[Action, str]) -> str:
    return barred.get(Action.REVIEW, "") or (
        "" if actor.human else "only people do this, and you are logged in as a program"
    )
