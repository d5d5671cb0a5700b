"""Sorting reasons: a new one goes where the most similar earlier one is. Pure.

A suggestion that people correct, so the simplest thing that works: reasons that share their
words share a category, and the first of a kind names it by its own.
"""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process, utils

ALIKE = 72.0
WORDS = 4
LONGEST = 60
COMPARED = 400  # characters of a reason; a reason is a sentence or two

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by did do does for from had has have he her his i if in into is it its me my no "
        "not of on or our she should so than that the their them then there they this to too was we "
        "were what when which who will with without would you your",
    )
)


def suggest(reason: str, earlier: Sequence[tuple[str, str]]) -> str:
    """The category of the most similar earlier `(reason, category)`, or a new one."""
    wanted = _words(reason)
    if wanted and earlier:
        best = process.extractOne(
            wanted,
            [_words(one) for one, _ in earlier],
            scorer=fuzz.token_set_ratio,
            score_cutoff=ALIKE,
        )
        if best is not None:
            return earlier[best[2]][1]
    return slug(" ".join(wanted.split()[:WORDS])) or "other"


def slug(text: str) -> str:
    """`text` as the name of a category: `wrong-account`."""
    return "-".join(_WORD.findall(text.casefold()))[:LONGEST].strip("-")


def _words(reason: str) -> str:
    """The words of a reason that say something, without numbers."""
    found = _WORD.findall(utils.default_process(reason[:COMPARED]))
    kept = [one for one in found if one not in _SMALL and not one.isdigit()]
    return " ".join(kept or found)
