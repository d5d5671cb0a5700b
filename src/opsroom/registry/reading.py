"""Diffs made readable: long unchanged stretches folded away, and the change counted in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .diff import Span

KEPT = 280  # characters of unchanged text beside a change: about three lines
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A diff as it is shown. `folded` is how many words of unchanged text were left out."""

    ops: tuple[tuple[str, str], ...]
    added: int
    removed: int
    folded: int

    @property
    def same(self) -> bool:
        return not any(op != "equal" for op, _ in self.ops)


def read(spans: Sequence[Span], *, whole: bool = False) -> Reading:
    """The spans for reading; unless `whole`, what is far from any change is folded."""
    ops: list[tuple[str, str]] = []
    folded = 0
    for index, span in enumerate(spans):
        text = span.text
        if span.op == "equal" and not whole:
            text, left_out = _fold(text, first=index == 0, last=index == len(spans) - 1)
            folded += left_out
        ops.append((span.op, text))
    return Reading(
        ops=tuple(ops),
        added=_words(spans, "insert"),
        removed=_words(spans, "delete"),
        folded=folded,
    )


def _fold(text: str, *, first: bool, last: bool) -> tuple[str, int]:
    """Keep what stands beside a change; say how many words are not shown."""
    head = 0 if first else KEPT
    tail = 0 if last else KEPT
    if len(text) <= head + tail + 2 * KEPT:
        return text, 0
    # Cut at line ends where there is one near by, so that nothing starts in mid-sentence.
    end, begin = head, len(text) - tail
    if head:
        end = max(text.find("\n", head, head + KEPT), head)
    if tail:
        begin = text.rfind("\n", begin - KEPT, begin) + 1 or begin
    left_out = _count(text[end:begin])
    return f"{text[:end]}\n⋯ {left_out:,} words unchanged ⋯\n{text[begin:]}", left_out


def _words(spans: Sequence[Span], op: str) -> int:
    return sum(_count(span.text) for span in spans if span.op == op)


def _count(text: str) -> int:
    return len(_WORD.findall(text))
