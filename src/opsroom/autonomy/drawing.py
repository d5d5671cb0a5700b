"""What is known of an agent's autonomy as pages draw it: the ladder, rung by rung."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsroom.kit.db import Tx
from opsroom.registry import Artifact, Version
from opsroom.registry.drawing import Panel
from opsroom.web.charts import Tone
from opsroom.web.formats import money, number, percent

from . import queries
from .model import ORDER, Envelope, Level
from .queries import Rung

TONES: dict[Level, Tone] = {
    Level.SUSPENDED: "bad",
    Level.SHADOW: "muted",
    Level.APPROVE_EACH: "info",
    Level.BOUNDED: "good",
    Level.EXPANDED: "warn",
}
MEANS = {
    Level.SUSPENDED: "nothing at all",
    Level.SHADOW: "recommends only",
    Level.APPROVE_EACH: "a person approves each action",
    Level.BOUNDED: "alone inside an envelope",
    Level.EXPANDED: "alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the small ladder: done up to the level in force."""

    title: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A rung, written out."""

    rung: Rung
    what: str
    word: str
    tone: Tone
    steps: Sequence[Step]
    envelope: str
    agreement: str
    missing: str


def word(level: Level) -> str:
    return level.value.replace("_", " ")


def envelope(bounds: Envelope) -> str:
    """The bounds in words."""
    said = [
        "" if bounds.max_amount is None else f"up to {money(bounds.max_amount)}",
        "" if bounds.max_per_day is None else f"{number(bounds.max_per_day)} a day",
        ""
        if bounds.min_confidence is None
        else f"when at least {percent(bounds.min_confidence, 0)} sure",
        f"{percent(bounds.spot_share, 0)} spot-checked" if bounds.spot_share else "",
    ]
    return ", ".join(one for one in said if one) or "no bounds"


def row(rung: Rung) -> Row:
    record, bound = rung.record, rung.agreement
    agreement = "nobody judged it yet"
    if bound is not None:
        agreement = (
            f"{number(record.agreed)} of {number(record.judged)},"
            f" {percent(bound.low)} to {percent(bound.high)}"
        )
    lowered = rung.level is not rung.grant.level
    return Row(
        rung=rung,
        what=rung.grant.scope.replace("tier/", "every ").replace("contract/", ""),
        word=word(rung.level),
        tone=TONES[rung.level],
        steps=_steps(rung.level),
        envelope=envelope(rung.grant.envelope) if rung.level is Level.BOUNDED else "",
        agreement=agreement,
        missing=f"granted as {word(rung.grant.level)} to a manifest that does not serve"
        if lowered
        else rung.because,
    )


def panels(tx: Tx, of: Artifact, _version: Version) -> Sequence[Panel]:
    """For the page of an agent: how much it may do alone."""
    return (panel(tx, of.name),)


def panel(tx: Tx, agent: str) -> Panel:
    found = queries.ladder(tx, agent)
    return Panel(
        template="autonomy/panel.html",
        facts={
            "agent": agent,
            "ladder": found,
            "rows": [row(one) for one in found.rungs],
        },
    )


def _steps(level: Level) -> list[Step]:
    if level is Level.SUSPENDED:
        return [Step(title=word(one), state="skipped") for one in ORDER[1:]]
    return [
        Step(
            title=word(one),
            state="now" if one is level else "done" if one.rank < level.rank else "next",
        )
        for one in ORDER[1:]
    ]
