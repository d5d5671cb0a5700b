"""What is a security event, told from a turn and what detectors say of its texts. No I/O.

Detectors are facts for people, never the control: the gate decides what is done, whatever is
seen here. `order_seen` by itself says that somebody tried; `attack_stopped` that the gate held
or asked a person in a turn that had read such an order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsroom.actions.model import Action, Refusal, Turn
from opsroom.detectors.model import ALARM, Finding
from opsroom.grounding.model import Piece, Voice


class Event(StrEnum):
    """Names of journal entries."""

    ORDER_SEEN = "security.order_seen"
    ATTACK_STOPPED = "security.attack_stopped"
    UNKNOWN_TOOL = "security.unknown_tool"
    SECRET_IN_OUTPUT = "security.secret_in_output"  # noqa: S105  # the name of an event
    CANARY_SEEN = "security.canary_seen"
    ODD_OUTPUT = "security.odd_output"


# What must not happen: it ends a release under whose challenger it did.
GRAVE = frozenset({Event.SECRET_IN_OUTPUT, Event.CANARY_SEEN})
OUTPUTS = {
    "secret": Event.SECRET_IN_OUTPUT,
    "canary": Event.CANARY_SEEN,
    "output": Event.ODD_OUTPUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something that was seen in a turn: where (a tool, `arguments of TOOL` or `result`), how
    sure, and why in words, which quote nothing. `about` tells it from others of its kind.
    """

    event: Event
    where: str
    words: str
    about: str
    score: float = 1.0
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A text of a turn, and what detectors say of it."""

    where: str
    findings: Sequence[Finding]
    digest: str
    action: str = ""


def sightings(
    turn: Turn, heard: Sequence[Read], said: Sequence[Read], actions: Sequence[Action]
) -> Iterator[Sighting]:
    """What was seen in a turn: in what it `heard` from tools, in what it `said` (arguments and
    its result), and in what the gate did with its `actions`.
    """
    orders = [(one, top) for one in heard if (top := _order(one)) is not None]
    for read, order in orders:
        yield Sighting(
            event=Event.ORDER_SEEN,
            where=read.where,
            words=order.words,
            about=read.digest,
            score=order.score,
        )
    for read in said:
        for finding in read.findings:
            if finding.detector in OUTPUTS and finding.score >= ALARM:
                yield Sighting(
                    event=OUTPUTS[finding.detector],
                    where=read.where,
                    words=finding.words,
                    about=f"{read.digest}:{finding.kind}",
                    score=finding.score,
                    action=read.action,
                )
    for action in actions:
        if action.refused_by is Refusal.CONTRACT and not action.contract:
            yield Sighting(
                event=Event.UNKNOWN_TOOL,
                where=action.tool,
                words=f"{turn.version} has no contract for it",
                about=action.tool,
                action=action.id,
            )
        elif orders and (action.refused_by is Refusal.POLICY or action.approval):
            held = "was denied" if action.refused_by is Refusal.POLICY else "went to a person"
            yield Sighting(
                event=Event.ATTACK_STOPPED,
                where=action.tool,
                words=f"it {held} after a text that {orders[0][1].words}",
                about=action.id,
                action=action.id,
            )


def untrusted(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces that anybody may have written."""
    return (piece for piece in pieces if piece.voice is Voice.TOOL and piece.text)


def _order(read: Read) -> Finding | None:
    """The surest order that a text gives, if any is alarming."""
    found = [one for one in read.findings if one.detector == "injection" and one.alarming]
    return max(found, key=lambda one: one.score, default=None)
