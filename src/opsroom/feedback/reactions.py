"""Joining feedback that came before the work it is about."""

from opsroom.actions import queries as actions
from opsroom.journal.model import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Tx
from opsroom.redactions.commands import cleaning
from opsroom.traces.keepers import Keepers

from . import commands


def reactions() -> tuple[Reaction, ...]:
    keepers = Keepers()

    def begun(tx: Tx, entry: Entry) -> None:
        turn = actions.turn_about(tx, entry.subject)
        if turn is not None:
            subjects = [entry.subject, *([f"trace/{turn.trace}"] if turn.trace else [])]
            with cleaning(tx, keepers.of(tx).redactor, "feedback") as clean:
                commands.join_turn(tx, turn, subjects, clean=clean)

    events = frozenset({"turn.begun", "action.proposed"})
    return (Reaction(name="feedback-joins", events=events, react=begun),)
