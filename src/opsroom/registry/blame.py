"""Who wrote which line: the version that each line of a text came with. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """A line, and the number of the version that it came with; None where that is older than
    what was looked through.
    """

    line: str
    number: int | None


def blame(history: Sequence[tuple[int, str]], *, whole: bool) -> tuple[Blamed, ...]:
    """The lines of the last text of `history`, which is version numbers with their texts, oldest
    first. Without `whole` there are older versions: what stands in the first may be theirs.
    """
    lines: list[str] = []
    came: list[int | None] = []
    for place, (number, text) in enumerate(history):
        now = text.splitlines()
        then: list[int | None] = [number if place or whole else None] * len(now)
        matcher = SequenceMatcher(a=lines, b=now, autojunk=False)
        for old, new, size in matcher.get_matching_blocks():
            then[new : new + size] = came[old : old + size]
        lines, came = now, then
    return tuple(
        Blamed(line=line, number=number) for line, number in zip(lines, came, strict=True)
    )
