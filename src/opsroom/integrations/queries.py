"""Looking at integrations: how they stand, what their checks found, whom it hurts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from opsroom.agents import queries as agents
from opsroom.kit.db import Tx
from opsroom.kit.errors import OpsroomError
from opsroom.kit.wire import Wire, adapter
from opsroom.registry import Ref, Version, listing
from opsroom.registry import queries as registry

from . import store
from .calls import WINDOW, Bucket, Health, health
from .errors import IntegrationNotFound
from .model import IntegrationSpec, Run, Standing, State

PAGE = 50
MOST_AGENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected(Wire):
    """A version of an agent that reaches an integration, through these tools. `labels` say
    where that version serves.
    """

    agent: str
    version: int
    labels: tuple[str, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview(Wire):
    """An integration in a list."""

    standing: Standing
    version: int
    endpoint: str
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail(Wire):
    """One integration: how it stands, its last check, and whom it hurts."""

    standing: Standing
    version: int
    spec: IntegrationSpec
    health: Health
    last: Run | None
    affected: tuple[Affected, ...]


def checked_version(tx: Tx, name: str) -> tuple[Version, IntegrationSpec]:
    """The version that is checked: the one in production, or the newest where there is none."""
    version = registry.in_force(tx, "integration", name)
    return version, adapter(IntegrationSpec).validate_python(version.spec)


def overviews(tx: Tx, *, after: str = "", limit: int = PAGE) -> list[Overview]:
    """Integrations by name."""
    rows = listing.rows(tx, "integration", after=after, limit=limit)
    names = [row.artifact.name for row in rows if row.versions]
    standings = store.standings(tx, names)
    found = list[Overview]()
    for name in names:
        if (standing := standings.get(name)) is None:
            continue
        version, spec = checked_version(tx, name)
        found.append(
            Overview(
                standing=standing,
                version=version.number,
                endpoint=spec.endpoint,
                health=health_of(tx, standing),
            )
        )
    return found


def states(tx: Tx, *, limit: int = MOST_AGENTS) -> dict[str, State]:
    """How integrations stand, by name."""
    return store.states(tx, limit=limit)


def detail(tx: Tx, name: str) -> Detail:
    """Everything about one integration. Raises `IntegrationNotFound`."""
    standing = standing_of(tx, name)
    version, spec = checked_version(tx, name)
    return Detail(
        standing=standing,
        version=version.number,
        spec=spec,
        health=health_of(tx, standing),
        last=store.run(tx, standing.id, standing.last_run) if standing.last_run else None,
        affected=tuple(affected(tx, name)),
    )


def standing_of(tx: Tx, name: str) -> Standing:
    found = store.standing(tx, name)
    if found is None:
        raise IntegrationNotFound(name)
    return found


def runs(tx: Tx, name: str, *, before: str | None = None, limit: int = PAGE) -> list[Run]:
    """The checks of an integration, newest first."""
    return store.runs_page(tx, standing_of(tx, name).id, before=before, limit=limit)


def health_of(tx: Tx, standing: Standing) -> Health:
    """How calls went in the last 24 hours."""
    return health(one for _, one in by_hour(tx, standing))


def by_hour(tx: Tx, standing: Standing) -> list[tuple[datetime, Bucket]]:
    """The last 24 hours, one by one; hours without a call are left out."""
    return store.buckets(tx, standing.id, since=tx.now - WINDOW)


def affected(tx: Tx, name: str) -> Iterator[Affected]:
    """Agents whose newest version, or one with a label, may call what this integration is."""
    for row in listing.rows(tx, "agent", limit=MOST_AGENTS):
        numbers = {label.number for label in row.labels.values()}
        if row.newest is not None:
            numbers.add(row.newest.number)
        for number in sorted(numbers, reverse=True):
            try:
                manifest = agents.cited(tx, Ref("agent", row.artifact.name, str(number)))
            except OpsroomError:  # a manifest that cannot be read acts on nothing
                continue
            tools = sorted(
                tool
                for tool, (_, contract) in manifest.contracts.items()
                if contract.integration == name
            )
            if tools:
                yield Affected(
                    agent=row.artifact.name,
                    version=number,
                    labels=tuple(
                        sorted(key for key, one in row.labels.items() if one.number == number)
                    ),
                    tools=tuple(tools),
                )
