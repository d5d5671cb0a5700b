"""Why somebody did something: asked for wherever the record is worth less without it."""

from dataclasses import dataclass

from .errors import Invalid


@dataclass(eq=False)
class ReasonMissing(Invalid):
    code = "reason_missing"
    text = "to {0.what}, say why"
    hint = "a sentence is enough; it goes on record, and others learn from it"
    what: str


def reason(given: str, *, to: str) -> str:
    """`given` without the blanks around it. Raises `ReasonMissing` where nothing is left."""
    if not (kept := given.strip()):
        raise ReasonMissing(to)
    return kept
