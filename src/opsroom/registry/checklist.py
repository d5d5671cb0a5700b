"""The bias checklist: what a person has to have answered of a change that deals with people. Pure.

Nothing is ticked: each question takes yes or no and a sentence that says why. One no fails the
check. It is about one version, so a proposal that moves to another has to be looked at anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsroom.kit.canonical import digest
from opsroom.kit.wire import Wire, plain

from .errors import ChecklistWrong
from .model import Check, Criticality
from .rules import CHECKLIST

SHORTEST, LONGEST = 10, 500  # characters of a sentence
ITEMS: Mapping[str, str] = {
    "alike": "Are people treated alike, whatever their origin, sex, age, faith, disability or language?",
    "stand-ins": "Does nothing stand in for such an attribute (a name, an accent, a postcode, a photo)?",
    "words": "Is it free of words that belittle people or say what a group is like?",
    "examples": "Do its examples show different people, and none of them always in the bad part?",
    "tried": "Was it tried on cases that differ in nothing but who the person is?",
    "recourse": "Does somebody whom it decides about reach a person who can decide otherwise?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings(Wire):
    """What a project asks of reviews: for which criticalities of prompts and agents the bias
    checklist has to be answered before `production` moves.
    """

    checklist: tuple[Criticality, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Wire):
    """What somebody says to one question, and why."""

    item: str
    holds: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist(Wire):
    """Everything that one person answered of version `number`, which has this `digest`."""

    proposal: str
    number: int
    digest: str
    by: str
    at: datetime
    answers: tuple[Answered, ...]

    @property
    def evidence(self) -> str:
        return digest(plain(self))


def complete(proposal: str, answers: Sequence[Answered]) -> tuple[Answered, ...]:
    """The answers in the order of the questions. Raises `ChecklistWrong` unless every question
    has one, with a sentence.
    """
    given = {one.item: one for one in answers}
    if unknown := sorted(given.keys() - ITEMS.keys()):
        raise ChecklistWrong(proposal, f"there is no question {unknown[0]!r}")
    if len(given) != len(answers):
        raise ChecklistWrong(proposal, "a question is answered twice")
    for item in ITEMS:
        if item not in given:
            raise ChecklistWrong(proposal, f"{item!r} is not answered")
        if not SHORTEST <= len(given[item].because.strip()) <= LONGEST:
            raise ChecklistWrong(proposal, f"{item!r} has no sentence that says why")
    return tuple(
        Answered(item=item, holds=given[item].holds, because=given[item].because.strip())
        for item in ITEMS
    )


def check_of(made: Checklist) -> Check:
    """What a checklist comes to."""
    against = [one.item for one in made.answers if not one.holds]
    said = f"no to {', '.join(against)}" if against else f"yes to all {len(made.answers)}"
    return Check(
        name=CHECKLIST,
        state="failed" if against else "passed",
        summary=f"{made.by} said {said}",
        evidence=made.evidence,
    )
