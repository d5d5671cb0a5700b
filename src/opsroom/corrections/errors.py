from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class CorrectionNotFound(NotFound):
    code = "correction_not_found"
    text = "there is no correction {0.correction_id!r} in this project"
    hint = "list what there is with `opsroom correction list`"
    correction_id: str


@dataclass(eq=False)
class TooMany(Invalid):
    code = "too_many_corrections"
    text = "{0.given} corrections are more than the {0.most} that are taken in at once"
    hint = "take them in by parts"
    given: int
    most: int


@dataclass(eq=False)
class CorrectionMoved(Conflict):
    code = "correction_moved"
    text = "correction {0.correction_id!r} was changed by someone else"
    hint = "look at the correction again and repeat the command"
    correction_id: str


@dataclass(eq=False)
class CorrectionOver(Conflict):
    code = "correction_over"
    text = "correction {0.correction_id!r} is {0.state}, so it cannot be {0.wanted}"
    hint = "look at it with `opsroom correction show`"
    correction_id: str
    state: str
    wanted: str
