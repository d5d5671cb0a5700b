"""Counting what agents did in windows of time, from turns, actions, overrides and telemetry.

Nothing is written here, and no transaction is open while telemetry is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from opsroom.actions import queries as actions
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.traces import spending
from opsroom.traces.queries import Reads

from .figures import OF_TELEMETRY, Counts, Sum, Windows, figures, past, recent
from .model import AlertRuleSpec

OfAgents = dict[str, dict[int, Counts]]
Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What the records hold for rules of one length of window; telemetry is still to be asked."""

    recent: Windows
    past: Windows
    lately: OfAgents
    before: OfAgents
    telemetry: bool

    def facts(self, store: Reads | None, project: str) -> Facts:
        """The figures of every agent that did anything. Raises `TelemetryUnavailable`."""
        lately, before = self.lately, self.before
        if self.telemetry and store is not None:
            lately = with_spent(lately, spending.spent(store, project, self.recent))
            before = with_spent(before, spending.spent(store, project, self.past))
        return {
            agent: figures(lately.get(agent, {}), before.get(agent, {}))
            for agent in sorted(lately.keys() | before.keys())
        }


@dataclass(slots=True)
class Counter:
    """Counts each window once, however many rules look at it."""

    tx: Tx
    _found: dict[tuple[float, bool, bool], Counted] = field(default_factory=dict[Any, Any])

    def of(self, spec: AlertRuleSpec) -> Counted:
        """What agents did in the windows that a rule looks at."""
        looks_back = "usual" in spec.when or "week_ago" in spec.when
        telemetry = asks_telemetry(spec)
        key = (spec.window, looks_back, telemetry)
        if key not in self._found:
            length = timedelta(seconds=spec.window)
            lately = recent(self.tx.now, length)
            before = past(self.tx.now, length) if looks_back else []
            self._found[key] = Counted(
                recent=lately,
                past=before,
                lately=recorded(self.tx, lately),
                before=recorded(self.tx, before) if before else {},
                telemetry=telemetry,
            )
        return self._found[key]


def asks_telemetry(spec: AlertRuleSpec) -> bool:
    """Whether a rule names figures that only telemetry has."""
    return any(name in spec.when for name in OF_TELEMETRY)


def recorded(tx: Tx, windows: Windows) -> OfAgents:
    """What turns, actions and overrides say of each agent, by place of the window."""
    found: OfAgents = {}

    def put(agent: str, window: int, **counts: Any) -> None:
        of = found.setdefault(agent, {})
        of[window] = replace(of.get(window, Counts()), **counts)

    for agent, ended in actions.ended(tx, windows).items():
        for window, one in ended.items():
            put(agent, window, turns=one.turns, failed=one.failed, escalated=one.escalated)
    for agent, proposed in actions.proposed(tx, windows).items():
        for window, done in proposed.items():
            sure = Sum(n=done.rated, total=done.confidence, squares=done.squares)
            put(agent, window, actions=done.actions, malformed=done.malformed, confidence=sure)
    for agent, overridden in inbox.overridden(tx, windows).items():
        for window, many in overridden.items():
            put(agent, window, overridden=many)
    return found


def with_spent(of: OfAgents, spent: Mapping[str, Mapping[int, spending.Spent]]) -> OfAgents:
    """The same with what telemetry says of it."""
    found = {agent: dict(windows) for agent, windows in of.items()}
    for agent, windows in spent.items():
        mine = found.setdefault(agent, {})
        for window, one in windows.items():
            mine[window] = replace(
                mine.get(window, Counts()),
                cost=Sum(n=one.traces, total=one.usd, squares=one.squares),
                calls=one.calls,
                failed_calls=one.failed,
                unpriced=one.unpriced,
            )
    return found
