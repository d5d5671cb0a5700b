"""What goes on without anybody asking: approved actions that opsroom carries out itself.

People's answers arrive as events of the inbox. A refusal ends the action; an approval of what
opsroom executes begins a durable loop that goes on after any crash, and looks whether the
action can be carried out until it is.
"""

from dataclasses import dataclass
from datetime import timedelta

from opsroom.contracts.model import InProcess
from opsroom.journal import Entry
from opsroom.journal.outbox import Reaction
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.durable import SHORTEST, Durable

from . import doors, executing, key_store, looking, store
from .caches import spec_of
from .model import Pending, Running, State, Unknown
from .ports import Executors

LOOP = "actions.drive"
SYSTEM = "system:actions"
ANSWERS = frozenset(
    {
        "inbox.approved",
        "inbox.edited",
        "inbox.rejected",
        "inbox.responded",
        "inbox.expired",
        "inbox.cancelled",
    }
)
WORDS = {
    "inbox.rejected": "a person rejected it",
    "inbox.responded": "a person answered instead",
    "inbox.expired": "nobody approved it in time",
    "inbox.cancelled": "it was withdrawn",
}
LOOK_AGAIN = timedelta(seconds=1)
LOOKUPS = "actions.look_up"
FIRST_ASK = timedelta(seconds=5)
ASK_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Driver:
    """Carries approved actions out."""

    db: Database
    executors: Executors

    def look(self, action_id: str) -> float | None:
        """Carry an action out as far as it goes now; None when it is over. Safe to repeat."""
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, action_id)
        if project is None:
            return None
        actor = Actor(SYSTEM, project, frozenset({"administer"}), human=False)
        outcome = doors.carry_out(self.db, actor, action_id, executors=self.executors)
        if isinstance(outcome, Pending | Running):
            return max(self.db.clock.real(LOOK_AGAIN), SHORTEST)
        return None

    def look_up(self, action_id: str) -> float | None:
        """Ask what became of an action, less and less often for a day; then it is people's."""
        with self.db.read(Actor(SYSTEM, "", human=False)) as tx:
            project = store.project_of(tx, action_id)
        if project is None:
            return None
        actor = Actor(SYSTEM, project, frozenset({"administer"}), human=False)
        outcome = looking.look_up(self.db, actor, action_id, executors=self.executors)
        if not isinstance(outcome, Unknown):
            return None
        with self.db.read(actor) as tx:
            action = executing.get(tx, action_id)
            age = tx.now - action.proposed_at
        if age > ASK_FOR:
            return None
        return max(self.db.clock.real(max(age / 2, FIRST_ASK)), SHORTEST)


def reactions(durable: Durable) -> tuple[Reaction, ...]:
    """What people's answers do to actions."""

    def take_in(tx: Tx, entry: Entry) -> None:
        what, _, action_id = entry.subject.partition("/")
        if what != "action":
            return
        because = WORDS.get(entry.event, "")
        if reason := str(entry.facts.get("reason") or entry.facts.get("text") or ""):
            because = f"{because}: {reason}" if because else reason
        executing.answered(tx, action_id, entry.event, because)
        action = store.action(tx, action_id)
        if action is None or action.state is not State.AWAITING_APPROVAL:
            return
        spec = spec_of(tx, action)
        if not isinstance(spec.executor, InProcess):
            durable.begin(LOOP, action_id)

    def find_out(tx: Tx, entry: Entry) -> None:
        _, _, action_id = entry.subject.partition("/")
        if looking.waiting(tx, action_id) is not None:
            durable.begin(LOOKUPS, action_id)

    return (
        Reaction(name="actions.answers", events=ANSWERS, react=take_in),
        Reaction(name="actions.lookups", events=frozenset({"action.unknown"}), react=find_out),
    )


def overdue(tx: Tx) -> bool:
    """Whether anything that was begun should have been reported by now, or a key has stood
    long enough.
    """
    return store.any_lapsed(tx) or key_store.any_outlived(tx)
