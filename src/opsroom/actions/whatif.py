"""What other policies would have said of what agents did: recorded proposals, decided again.

Every action keeps the request it was decided by. Unchanged policies give every verdict again,
so whatever flips is the change's doing. Nothing is held in memory but the flips that are shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from opsroom.agents import queries as agents
from opsroom.contracts.model import ContractSpec
from opsroom.kit.db import Tx
from opsroom.kit.wire import Wire, adapter
from opsroom.policies.engine import Bundle, compile_bundle
from opsroom.policies.model import PolicyRequest, PolicySpec, Ruling, Verdict
from opsroom.registry import Ref
from opsroom.registry import queries as registry

from . import store, turn_store
from .caches import bundle_of
from .gate import SESSION_READ, words_of
from .had_read import had_read
from .model import Turn

MOST_FLIPS = 200
CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip(Wire):
    """A proposal whose verdict would have been another, and why."""

    action: str
    agent: str
    tool: str
    before: Verdict
    after: Verdict
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Wire):
    """What would have changed: counts of every verdict before and after, and the first flips.

    `flips` counts them by `before → after`, also those that are not shown.
    """

    decided: int
    before: dict[str, int] = field(default_factory=dict[str, int])
    after: dict[str, int] = field(default_factory=dict[str, int])
    flips: dict[str, int] = field(default_factory=dict[str, int])
    shown: tuple[Flip, ...] = ()

    @property
    def flipped(self) -> int:
        return sum(self.flips.values())


def simulate(
    tx: Tx,
    policies: Sequence[tuple[str, PolicySpec]] | None,
    *,
    since: datetime,
    until: datetime,
    agent: str | None = None,
) -> WhatIf:
    """Decide what was proposed from `since` to `until` again: under `policies` in place of
    those that each manifest cites, or with None under the very same ones.

    Raises `BrokenPolicy` for policies that cannot be read.
    """
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    flips: Counter[str] = Counter()
    shown: list[Flip] = []
    bundles = _Bundles(tx, policies)
    for rows in store.requests(tx, since=since, until=until, agent=agent, chunk=CHUNK):
        for bundle, chunk in bundles.split(rows):
            requests = [_request(tx, bundle, row) for row in chunk]
            for row, ruling in zip(chunk, bundle.decide_many(requests), strict=True):
                was = Verdict(row["verdict"])
                before[was.value] += 1
                after[ruling.verdict.value] += 1
                if ruling.verdict is was:
                    continue
                flips[f"{was.value} → {ruling.verdict.value}"] += 1
                if len(shown) < MOST_FLIPS:
                    shown.append(_flip(row, was, ruling))
    return WhatIf(
        decided=sum(before.values()),
        before=dict(before),
        after=dict(after),
        flips=dict(flips),
        shown=tuple(shown),
    )


def _request(tx: Tx, bundle: Bundle, row: Mapping[str, Any]) -> PolicyRequest:
    """A request as it was decided. What the session had read is looked up where these policies
    ask for it and those of then did not.
    """
    request: PolicyRequest = adapter(PolicyRequest).validate_json(row["request"])
    if SESSION_READ in request.facts or not bundle.reads(row["tool"], SESSION_READ):
        return request
    turn: Turn | None = turn_store.turn(tx, row["turn"])
    assert turn is not None, "an action belongs to a turn"
    read = had_read(
        tx, turn_id=turn.id, session=turn.session, beside=row["id"], until=row["proposed_at"]
    )
    return replace(request, facts={**request.facts, SESSION_READ: read})


class _Bundles:
    """The policies to decide by, compiled once for each manifest that is met."""

    def __init__(self, tx: Tx, policies: Sequence[tuple[str, PolicySpec]] | None) -> None:
        self._tx = tx
        self._policies = policies
        self._made: dict[str, Bundle] = {}

    def split(self, rows: Sequence[Any]) -> list[tuple[Bundle, list[Any]]]:
        """Rows by the bundle that decides them, in order."""
        by_manifest: dict[str, list[Any]] = {}
        for row in rows:
            by_manifest.setdefault(row["manifest"], []).append(row)
        return [(self._of(chunk[0]), chunk) for chunk in by_manifest.values()]

    def _of(self, row: Any) -> Bundle:
        made = self._made.get(row["manifest"])
        if made is None:
            made = self._made[row["manifest"]] = self._compile(row)
        return made

    def _compile(self, row: Any) -> Bundle:
        turn: Turn | None = turn_store.turn(self._tx, row["turn"])
        assert turn is not None, "an action belongs to a turn"
        manifest = agents.cited(self._tx, Ref.parse(turn.version))
        if self._policies is None:
            return bundle_of(manifest)
        contracts: list[ContractSpec] = [spec for _, spec in manifest.contracts.values()]
        return compile_bundle(list(self._policies), contracts)


def policies_of(tx: Tx, references: Sequence[str]) -> list[tuple[str, PolicySpec]]:
    """Stored policies, by reference."""
    found = [registry.version(tx, Ref.parse(one, kind="policy")) for one in references]
    return [(one.name, adapter(PolicySpec).validate_python(one.spec)) for one in found]


def _flip(row: Any, was: Verdict, ruling: Ruling) -> Flip:
    return Flip(
        action=row["id"],
        agent=row["agent"],
        tool=row["tool"],
        before=was,
        after=ruling.verdict,
        because=words_of(ruling),
    )
