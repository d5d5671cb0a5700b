"""What a trace was about as a whole: who was asked what, and what came out. Pure.

The root span knows best. Where it does not say, what was asked is what its first span was asked
that says so, and what was answered is the answer of the last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import said
from .model import Span

LONGEST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Empty is what is not known, or was not kept."""

    trace_id: str
    agent: str
    version: str
    asked: str
    answered: str


def exchange(spans: Sequence[Span]) -> Exchange:
    """Of the spans of one trace (at least one), in the order in which they began."""
    ids = {one.span_id for one in spans}
    first = sorted(spans, key=lambda one: one.parent_id in ids)
    last = [*first[:1], *sorted(spans, key=lambda one: one.start + one.duration, reverse=True)]
    asked = (said.asked(one.content, most=LONGEST) for one in first)
    answered = (said.answered(one.content, most=LONGEST) for one in last)
    at_work = next((one for one in first if one.agent), first[0])
    return Exchange(
        trace_id=spans[0].trace_id,
        agent=at_work.agent,
        version=at_work.version,
        asked=next(filter(None, asked), ""),
        answered=next(filter(None, answered), ""),
    )
