"""Turns: beginning one, what is said in it, and its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Protocol

from pydantic import Field

from opsroom.agents import queries as agents
from opsroom.grounding.model import Piece
from opsroom.kit.db import Tx
from opsroom.kit.errors import TooLarge
from opsroom.kit.wire import Wire
from opsroom.redactions.commands import without_credentials
from opsroom.registry import environments
from opsroom.registry.model import PRODUCTION

from . import turn_store
from .errors import OtherAgent, TurnEnded, TurnNotFound
from .model import Final, Turn

MOST_TEXT = 256 * 1024
MOST_PIECES = 200
LONGEST = timedelta(days=30)


@dataclass(eq=False)
class TextTooLong(TooLarge):
    code = "turn_text_too_long"
    text = "a text of {0.size:,} characters is more than a turn keeps at once"
    hint = "send at most {0.most:,} characters a piece"
    size: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Which version of an agent serves a subject, and under which release."""

    number: int
    release: str | None = None
    arm: str = "champion"


class Serve(Protocol):
    """Finds the version that serves; releases have a say in it, and stand above us."""

    def __call__(self, tx: Tx, agent: str, subject: str, environment: str) -> Serving: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDraft(Wire):
    """A turn that is about to begin. `human` is whom the agent represents, `trace` the id of
    the OTel trace, `deadline_seconds` the time there is for all of it.
    """

    agent: str
    intent: str
    subject: str = ""
    session: str = ""
    human: str = ""
    environment: str = PRODUCTION
    trace: str = ""
    deadline_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None


def begin_turn(tx: Tx, draft: TurnDraft, *, serve: Serve) -> Turn:
    """Begin a turn of the version that serves its subject now; it stays that version's.

    Raises `OtherAgent` for somebody else's agent, `AgentRetired`, `AgentGone` or
    `AgentWindingDown` for one that is on its way out, and what the registry raises where nothing
    serves.
    """
    check_agent(tx, draft.agent)
    draft = without_credentials(tx, draft, "turns")
    environments.check_within(tx, draft.environment)
    turn_id = tx.ids.new("trn")
    agents.admit(
        tx, draft.agent, draft.subject or draft.session or draft.human or draft.trace or turn_id
    )
    serving = serve(tx, draft.agent, draft.subject, draft.environment)
    manifest = agents.manifest(tx, draft.agent, draft.environment, serving.number)
    seconds = draft.deadline_seconds
    turn = Turn(
        id=turn_id,
        agent=draft.agent,
        version=manifest.version.ref,
        manifest=manifest.digest,
        environment=draft.environment,
        intent=draft.intent,
        subject=draft.subject,
        session=draft.session,
        human=draft.human,
        release=serving.release,
        arm=serving.arm,
        trace=draft.trace,
        started_at=tx.now,
        deadline=None
        if seconds is None
        else tx.now + tx.lasting(min(timedelta(seconds=max(seconds, 0)), LONGEST)),
    )
    turn_store.add_turn(tx, turn)
    tx.record(
        "turn.begun",
        f"turn/{turn.id}",
        agent=turn.agent,
        version=turn.version,
        manifest=turn.manifest,
        intent=turn.intent[:200],
    )
    return turn


def hear(tx: Tx, turn_id: str, pieces: Sequence[Piece]) -> int:
    """Add what was said to a turn, in order; how many pieces there are now.

    The agent says whose words they are, so a turn is as honest as the program around the
    model: what a tool answered has to be told as `tool`, never as `user`.
    """
    turn = live(tx, turn_id, lock=True)
    if len(pieces) > MOST_PIECES:
        raise TextTooLong(len(pieces), MOST_PIECES)
    for piece in pieces:
        if len(piece.text) > MOST_TEXT:
            raise TextTooLong(len(piece.text), MOST_TEXT)
    clean = [
        without_credentials(tx, replace(piece, text=piece.text.replace("\0", "")), "turns")
        for piece in pieces
    ]
    return turn_store.add_texts(tx, turn.id, clean)


def plan(tx: Tx, turn_id: str, text: str, alternatives: Sequence[str]) -> Turn:
    """Put down what the agent means to do, and what else it considered."""
    was = live(tx, turn_id, lock=True)
    text = without_credentials(tx, text, "turns")
    alternatives = without_credentials(tx, [*alternatives], "turns")
    tx.record("turn.planned", f"turn/{was.id}", plan=text[:500])
    return turn_store.save_turn(
        tx, replace(was, plan=text, alternatives=tuple(alternatives)), was=was
    )


def end(tx: Tx, turn_id: str, final: Final, result: str = "") -> Turn:
    """Say how a turn ended. Saying the same again changes nothing."""
    was = get(tx, turn_id, lock=True)
    check_agent(tx, was.agent)
    if was.final is final:
        return was
    if was.final is not None:
        raise TurnEnded(was.id, was.final.value)
    result = without_credentials(tx, result, "turns")
    tx.record("turn.ended", f"turn/{was.id}", final=final.value)
    return turn_store.save_turn(
        tx, replace(was, final=final, result=result, ended_at=tx.now), was=was
    )


def get(tx: Tx, turn_id: str, *, lock: bool = False) -> Turn:
    """A turn that the acting program may touch, or that a person may read."""
    found = turn_store.turn(tx, turn_id, lock=lock)
    if found is None or not concerns(tx, found.agent, found.environment):
        raise TurnNotFound(turn_id)
    return found


def concerns(tx: Tx, agent: str, environment: str) -> bool:
    """Whether what an agent does somewhere concerns whoever asks: an agent sees what is its own,
    and a token for one environment what happens there.
    """
    whose, where = tx.actor.agent, tx.actor.environment
    return whose in {"", agent} and where in {"", environment}


def live(tx: Tx, turn_id: str, *, lock: bool = False) -> Turn:
    turn = get(tx, turn_id, lock=lock)
    check_agent(tx, turn.agent)
    if turn.final is not None:
        raise TurnEnded(turn_id, turn.final.value)
    return turn


def check_agent(tx: Tx, agent: str) -> None:
    """Only an agent itself acts for it, and whoever administers the project."""
    if tx.actor.agent != agent and (tx.actor.agent or "administer" not in tx.actor.may):
        raise OtherAgent(tx.actor.agent or "no agent", agent)
