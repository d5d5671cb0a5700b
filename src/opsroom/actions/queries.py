"""Looking at turns and actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from opsroom.grounding.model import Piece, Voice
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire
from opsroom.policies.model import PolicyRequest

from . import asking, store, turn_store
from .executing import get
from .model import Action, AnyOutcome, Final, State, Turn, outcome_of
from .turning import get as turn_of

PAGE = 50
IN_ONE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord(Wire):
    """A turn with everything that was said and done in it, in order."""

    turn: Turn
    texts: tuple[Piece, ...]
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord(Wire):
    """An action, what it was judged by, and what its approval is bound to."""

    action: Action
    request: PolicyRequest | None
    binding: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Turns that ended, and how many of them did not end well or were given to a person."""

    turns: int = 0
    failed: int = 0
    escalated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """Actions that were proposed, those that broke their contract, and how sure the agent was
    of those that it rated: how many, and the sums of its confidence and of its square.
    """

    actions: int
    malformed: int
    rated: int
    confidence: float
    squares: float


class Finals(NamedTuple):
    """So many turns of a version (`agent/name@3`) in an environment that ended alike."""

    agent: str
    version: str
    environment: str
    final: str
    times: int


class Ran(NamedTuple):
    """A turn in short: which version (`agent/name@3`) it was of, in which arm of which release,
    and how it went.
    """

    id: str
    agent: str
    version: str
    release: str | None
    arm: str
    trace: str
    final: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How an agent's actions under a contract (`contract/name@3`) were decided. Of so many
    `actions` that were proposed, people were `asked` about some: they let them pass (`granted`),
    or they were stopped (`stopped`: refused, out of time, or withdrawn), or still wait. Of the
    rest, some went `alone`, some were `refused` without anybody, and some only recommended,
    deferred or not decided yet.
    """

    agent: str
    contract: str
    actions: int
    asked: int
    granted: int
    stopped: int
    alone: int
    refused: int


class Stand(NamedTuple):
    """So many actions of an agent in an environment with which the same was done and that
    stand alike. `enforcement` is empty where nothing was done yet.
    """

    agent: str
    environment: str
    enforcement: str
    state: str
    times: int


def turn(tx: Tx, turn_id: str) -> TurnRecord:
    """The decision record of a turn. Raises `TurnNotFound`."""
    found = turn_of(tx, turn_id)
    done = store.page(tx, turn_id=turn_id, limit=1000)
    return TurnRecord(
        turn=found,
        texts=tuple(piece for _, piece in turn_store.texts(tx, turn_id)),
        actions=tuple(reversed(done)),
    )


def asked(tx: Tx, turn_id: str) -> tuple[Turn, str]:
    """A turn, and what it was about: the user's own words, or its intent where none are kept.

    Raises `TurnNotFound`.
    """
    found = turn_of(tx, turn_id)
    said = (
        piece.text for _, piece in turn_store.texts(tx, turn_id) if piece.voice is Voice.USER
    )
    return found, "\n".join(said) or found.intent


def turns(
    tx: Tx,
    *,
    agent: str | None = None,
    session: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Turn]:
    """Turns, newest first; go on with the last id as `before`."""
    agent = tx.actor.agent or agent
    return turn_store.turn_page(tx, agent=agent, session=session, before=before, limit=limit)


def actions(
    tx: Tx,
    *,
    turn_id: str | None = None,
    agent: str | None = None,
    tool: str | None = None,
    state: State | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Action]:
    """Actions, newest first; go on with the last id as `before`."""
    return store.page(
        tx,
        turn_id=turn_id,
        agent=tx.actor.agent or agent,
        tool=tool,
        state=state,
        before=before,
        limit=limit,
    )


def traces_gone_wrong(tx: Tx, *, since: datetime, until: datetime, limit: int) -> list[str]:
    """The traces of turns that failed, were abandoned or had to go to a person in this time,
    the latest first.
    """
    wrong = [one.value for one in (Final.FAILED, Final.ABANDONED, Final.ESCALATED)]
    return turn_store.traces_ended_as(tx, wrong, since=since, until=until, limit=limit)


def record(tx: Tx, action_id: str) -> ActionRecord:
    """An action and what it rests on. Raises `ActionNotFound`."""
    found = get(tx, action_id)
    request, binding = store.decided(tx, action_id)
    return ActionRecord(action=found, request=request, binding=binding)


def outcome(tx: Tx, action_id: str) -> AnyOutcome:
    """What stands for an action now, to whoever waits for it."""
    found = get(tx, action_id)
    waits = found.state is State.AWAITING_APPROVAL
    return outcome_of(found, granted=waits and asking.granted(tx, found))


def turn_about(tx: Tx, subject: str) -> Turn | None:
    """The turn that a `turn/…`, an `action/…` or a `trace/…` is about; of several turns in one
    trace the last. None where it is not known in this project.
    """
    kind, _, name = subject.partition("/")
    match kind:
        case "turn":
            return turn_store.turn(tx, name)
        case "action":
            found = store.turns_of(tx, [name])
            return turn_store.turn(tx, found[name]) if found else None
        case "trace":
            return turn_store.turn_of_trace(tx, name)
        case _:
            return None


def ran(tx: Tx, *, since: datetime, limit: int) -> list[Ran]:
    """The newest turns that began since, in short."""
    return [Ran(*row) for row in turn_store.ran(tx, since, limit=limit)]


def turns_of(tx: Tx, action_ids: Sequence[str]) -> dict[str, str]:
    """The turn of each action that is known."""
    found: dict[str, str] = {}
    for start in range(0, len(action_ids), IN_ONE):
        found |= store.turns_of(tx, action_ids[start : start + IN_ONE])
    return found


def ended(tx: Tx, windows: Sequence[tuple[datetime, datetime]]) -> dict[str, dict[int, Ended]]:
    """What ended in each window of time, by agent and place of the window; those in which an
    agent ended nothing are not there.
    """
    found: dict[str, dict[int, Ended]] = {}
    for agent, window, final, times in turn_store.ended(tx, windows):
        was = found.setdefault(agent, {}).get(window, Ended())
        found[agent][window] = Ended(
            turns=was.turns + times,
            failed=was.failed + times * (final in {Final.FAILED, Final.ABANDONED}),
            escalated=was.escalated + times * (final == Final.ESCALATED),
        )
    return found


def proposed(
    tx: Tx, windows: Sequence[tuple[datetime, datetime]]
) -> dict[str, dict[int, Proposed]]:
    """What was proposed in each window of time, by agent and place of the window; those in
    which an agent proposed nothing are not there.
    """
    found: dict[str, dict[int, Proposed]] = {}
    for agent, window, counted in store.proposed(tx, windows):
        found.setdefault(agent, {})[window] = Proposed(**counted)
    return found


def finals(tx: Tx, *, since: datetime, until: datetime | None = None) -> list[Finals]:
    """How turns have ended since, and before `until`."""
    return [Finals(*row) for row in turn_store.finals(tx, since, until)]


def decided(
    tx: Tx, *, since: datetime, until: datetime, agent: str = "", limit: int
) -> list[Decided]:
    """How what was proposed in this time under each contract was decided, the most first; at
    most `limit` agents and contracts.
    """
    rows = store.decided_how(tx, since, until, agent=agent, limit=limit)
    return [Decided(**row) for row in rows]


def stands(tx: Tx, *, since: datetime) -> list[Stand]:
    """What became of the actions that were proposed since."""
    return [
        Stand(agent, environment, enforcement or "", state, times)
        for agent, environment, enforcement, state, times in store.standing(tx, since)
    ]
