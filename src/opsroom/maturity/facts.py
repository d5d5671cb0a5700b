"""What is read once for all that is assessed together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.actions import queries as actions
from opsroom.actions.queries import Ended
from opsroom.alerts import queries as alerts
from opsroom.alerts.model import Alert
from opsroom.budgets import queries as budgets
from opsroom.budgets.model import Budget, Scope
from opsroom.drift import queries as drift
from opsroom.drift.model import Watch
from opsroom.evals import queries as evals
from opsroom.evals.model import EvalRun
from opsroom.inbox import queries as inbox
from opsroom.kit.db import Tx
from opsroom.registry import Ref
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION

MONTH = timedelta(days=30)
QUARTER = timedelta(days=90)
MOST = 200


@dataclass(frozen=True, slots=True)
class Facts:
    """The newest runs, alerts that are not resolved, budgets of agents, looks for drift, and by
    agent what ended and what people decided otherwise: in the last 30 days (place 0) and in
    the 30 that lie a quarter before (place 1). `citing` has the digests of agents in production
    by the prompts (`prompt/name@3`) that they cite.
    """

    now: datetime
    runs: tuple[EvalRun, ...]
    alerts: tuple[Alert, ...]
    budgets: tuple[Budget, ...]
    watches: tuple[Watch, ...]
    ended: dict[str, dict[int, Ended]]
    overridden: dict[str, dict[int, int]]
    citing: dict[str, frozenset[str]]

    def turns(self, agent: str, place: int = 0) -> int:
        found = self.ended.get(agent, {}).get(place)
        return found.turns if found else 0


def gather(tx: Tx) -> Facts:
    windows: list[tuple[datetime, datetime]] = [
        (tx.now - MONTH, tx.now),
        (tx.now - QUARTER - MONTH, tx.now - QUARTER),
    ]
    return Facts(
        now=tx.now,
        runs=tuple(evals.runs(tx, limit=MOST)),
        alerts=tuple(alerts.alerts(tx, limit=MOST)),
        budgets=tuple(
            one.budget for one in budgets.standings(tx, scope=Scope.AGENT, limit=MOST)
        ),
        watches=tuple(drift.watches(tx)),
        ended=actions.ended(tx, windows),
        overridden=inbox.overridden(tx, windows),
        citing=_citing(tx),
    )


def _citing(tx: Tx) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for of, _, labels in registry.artifacts(tx, "agent", limit=MOST):
        if any(one.label == PRODUCTION for one in labels):
            version = registry.version(tx, Ref(of.kind, of.name, PRODUCTION))
            for cited in (version.spec.get("prompts") or {}).values():
                prompt = str(Ref.parse(cited, kind="prompt"))
                found[prompt] = found.get(prompt, frozenset()) | {version.digest}
    return found
