from dataclasses import dataclass

from opsroom.kit.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class EntryNotFound(NotFound):
    code = "retraining_not_found"
    text = "there is no entry {0.entry_id!r} in the retraining queue of this project"
    hint = "list what there is with `opsroom retraining list --all`"
    entry_id: str


@dataclass(eq=False)
class EntryMoved(Conflict):
    code = "retraining_moved"
    text = "entry {0.entry_id!r} was changed by someone else"
    hint = "look at the entry again and repeat the command"
    entry_id: str


@dataclass(eq=False)
class WrongState(Conflict):
    code = "retraining_wrong_state"
    text = "entry {0.entry_id!r} is {0.state} and cannot be {0.what}"
    hint = "see where it stands with `opsroom retraining show`"
    entry_id: str
    state: str
    what: str


@dataclass(eq=False)
class NotReleasable(Conflict):
    code = "retraining_not_releasable"
    text = "the release for entry {0.entry_id!r} cannot be started: {0.why}"
    hint = "see where it stands with `opsroom retraining show`"
    entry_id: str
    why: str


@dataclass(eq=False)
class NothingToImprove(Invalid):
    code = "nothing_to_improve"
    text = "no prompt of {0.agent!r} can be improved: {0.why}"
    hint = "a search improves a prompt that the agent's manifest in production cites"
    agent: str
    why: str


@dataclass(eq=False)
class NeverReleased(Conflict):
    code = "never_released"
    text = "nobody has released {0.agent!r} yet, so there is no plan to go by"
    hint = (
        "release the next version once with `opsroom release start`; later ones go by its plan"
    )
    agent: str


@dataclass(eq=False)
class BrokenSettings(Invalid):
    code = "broken_retraining_settings"
    text = "{0.what} cannot be set"
    hint = "see docs/how-to/retraining.md for what each setting means"
    what: str


@dataclass(eq=False)
class HeldOutExport(Invalid):
    code = "held_out_export"
    text = "the split {0.split!r} is not exported"
    hint = "what a model has been trained on proves nothing about it: export train, selection or both"
    split: str
