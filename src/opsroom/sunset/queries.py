"""Looking at sunsets: how far each is, who still calls, and what would be done now."""

from collections.abc import Iterator
from dataclasses import dataclass

from opsroom.approvals import Approval
from opsroom.approvals import queries as approvals
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire

from . import store
from .errors import NothingExported, SunsetNotFound
from .model import State, Sunset

PAGE = 50
MOST_ENDING = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Wire):
    """Where a sunset stands. `binding` is the digest that an answer given now is bound to."""

    sunset: Sunset
    binding: str
    signatures: tuple[Approval, ...]


def sunset(tx: Tx, named: str) -> Sunset:
    """A sunset by its id, or the newest one of an agent by the agent's name.

    Raises `SunsetNotFound`.
    """
    found = store.sunset(tx, named) or store.last_of(tx, named)
    if found is None:
        raise SunsetNotFound(named)
    return found


def locked(tx: Tx, sunset_id: str) -> Sunset:
    """One that nobody else can change until the transaction ends. Raises `SunsetNotFound`."""
    found = store.sunset(tx, sunset_id, lock=True)
    if found is None:
        raise SunsetNotFound(sunset_id)
    return found


def standing(tx: Tx, named: str) -> Standing:
    """Everything a person wants to know of a sunset now."""
    found = sunset(tx, named)
    return Standing(
        sunset=found,
        binding=found.binding,
        signatures=tuple(approvals.history(tx, found.subject)),
    )


def sunsets(
    tx: Tx,
    *,
    agent: str | None = None,
    everything: bool = False,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Sunset]:
    """Sunsets under way, or all of them, newest first; go on with the last id as `before`."""
    return store.page(tx, agent=agent, everything=everything, before=before, limit=limit)


def waiting(tx: Tx) -> list[Sunset]:
    """What this person can sign: plans that somebody else made, and ends that are proven."""
    if "review" not in tx.actor.may or not tx.actor.human:
        return []
    return [
        one
        for one in store.page(tx, agent=None, everything=False, before=None, limit=PAGE)
        if one.proposed_by != tx.actor.person
        and (one.state is State.PROPOSED or (one.state is State.DORMANT and one.asked))
    ]


def ending(tx: Tx) -> dict[str, State]:
    """The agents that are in a sunset or came to its end, and in which state."""
    return store.ending(tx, limit=MOST_ENDING)


def exported(tx: Tx, named: str) -> Sunset:
    """A sunset whose agent left a file. Raises `SunsetNotFound` or `NothingExported`."""
    found = sunset(tx, named)
    if not found.export:
        raise NothingExported(found.id)
    return found


def export(tx: Tx, named: str) -> Iterator[str]:
    """What the agent held, as JSON lines in parts of a few hundred."""
    return store.export(tx, exported(tx, named).id)
