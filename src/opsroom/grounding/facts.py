"""What policies see of a grounding: flat, and the same names for every contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.contracts.model import ArgumentKind

from .model import Ground, Source
from .plan import IDENTIFYING

_ORDER = (Source.USER, Source.FOLLOWED, Source.RECORD, Source.UNTRUSTED, Source.MODEL)
_LED = frozenset({Source.USER, Source.FOLLOWED})
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look over the arguments of a call brought up."""

    reads_only: bool
    asked: bool
    anchored: bool
    passed_over: bool
    copied: frozenset[str]
    made_up: frozenset[str]
    links: frozenset[str]
    tainted: bool
    addressed: bool


def facts_of(seen: Seen, grounds: Sequence[Ground]) -> dict[str, Any]:
    """The facts of one call; docs/grounding.md says what each of them means."""
    telling = [one for one in grounds if one.kind in IDENTIFYING]
    weakest = max((one.source for one in telling), key=_ORDER.index, default=None)
    return {
        "reads_only": seen.reads_only,
        "grounded_by": weakest.value if weakest is not None else NOTHING,
        "grounded_asked": seen.asked,
        "grounded_anchored": seen.anchored,
        "grounded_other_named": seen.passed_over,
        "argument_untrusted": sorted(
            {one.path for one in grounds if one.source is Source.UNTRUSTED}
        ),
        "argument_copied": bool(seen.copied),
        "argument_made_up": bool(seen.made_up),
        "argument_secret_said": all(
            one.source is Source.USER for one in telling if one.kind is ArgumentKind.SECRET
        ),
        "argument_link_reached": all(
            one.source in _LED for one in telling if one.kind is ArgumentKind.URL
        ),
        "tainted": seen.tainted,
        "taint_addressed": seen.addressed,
        "taint_link": bool(seen.links),
    }
