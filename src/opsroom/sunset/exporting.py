"""What an agent held when it ended, as one file: JSON lines that each say which part they are.

The manifest in every version with all that those cite, what it remembered, what it was allowed,
what was set for it, and the work that was open. It is put away once, and read from then on.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from opsroom.access import queries as access
from opsroom.actions import queries as actions
from opsroom.actions.model import Turn
from opsroom.autonomy import queries as autonomy
from opsroom.budgets import queries as budgets
from opsroom.budgets.model import Scope
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.kit.wire import plain
from opsroom.memory import queries as memory
from opsroom.registry import Ref, Version
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION
from opsroom.retraining import queries as retraining

from . import store
from .model import Sunset

PAGE = 200
MOST_MEMORIES = 50_000
MOST_TURNS = 2_000  # the newest, of which those that are open are kept
LINES = 200  # in one row

Part = tuple[str, Any]


def put_away(tx: Tx, one: Sunset) -> tuple[str, dict[str, int]]:
    """Keep what the agent holds now; the digest of the file, and how many lines each part has."""
    seen, counted = hashlib.sha256(), dict[str, int]()
    lines: list[str] = []
    seq = 0
    for part, data in _parts(tx, one):
        line = json.dumps({"part": part, **data}, ensure_ascii=False, sort_keys=True) + "\n"
        seen.update(line.encode("utf-8", "surrogatepass"))
        counted[part] = counted.get(part, 0) + 1
        lines.append(line)
        if len(lines) == LINES:
            store.add_export(tx, one.id, seq, lines)
            lines, seq = [], seq + 1
    store.add_export(tx, one.id, seq, lines)
    return seen.hexdigest(), counted


def _parts(tx: Tx, one: Sunset) -> Iterator[Part]:
    yield "sunset", {"sunset": plain(one)}
    yield from _documents(tx, one.agent)
    yield from _settings(tx, one.agent)
    yield from _memories(tx, one.agent)
    yield from _open_work(tx, one.agent)


def cited_by(tx: Tx, agent: str) -> set[tuple[str, str]]:
    """What any version of an agent cites, by kind and name."""
    refs = (Ref.parse(one) for version in _versions(tx, agent) for one in _cites(version))
    return {(one.kind, one.name) for one in refs}


def _versions(tx: Tx, agent: str) -> Iterator[Version]:
    before: int | None = None
    while page := registry.versions(tx, "agent", agent, before=before, limit=PAGE):
        yield from page
        before = page[-1].number


def _cites(version: Version) -> set[str]:
    return set(version.spec.get("cites", {}))


def _documents(tx: Tx, agent: str) -> Iterator[Part]:
    """The manifest in every version, and whatever those cite, each once."""
    yield "agent", {"artifact": plain(registry.artifact(tx, "agent", agent))}
    labels = registry.labels(tx, "agent", agent)
    yield "labels", {"labels": [plain(label) for label in labels]}
    cited: set[str] = set()
    for version in _versions(tx, agent):
        yield "version", {"version": plain(version)}
        cited |= _cites(version)
    for ref in sorted(cited):
        yield "cited", {"version": plain(registry.version(tx, Ref.parse(ref)))}


def _settings(tx: Tx, agent: str) -> Iterator[Part]:
    yield "autonomy", {"ladder": plain(autonomy.ladder(tx, agent, environment=PRODUCTION))}
    for standing in budgets.standings(tx, scope=Scope.AGENT, key=agent, limit=PAGE):
        yield "budget", {"budget": plain(standing.budget)}
    yield "retraining", {"settings": plain(retraining.settings(tx, agent))}
    for token in access.tokens(tx):
        if token.agent == agent:
            yield "token", {"token": plain(token)}  # never its secret: nobody has it


def _memories(tx: Tx, agent: str) -> Iterator[Part]:
    before: str | None = None
    count = 0
    while page := memory.memories(tx, agent, before=before, limit=PAGE):
        for remembered in page:
            yield "memory", {"memory": plain(remembered)}
        count += len(page)
        before = page[-1].id
        if count >= MOST_MEMORIES:
            yield "left_out", {"what": f"memories older than {before}"}
            return


def open_turns(tx: Tx, agent: str) -> Iterator[Turn]:
    """The turns of an agent that nobody ended, among its newest two thousand."""
    before: str | None = None
    for _ in range(MOST_TURNS // PAGE):
        page = actions.turns(tx, agent=agent, before=before, limit=PAGE)
        yield from (turn for turn in page if turn.final is None)
        if len(page) < PAGE:
            return
        before = page[-1].id


def _open_work(tx: Tx, agent: str) -> Iterator[Part]:
    for turn in open_turns(tx, agent):
        yield "turn", {"turn": plain(turn)}
    for waiting in inbox.waiting(tx, agent=agent, limit=PAGE):
        yield "request", {"request": plain(waiting.request)}
