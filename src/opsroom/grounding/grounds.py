"""The grounds of a call: where each value comes from, and what policies see of that.

Arguments that decide whom or what a call reaches are always told. Of the others a policy hears
whether any was copied out of untrusted text, and whether anything in the call comes from the
user at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsroom.contracts.model import ArgumentKind, ContractSpec

from .asking import asks_for, fits_better
from .dates import is_time
from .facts import Seen, facts_of
from .model import Ground, Grounding, Source
from .plan import IDENTIFYING, Plan, leaves
from .shapes import whole
from .sources import Found, find, stray_links
from .structure import is_name
from .tape import Tape, key_of, stems_of
from .words import normal, telling, words_in

_SHORT = 4  # telling words below which a text is a name, and half of it must have been said
_LONG = 200  # characters from which a text is looked at word by word
_LOOSE = frozenset({Source.UNTRUSTED, Source.MODEL})


def ground(spec: ContractSpec, arguments: Mapping[str, Any], tape: Tape) -> Grounding:
    """Where the values of a call of `spec` come from, and what follows for policy.

    `arguments` are canonical. Nothing is written on the tape.
    """
    look = _Look(tape, tape.plan(spec))
    for path, value in leaves(arguments):
        kind = look.plan.kind_at(path)
        if kind in IDENTIFYING:
            look.at_identifying(path, value, kind)
        elif value not in look.plan.offered:
            look.at_other(path, value, kind)
    return Grounding(grounds=tuple(look.grounds), facts=facts_of(look.seen(), look.grounds))


@dataclass(slots=True)
class _Look:
    """One look over the arguments of one call."""

    tape: Tape
    plan: Plan
    grounds: list[Ground] = field(default_factory=list[Ground])
    anchored: bool = False
    loose: bool = False  # something in the call comes from neither the user nor a record
    passed_over: bool = False
    copied: list[str] = field(default_factory=list[str])
    made_up: list[str] = field(default_factory=list[str])
    links: list[str] = field(default_factory=list[str])

    def at_identifying(self, path: str, value: str, kind: ArgumentKind) -> None:
        found = find(value, path, kind, self.tape, reads=self.plan.reads)
        if self._is_new_name(found, kind, value):
            self.loose = True
            return
        self._note(path, kind, found)
        self.passed_over = self.passed_over or found.passed_over
        if found.source is Source.MODEL and (whole(normal(value)) or _has_digit(value)):
            self.made_up.append(path)

    def at_other(self, path: str, value: str, kind: ArgumentKind) -> None:
        text = normal(value)
        if _from_user(text, self.tape):
            self.anchored = True
        elif _measures(text):
            self.loose = self.loose or key_of(value) not in self.tape.names
        elif is_name(text):
            found = find(value, path, kind, self.tape)
            if found.source is Source.UNTRUSTED:
                self.copied.append(path)
                self._note(path, kind, found)
            self.anchored = self.anchored or found.anchors
            self.loose = self.loose or found.source in _LOOSE
        else:
            self.loose = True
        self.links.extend(stray_links(text, self.tape))

    def seen(self) -> Seen:
        asks, does = self.tape.user.asks, self.plan.does
        asked = asks_for(asks, does) and (
            self.anchored or not fits_better(asks, does, self.tape.all_doings())
        )
        return Seen(
            reads_only=self.plan.reads,
            asked=asked,
            anchored=self.anchored or not self.loose,
            passed_over=self.passed_over,
            copied=frozenset(self.copied),
            made_up=frozenset(self.made_up),
            links=frozenset(self.links),
            tainted=bool(self.tape.tainted),
            addressed=bool(self.tape.addressed),
        )

    def _note(self, path: str, kind: ArgumentKind, found: Found) -> None:
        self.grounds.append(
            Ground(path=path, kind=kind, source=found.source, because=found.because)
        )
        self.anchored = self.anchored or found.anchors
        self.loose = self.loose or found.source in _LOOSE

    def _is_new_name(self, found: Found, kind: ArgumentKind, value: str) -> bool:
        """What is only being made may be called what the model likes."""
        return (
            found.source is Source.MODEL
            and kind is ArgumentKind.IDENTIFIER
            and "create" in self.plan.does.kinds
            and whole(normal(value)) is None
        )


def _from_user(text: str, tape: Tape) -> bool:
    """Whether most of a short text, or some of a long one, is what the user said."""
    if len(text) > _LONG:
        said = telling(words_in(text)) & tape.user.stems
        return len(said) >= _SHORT / 2
    stems = stems_of(text)
    common = len(stems & tape.user.stems)
    if is_name(text) or len(stems) < _SHORT:
        return common > len(stems) / 2
    return common >= _SHORT / 2


def _measures(text: str) -> bool:
    """Whether a value is a time or an amount, and names nothing."""
    return is_time(text) or text.strip().lstrip("-+").replace(".", "", 1).isdigit()


def _has_digit(value: str) -> bool:
    return any(map(str.isdigit, value))
