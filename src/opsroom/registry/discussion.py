"""What people say about a proposal, line by line, and what they have looked at. Pure.

    open → resolved | applied

A comment is about a line of the proposed text. It keeps the line's words, so that it finds its
place again after the proposal has moved to another version; where the words are gone it is
outdated. A suggestion says what the line should be instead.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from opsroom.kit.canonical import digest
from opsroom.kit.texts import changed, texts
from opsroom.kit.wire import Wire

from .model import Proposal
from .rules import Needs

WHOLE = 0  # the line of a comment that is about all of it
TEXT = "what changes"
MOST_WORDS = 4000
MOST_QUOTED = 500
MOST_COMMENTS = 200


class CommentState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Wire):
    """What somebody said of a line (from 1; 0 is the whole) of version `number`. `quote` is that
    line, `suggestion` what it should be instead; None suggests nothing.
    """

    id: str
    proposal: str
    number: int
    line: int
    quote: str
    text: str
    suggestion: str | None = None
    by: str
    at: datetime
    state: CommentState = CommentState.OPEN
    closed_by: str = ""
    closed_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the proposed text, and what was said of it. What is its `own` stands in one
    place of the version, so that another can be put there.
    """

    number: int
    text: str
    own: bool
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """Everything that was said of a proposal: of lines that are there, of the whole, and of what
    is no longer there.
    """

    lines: tuple[Line, ...]
    whole: tuple[Comment, ...]
    outdated: tuple[Comment, ...]

    @property
    def open(self) -> int:
        every = [
            *self.whole,
            *self.outdated,
            *(one for line in self.lines for one in line.comments),
        ]
        return sum(one.state is CommentState.OPEN for one in every)


def placed(text: str, comments: Sequence[Comment], *, own: Collection[str] = ()) -> Discussion:
    """Bring comments to the lines that they are about; `own` are those that can be replaced."""
    lines = text.splitlines()
    at: dict[int, list[Comment]] = {}
    outdated: list[Comment] = []
    for one in comments:
        if one.line == WHOLE:
            continue
        if place := _place(one, lines):
            at.setdefault(place, []).append(one)
        else:
            outdated.append(one)
    return Discussion(
        lines=tuple(
            Line(number=number, text=line, own=line in own, comments=tuple(at.get(number, ())))
            for number, line in enumerate(lines, 1)
        ),
        whole=tuple(one for one in comments if one.line == WHOLE),
        outdated=tuple(outdated),
    )


def _place(one: Comment, lines: Sequence[str]) -> int:
    """The line that a comment is about now: the nearest with its words; 0 where there is none."""
    same = [n for n, line in enumerate(lines, 1) if line[:MOST_QUOTED] == one.quote]
    return min(same, key=lambda n: abs(n - one.line), default=0)


def own_lines(spec: Mapping[str, Any]) -> frozenset[str]:
    """The lines of the texts in a spec that stand in one place only."""
    times = Counter(line for text in texts(spec) for line in text.split("\n"))
    return frozenset(line for line, found in times.items() if found == 1)


def rewritten(spec: Mapping[str, Any], line: str, instead: str) -> Any:
    """`spec` with a line of its texts replaced, for one that is in `own_lines`."""

    def replace(text: str) -> str:
        return "\n".join(instead if one == line else one for one in text.split("\n"))

    return changed(spec, replace)


def parts(proposal: Proposal, need: Needs) -> dict[str, str]:
    """What a reviewer has to have looked at before they approve, each with the digest of what
    there is to see: the difference, and every check that is needed and was made. Nothing where a
    change is free.
    """
    if not need.checks:
        return {}
    made = {one.name: one for one in proposal.checks}
    checks = {
        name: digest([name, one.state, one.summary, one.evidence or ""])
        for name in need.checks
        if (one := made.get(name)) is not None
    }
    return {TEXT: digest([proposal.digest, proposal.base]), **checks}


def unseen(wanted: Mapping[str, str], seen: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that somebody has not looked at as they are now."""
    return tuple(name for name, now in wanted.items() if seen.get(name) != now)
