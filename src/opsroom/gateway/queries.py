"""Looking at tools in quarantine."""

from opsroom.integrations.differ import Change, ToolFace, compare_tools
from opsroom.kit.db import Tx
from opsroom.registry.diff import Span, word_diff

from . import store
from .errors import QuarantineNotFound
from .model import Quarantined, SeenTool, in_words

PAGE = 100


def quarantined(tx: Tx, *, before: str | None = None, limit: int = PAGE) -> list[Quarantined]:
    """Tools that were seen to differ from what was approved, newest first."""
    return store.page(tx, before=before, limit=limit)


def one(tx: Tx, quarantine_id: str) -> Quarantined:
    found = store.one(tx, quarantine_id)
    if found is None:
        raise QuarantineNotFound(quarantine_id)
    return found


def changes(one: Quarantined) -> tuple[Change, ...]:
    """The same as changes of an interface: how bad each is, and whom it hurts."""
    return compare_tools([_face(one.approved)], [] if one.seen is None else [_face(one.seen)])


def _face(tool: SeenTool) -> ToolFace:
    return ToolFace(
        name=tool.name, description=tool.description, input=tool.input, output=tool.output
    )


def difference(one: Quarantined) -> tuple[Span, ...]:
    """What changed, word by word, from what was approved to what is there."""
    return tuple(
        word_diff(in_words(one.approved), "" if one.seen is None else in_words(one.seen))
    )
