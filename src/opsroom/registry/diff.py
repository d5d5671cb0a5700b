"""What changed between two texts, word by word: prompts are prose, and lines hide too much."""

import re
from collections.abc import Iterator, Sequence

from rapidfuzz.distance import LCSseq

from .model import Span

__all__ = ["Span", "word_diff"]

_WORD = re.compile(r"\w+|\s|[^\w\s]")
# Comparing n with m words takes n·m bits; beyond this (32 MB) whole lines are compared.
CELLS = 256_000_000


def word_diff(before: str, after: str) -> tuple[Span, ...]:
    """The spans that turn `before` into `after`.

    What is not `insert` gives back the earlier text, what is not `delete` the later one.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    if _cells(old, new) > CELLS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if _cells(old, new) > CELLS:
        old, new = [before], [after]
    return tuple(_merged(_spans(old, new)))


def _cells(old: Sequence[str], new: Sequence[str]) -> int:
    start, end = _common(old, new)
    return (len(old) - start - end) * (len(new) - start - end)


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many pieces both texts have in common at the beginning and at the end."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    left = shorter - start
    end = next((i for i in range(left) if old[-1 - i] != new[-1 - i]), left)
    return start, end


def _spans(old: Sequence[str], new: Sequence[str]) -> Iterator[Span]:
    start, end = _common(old, new)
    old_end, new_end = len(old) - end, len(new) - end
    yield Span(op="equal", text="".join(old[:start]))
    for one in LCSseq.opcodes(old[start:old_end], new[start:new_end]):
        gone = "".join(old[start + one.src_start : start + one.src_end])
        come = "".join(new[start + one.dest_start : start + one.dest_end])
        if one.tag == "equal":
            yield Span(op="equal", text=gone)
        else:
            yield Span(op="delete", text=gone)
            yield Span(op="insert", text=come)
    yield Span(op="equal", text="".join(old[old_end:]))


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours, and changes that only white space keeps apart: words are read in runs."""
    gone, come, between = "", "", ""
    for span in spans:
        if span.op == "equal" and (gone or come) and span.text and _small(span.text):
            between += span.text
        elif span.op == "equal":
            if not span.text:
                continue
            yield from _changes(gone, come)
            yield Span(op="equal", text=between + span.text)
            gone = come = between = ""
        elif span.text:
            gone += between + (span.text if span.op == "delete" else "")
            come += between + (span.text if span.op == "insert" else "")
            between = ""
    yield from _changes(gone, come)
    if between:
        yield Span(op="equal", text=between)


def _small(text: str) -> bool:
    return text.isspace() and "\n" not in text


def _changes(gone: str, come: str) -> Iterator[Span]:
    if gone:
        yield Span(op="delete", text=gone)
    if come:
        yield Span(op="insert", text=come)
