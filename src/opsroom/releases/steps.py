"""The way of a release in steps, as the list, its page and the overview draw it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from opsroom.web.formats import duration, number, percent

from .evidence import Evidence
from .model import Release, State

StepState = Literal["done", "now", "next", "held", "failed", "skipped"]
_STAGES = (State.GATING, State.SHADOWING, State.IN_REVIEW)
_AFTER = {
    State.DRAFT: State.GATING,
    State.GATING: State.SHADOWING,
    State.SHADOWING: State.IN_REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the way, as the stepper draws it."""

    title: str
    note: str
    state: StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Where an ended release was last decided about: the kind of decision, state and step."""

    kind: str
    state: State
    step: int


def steps(
    release: Release,
    evidence: Evidence | None,
    *,
    now: datetime,
    stopped: Stopped | None = None,
) -> list[Step]:
    """The whole way of a release; notes need evidence, and are empty without it."""
    place, mark = _where(release, stopped)
    plan = release.plan
    wanted = [
        ("Gate", plan.gate is not None, _gate_note(release, evidence)),
        (
            f"Shadow {duration(plan.shadow.min_time)}",
            True,
            _shadow_note(release, evidence, now),
        ),
        ("Sample", plan.sample.size > 0, _sample_note(release, evidence)),
        *(
            (
                f"Canary {percent(step.weight, 0)}",
                True,
                _canary_note(release, evidence, index, now),
            )
            for index, step in enumerate(plan.steps)
        ),
        ("Promoted", True, ""),
    ]
    return [
        Step(title=name, note=note, state=_mark(index, place, mark, asked=asked))
        for index, (name, asked, note) in enumerate(wanted)
    ]


def _where(release: Release, stopped: Stopped | None) -> tuple[int, StepState]:
    """The index of the step that matters now, and how it is marked."""
    match release.state:
        case State.PROMOTED | State.SUPERSEDED:
            return _last(release), "done"
        case State.PAUSED:
            return _index(release.paused_from or State.GATING, release.step), "held"
        case State.ABORTED | State.ROLLED_BACK:
            return _failed_at(release, stopped), "failed"
        case state:
            return _index(state, release.step), "now"


def _failed_at(release: Release, stopped: Stopped | None) -> int:
    """Where an ended release had come to when it ended."""
    if stopped and stopped.kind == "promote":
        return _last(release)
    if release.legs:
        return _index(State.CANARYING, release.step)
    if stopped is None:
        return 0
    moved_on = stopped.kind == "advance"
    return _index(_AFTER.get(stopped.state, stopped.state) if moved_on else stopped.state, 0)


def _last(release: Release) -> int:
    return len(_STAGES) + len(release.plan.steps)


def _index(state: State, step: int) -> int:
    if state is State.CANARYING:
        return len(_STAGES) + step
    return _STAGES.index(state) if state in _STAGES else 0


def _mark(index: int, place: int, mark: StepState, *, asked: bool) -> StepState:
    if not asked:
        return "skipped"
    if index < place:
        return "done"
    return mark if index == place else "next"


def _gate_note(release: Release, evidence: Evidence | None) -> str:
    if release.plan.gate is None:
        return "the plan has none"
    if evidence is None:
        return ""
    if evidence.gate is None:
        return f"on {release.plan.gate.dataset.split('/')[-1]}"
    waits = release.state is State.GATING and evidence.approvals_missing
    return evidence.gate.outcome.value + (
        f", {'; '.join(evidence.approvals_missing)}" if waits else ""
    )


def _shadow_note(release: Release, evidence: Evidence | None, now: datetime) -> str:
    if evidence is None:
        return ""
    wanted = release.plan.shadow
    note = f"{number(evidence.shadow.pairs)} of {number(wanted.min_pairs)} pairs"
    if release.state is State.SHADOWING:
        note += _left(release.entered_at + wanted.min_time, now)
    return note if evidence.shadow.pairs or release.state is State.SHADOWING else ""


def _sample_note(release: Release, evidence: Evidence | None) -> str:
    if release.plan.sample.size == 0:
        return "the plan asks for none"
    if evidence is None:
        return ""
    found = evidence.sample
    if release.state is State.IN_REVIEW or found.judged:
        return f"{found.judged} of {found.drawn} judged, {found.good} good"
    return f"{release.plan.sample.size} answers"


def _canary_note(release: Release, evidence: Evidence | None, index: int, now: datetime) -> str:
    if evidence is None:
        return ""
    step = release.plan.steps[index]
    served = sum(leg.challenger.n for leg in evidence.legs if leg.step == index)
    if not served and (release.state is not State.CANARYING or index != release.step):
        return f"{number(step.min_n)} requests, {duration(step.min_duration)}"
    note = f"{number(served)} of {number(step.min_n)} requests"
    if release.state is State.CANARYING and index == release.step:
        note += _left(release.entered_at + step.min_duration, now)
    return note


def _left(over: datetime, now: datetime) -> str:
    return f", {duration(over - now)} left" if over > now else ", time is over"
