"""Facts in which people's data may stand. They are sealed before they are hashed, by the key of
what the entry is about: what is shredded later was never in the journal in the open, and the
chain over it stays whole.
"""

from collections.abc import Mapping

_DECIDED = frozenset({"because"})
_DONE = frozenset({"error", "broken", "reason"})
_SAID = frozenset({"title", "reason", "text"})
PERSONAL: Mapping[str, frozenset[str]] = {
    "turn.begun": frozenset({"intent"}),
    "turn.planned": frozenset({"plan"}),
    "action.denied": _DECIDED,
    "action.deferred": _DECIDED,
    "action.recommended": _DECIDED,
    "action.awaiting_approval": _DECIDED,
    "action.succeeded": _DONE,
    "action.failed": _DONE,
    "action.unknown": _DONE,
    "action.reconciled": _DONE,
    "inbox.asked": _SAID,
    "inbox.approved": _SAID,
    "inbox.edited": _SAID,
    "inbox.rejected": _SAID,
    "inbox.responded": _SAID,
    "approval.given": frozenset({"reason"}),
    "override.recorded": frozenset({"reasoning", "category"}),
    "override.recategorised": frozenset({"was", "to"}),
}
