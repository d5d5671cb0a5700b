"""Does a text try to give an agent orders, or to take its secrets?

For what users write (direct) and for what tools answer (indirect). The answer says why: it is
a sum of signals, each a row in `signals`. Nothing is learned and nothing leaves the process.

It promises linear time, to read no more than `reading.LONGEST` characters, never to raise, and
that harmless sentences added to a text never lower its score while all of it is read. (Words
added to a sentence may: who asks for "the password" is not who asks for "the password policy".)

It cannot see what only the agent's task would tell: a polite question that is nobody's business
looks like a question.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from .model import Finding
from .reading import View, capped, characters, place, utf8, views
from .signals import FAMILIES, Family

DETECTOR = "injection"
_MOST_WORDS = 4

# What a disguise weighs by itself, where readable language came out of it.
_DISGUISE = {
    "base64": 0.35,
    "hexadecimal": 0.4,
    "binary": 0.5,
    "Morse code": 0.5,
    "pig Latin": 0.5,
    "numbers": 0.3,
    "a shifted alphabet": 0.5,
    "letters in reverse order": 0.3,
}
_HARDER = 0.4  # an order in disguise weighs this much more: somebody meant to hide it
_REPEATED = 0.35
_RUN = re.compile(r"(?<!\S)(\w\S{0,40})(?:\s{1,9}\1(?!\S)){11,}")


@dataclass(frozen=True, slots=True)
class _Sign:
    """One reason: what it is called, what it weighs, and where it was seen."""

    name: str
    weight: float
    view: View
    span: tuple[int, int]


def inspect(text: str) -> Finding | None:
    """What speaks for an injection in `text`, and where most of it stands; None if nothing does."""
    strongest: dict[str, _Sign] = {}
    for sign in _signs(capped(text)):
        if sign.name not in strongest or strongest[sign.name].weight < sign.weight:
            strongest[sign.name] = sign
    if not strongest:
        return None
    ranked = sorted(strongest.values(), key=lambda one: -one.weight)
    start, end = place(text, *ranked[0].span, ranked[0].view.origin)
    return Finding(
        detector=DETECTOR,
        kind=_kind(ranked[0].name),
        score=round(1 - prod(1 - one.weight for one in ranked), 4),
        start=start,
        end=end,
        words="; ".join(one.name for one in ranked[:_MOST_WORDS]),
    )


def _kind(name: str) -> str:
    return next((one.name.lower() for one in Family if one.value == name), "disguise")


def _signs(read: str) -> Iterator[_Sign]:
    plain: set[str] = set()
    for view in views(read):
        found = list(_matches(view))
        yield from found
        if not view.disguise:
            plain = {one.name for one in found}
            continue
        hidden = next((one for one in found if one.name not in plain), None)
        weight = max(_DISGUISE.get(view.disguise, 0.0), _HARDER if hidden else 0.0)
        if weight:
            span = hidden.span if hidden else (0, len(view.text))
            yield _Sign(f"is written in {view.disguise}", weight, view, span)
    yield from _repetition(read)


def _matches(view: View) -> Iterator[_Sign]:
    data = utf8(view.text)  # once for all patterns
    for family, anything, signals in FAMILIES:
        if anything.search(data) is None:
            continue
        for signal in signals:
            found = signal.pattern.search(data)
            if found is not None:  # the heaviest of its family: no other would count
                span = characters(data, found.span())
                yield _Sign(family.value, signal.weight, view, span)
                break


def _repetition(read: str) -> Iterator[_Sign]:
    """A word that stands many times in a row, which nobody says by accident."""
    found = _RUN.search(read)
    if found is not None:
        view = View(read, origin=found.span())
        yield _Sign("repeats itself many times", _REPEATED, view, (0, 0))
