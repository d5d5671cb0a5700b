"""Finding the work that feedback is about, and what that was for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from opsroom.actions import queries as actions
from opsroom.actions.model import Turn
from opsroom.inbox import categories
from opsroom.kit.db import Tx

from . import store
from .model import MOST_NAME, Clean, Feedback, Known, after

MOST_INTENT = 200
COMPARED = 300


@dataclass(slots=True)
class Desk:
    """Where what comes together is taken in: turns and intents are looked up once for all of it."""

    clean: Clean
    turns: dict[str, Turn] = field(default_factory=dict[str, Turn])
    use_cases: dict[str, str] = field(default_factory=dict[str, str])
    compared: Sequence[tuple[str, str]] | None = None

    def turn(self, tx: Tx, subject: str) -> Turn | None:
        """The turn that a subject is about. One that is not known may be known a moment later."""
        if subject not in self.turns:
            found = actions.turn_about(tx, subject)
            if found is None:
                return None
            self.turns[subject] = found
        return self.turns[subject]

    def placed(self, tx: Tx, made: Feedback, turn: Turn | None) -> tuple[Feedback, str]:
        """The feedback with what is known of its subject, and the intent of the turn."""
        if turn is None:
            version = made.version.removeprefix("agent/")
            agent = made.agent or version.partition("@")[0]
            return replace(made, version=version, agent=agent), ""
        intent = self.clean(turn.intent.replace("\0", ""))[:MOST_INTENT]
        known = Known(
            agent=turn.agent,
            version=turn.version.removeprefix("agent/"),
            environment=turn.environment,
            release=turn.release,
            arm=turn.arm,
            turn=turn.id,
            trace=turn.trace,
        )
        use_case = made.use_case or (self._use_case(tx, intent) if intent else "")
        return after(made, known, use_case=use_case), intent

    def _use_case(self, tx: Tx, intent: str) -> str:
        if self.compared is None:
            self.compared = store.intents(tx, limit=COMPARED)
        if intent not in self.use_cases:
            known = [*self.use_cases.items(), *self.compared]
            self.use_cases[intent] = categories.suggest(intent, known)[:MOST_NAME]
        return self.use_cases[intent]
