"""A clerk that pays invoices, in two versions, and people who say what they think of it."""

from datetime import timedelta
from typing import Any

from opsroom.actions import turning
from opsroom.actions.model import Final, Turn
from opsroom.actions.turning import Serving, TurnDraft
from opsroom.app.kinds import KINDS
from opsroom.feedback import commands
from opsroom.feedback.model import Feedback, FeedbackDraft
from opsroom.importing import commands as importing
from opsroom.kit.clock import ManualClock
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.redaction import Redactor
from opsroom.registry import Ref, VersionDraft
from opsroom.registry import commands as registry
from opsroom.registry import queries as registered
from opsroom.simulator.paying import CLERK, NAME, bundle

CLEAN = Redactor().clean
SYSTEM = Actor("system", "default", frozenset({"administer", "act", "observe"}), human=False)
APP = Actor("token:app", "default", frozenset({"observe"}), ("agent",), human=False)


def hire(db: Database) -> None:
    """The clerk, in two versions that differ in their budget."""
    with db.write(SYSTEM) as tx:
        importing.take_in(tx, bundle(), kinds=KINDS)
        clerk = registered.artifact(tx, "agent", NAME)
        first = registered.version(tx, Ref("agent", NAME, "1"))
        spec = {**first.spec, "description": "the second"}
        registry.create_version(
            tx, "agent", NAME, VersionDraft(spec=spec, message="second"), kinds=KINDS
        )
        registry.move_label(tx, clerk, "production", 1, how="merge", reason="hired")


def turn(
    db: Database,
    *,
    number: int = 1,
    intent: str = "Pay the invoice for order 40017",
    trace: str = "",
    release: str | None = None,
    arm: str = "champion",
    final: Final | None = None,
    after: timedelta = timedelta(0),
) -> Turn:
    """A turn of the clerk, ended where it is said how."""

    def serve(tx: Tx, agent: str, subject: str, environment: str) -> Serving:
        return Serving(number=number, release=release, arm=arm)

    with db.write(CLERK) as tx:
        draft = TurnDraft(agent=NAME, intent=intent, trace=trace)
        begun = turning.begin_turn(tx, draft, serve=serve)
    if final is None:
        return begun
    assert isinstance(db.clock, ManualClock)
    db.clock.move(after)
    with db.write(CLERK) as tx:
        return turning.end(tx, begun.id, final)


def give(db: Database, subject: str, *, actor: Actor = APP, **said: Any) -> Feedback:
    """Say something that is taken."""
    with db.write(actor) as tx:
        done = commands.give(tx, FeedbackDraft(subject=subject, **said), clean=CLEAN)
    assert isinstance(done, Feedback), done
    return done
