"""Looking at scorecards."""

from opsroom.kit.canonical import DIGEST_LENGTH
from opsroom.kit.db import Tx

from . import store
from .errors import ScorecardNotFound
from .model import Kept

PAGE = 20


def scorecard(tx: Tx, wanted: str) -> Kept:
    """The scorecard of a digest, of `name@3`, or the latest of a name. Raises
    `ScorecardNotFound`.
    """
    name, _, number = wanted.partition("@")
    found = store.by_digest(tx, wanted) if len(wanted) == DIGEST_LENGTH else None
    if found is None and (not number or (number.isdecimal() and len(number) < 10)):
        found = store.by_number(tx, name, int(number) if number else None)
    if found is None:
        raise ScorecardNotFound(wanted[:200])
    return found


def scorecards(
    tx: Tx, *, before: str | None = None, limit: int = PAGE
) -> tuple[list[Kept], str | None]:
    """Scorecards, newest first, and what to pass as `before` for those after them."""
    found = store.page(tx, before=before, limit=limit + 1)
    more = found[limit - 1][0] if len(found) > limit else None
    return [one for _, one in found[:limit]], more
