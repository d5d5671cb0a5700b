"""Looking at the queue, and at what is set for each agent."""

from opsroom.kit.db import Tx
from opsroom.registry import queries as registry

from . import model, reckoning, store
from .errors import EntryNotFound
from .model import Entry, Settings, Watch

PAGE = 50
MOST_AGENTS = 200


def entry(tx: Tx, entry_id: str) -> Entry:
    """Raises `EntryNotFound`."""
    found = store.entry(tx, entry_id)
    if found is None:
        raise EntryNotFound(entry_id)
    return found


def why_not_released(tx: Tx, one: Entry) -> str:
    """Why nobody can start the agent's release with what was found; empty where somebody can."""
    return model.why_not_released(one, reckoning.known(tx, one))


def entries(
    tx: Tx,
    *,
    agent: str | None = None,
    everything: bool = False,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """Entries that are open, or all of them, newest first; go on with the last id as `before`."""
    return store.page(tx, agent=agent, everything=everything, before=before, limit=limit)


def count_open(tx: Tx) -> int:
    return store.count_open(tx)


def settings(tx: Tx, agent: str) -> Settings:
    """What is set for an agent of the registry; what holds for all where nothing was."""
    registry.artifact(tx, "agent", agent)
    found = store.watch(tx, agent)
    return found.settings if found else Settings()


def watches(tx: Tx) -> list[Watch]:
    """What is known of agents, and set for them, by name."""
    agents = [one.name for one, _, _ in registry.artifacts(tx, "agent", limit=MOST_AGENTS)]
    known = store.watches_of(tx, agents)
    return [known.get(one) or Watch(agent=one, since=tx.now) for one in agents]


def overdue(tx: Tx) -> bool:
    """Whether the clock has to look at any agent, in any project."""
    return bool(store.due_watches(tx, limit=1))
