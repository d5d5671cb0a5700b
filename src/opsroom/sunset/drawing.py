"""What the pages of agents show of their end: flags in the list, a panel, and the way there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from opsroom.agents import queries as agents
from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Version
from opsroom.registry.drawing import Action, Flag, Panel

from . import queries, reviewing, store
from .model import SHARES, Closing, Done, State, Sunset
from .zombies import WORDS

Tone = Literal["good", "bad", "warn", "info", "muted"]
TONES: Mapping[State, Tone] = {
    State.PROPOSED: "warn",
    State.APPROVED: "info",
    State.DEPRECATING: "info",
    State.DORMANT: "warn",
    State.DECOMMISSIONED: "info",
    State.ARCHIVED: "muted",
    State.REINSTATED: "good",
}
MOST_WORDS = 160
CLOSED = {
    "export": "state exported",
    "integrations": "integrations closed",
    "schedules": "schedules removed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sunset, as the stepper shows it: `note` is what it rests on."""

    title: str
    state: Literal["done", "now", "next", "held", "failed", "skipped"]
    note: str = ""


# Every step, and the title it has; `done` of a sunset names those that were taken.
STEPS = (
    ("proposed", "proposed"),
    ("approved", "approved"),
    ("announced", f"announced, {SHARES[0]} %"),
    ("ramp_50", "50 %"),
    ("ramp_10", "10 %"),
    ("dormant", "0 %, dormant"),
    ("proof", "nobody calls"),
    ("signed", "signed"),
    ("credentials", "credentials revoked"),
    *((one.value, CLOSED[one.value]) for one in Closing),
    ("archived", "archived"),
)


def steps(one: Sunset) -> list[Step]:
    """How far a sunset is, each step with its evidence; the first that is not done is now."""
    taken = {done.step: done for done in one.done}
    found: list[Step] = []
    reached = False
    for name, title in STEPS:
        if name in taken:
            found.append(Step(title, "done", _note(taken[name])))
        elif one.over:
            found.append(Step(title, "skipped"))
        else:
            state: Literal["now", "next"] = "next" if reached else "now"
            found.append(Step(title, state))
            reached = True
    return found


def flags(tx: Tx) -> Mapping[str, Sequence[Flag]]:
    """What the list of agents says of those that linger or end."""
    found: dict[str, list[Flag]] = {}
    for agent, kinds in reviewing.flagged(tx).items():
        words = ", ".join(WORDS[kind] for kind in kinds)
        found[agent] = [Flag(word=f"zombie: {words}", href=f"/sunsets/zombies?agent={agent}")]
    for agent, state in queries.ending(tx).items():
        flag = Flag(word=f"sunset: {state.value}", href=f"/sunsets/{agent}", tone=TONES[state])
        found.setdefault(agent, []).append(flag)
    return found


def panels(tx: Tx, of: Artifact, _version: Version) -> Sequence[Panel]:
    """For the page of an agent: how it lingers, and how far its end is."""
    one = store.last_of(tx, of.name)
    findings = reviewing.findings(tx, agent=of.name)
    if one is None and not findings:
        return ()
    facts = {
        "agent": of.name,
        "sunset": one,
        "tone": TONES[one.state] if one else "muted",
        "steps": steps(one) if one else [],
        "findings": findings,
        "words": WORDS,
    }
    return (Panel(template="sunset/panel.html", facts=facts),)


def offer(tx: Tx, of: Artifact) -> Sequence[Action]:
    """The way from an agent to its end."""
    if store.live_of(tx, of.name) is not None or agents.retired(tx, of.name) is not None:
        return ()
    return (Action(title="Sunset", href=f"/sunsets?propose={of.name}#propose"),)


def _note(done: Done) -> str:
    by = "" if done.by.startswith("system:") else f" by {done.by}"
    words = done.words if len(done.words) <= MOST_WORDS else f"{done.words[:MOST_WORDS]}…"
    return f"{done.at:%Y-%m-%d %H:%M}{by}" + (f": {words}" if words else "")
