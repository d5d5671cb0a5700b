"""Where a prompt places text that somebody else wrote, and whether it is marked as theirs.

Text from outside may hold instructions. A model can tell them from ours only where the value
stands between marks, and best not at all in a system message. A mark is a pair of tags
(`<ticket> … </ticket>`), a pair of code or text fences, or `| tojson`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .model import Role, Trust, Variable, VariableType
from .template import Does, Piece, Template

SHORT = 64
ENOUGH_TEXT = 40

_MARK = re.compile(
    r"<(?P<close>/)?(?P<tag>[A-Za-z][A-Za-z0-9_:-]{0,40})(?:\s[^<>\n]{0,200})?>"
    r"|(?P<fence>```|~~~|\"\"\"|''')"
)
_OURS = frozenset({Role.SYSTEM, Role.DEVELOPER})


@dataclass(frozen=True, slots=True)
class Exposed:
    """An untrusted value that a template places where it may be taken for our own words."""

    piece: Piece
    name: str
    in_system: bool


def exposed(
    template: Template, variables: Mapping[str, Variable], role: Role | None
) -> Iterator[Exposed]:
    """Every place where an untrusted value can be read as an instruction.

    In a system message that is everywhere; elsewhere only where it is not fenced and our own
    text goes on after it.
    """
    text, at = _flat(template)
    fenced = _fenced(text)
    told: set[str] = set()
    for piece, offset in at:
        if piece.filters[-1:] == ("tojson",):
            continue
        for name in sorted(piece.sources - told):
            if name not in variables or not _untrusted(variables[name]):
                continue
            if role in _OURS:
                told.add(name)
                yield Exposed(piece, name, in_system=True)
            elif not _within(fenced, offset) and _goes_on(text, offset):
                told.add(name)
                yield Exposed(piece, name, in_system=False)


def _untrusted(variable: Variable) -> bool:
    if variable.trust is Trust.TRUSTED:
        return False
    if variable.type in {VariableType.NUMBER, VariableType.BOOLEAN}:
        return False
    return not (
        variable.type is VariableType.TEXT
        and variable.max_length is not None
        and variable.max_length <= SHORT
    )


def _flat(template: Template) -> tuple[str, list[tuple[Piece, int]]]:
    """The literal text without its places, and at which offset each place stands."""
    parts: list[str] = []
    at: list[tuple[Piece, int]] = []
    offset = 0
    for piece in template.pieces:
        if piece.does is Does.TEXT:
            parts.append(piece.text)
            offset += len(piece.text)
        elif piece.does is Does.PLACE:
            at.append((piece, offset))
    return "".join(parts), at


def _fenced(text: str) -> list[tuple[int, int]]:
    """From where to where the text stands between marks; the outermost, in order."""
    opened: dict[str, list[int]] = {}
    pairs: list[tuple[int, int]] = []
    for mark in _MARK.finditer(text):
        name = mark["tag"] or mark["fence"]
        starts = opened.setdefault(name, [])
        if mark["close"] or (mark["fence"] and starts):
            if starts:
                pairs.append((starts.pop(), mark.start()))
        else:
            starts.append(mark.end())
    outermost: list[tuple[int, int]] = []
    for start, end in sorted(pairs):
        if not outermost or end > outermost[-1][1]:
            outermost.append((start, end))
    return outermost


def _within(fenced: list[tuple[int, int]], offset: int) -> bool:
    index = bisect_right(fenced, (offset, len(fenced) and 1 << 60)) - 1
    return index >= 0 and fenced[index][0] <= offset <= fenced[index][1]


def _goes_on(text: str, offset: int) -> bool:
    """Does enough of our own text follow, that the value cannot be the last word?"""
    letters = 0
    for index in range(offset, min(len(text), offset + 1000)):
        letters += text[index].isalpha()
        if letters == ENOUGH_TEXT:
            return True
    return False
