"""Looking at alerts, at the rules in force, and at what changed before an alert."""

from dataclasses import dataclass
from datetime import timedelta

from opsroom.journal import Entry
from opsroom.journal import queries as journal
from opsroom.kit.canonical import digest
from opsroom.kit.db import Tx
from opsroom.kit.errors import Unavailable
from opsroom.kit.wire import Wire, adapter, plain
from opsroom.registry import listing
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION
from opsroom.traces.queries import Reads
from opsroom.traces.spending import Served, served

from . import store
from .errors import AlertNotFound
from .model import Alert, AlertRuleSpec, Mute, Rule, State, Urgency
from .shipped import RULES

PAGE = 50
MOST_RULES = 200
MOST_MUTES = 200
MOST_CHANGES = 20
BEFORE = timedelta(hours=2)
WEEK = timedelta(days=7)
WATCHING = frozenset({"alert-rule", "channel"})  # changes nothing that agents do
SHIPPED = "shipped"
KIND = "alert-rule"
# What may be why something is different from before.
CHANGES = (
    "label.moved",
    "release.started",
    "release.advanced",
    "release.promoted",
    "release.rolled_back",
    "integration.changed",
    "integration.failed",
    "integration.health_changed",
    "autonomy.widened",
    "autonomy.narrowed",
    "autonomy.killed",
    "autonomy.revived",
    "budget.set",
    "gateway.tool_quarantined",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Wire):
    """An alert, and what changed in the two hours before it opened, newest first. `suspect` is
    the change that can be rolled back and is the likeliest to be why, if there is one. `models`
    began to serve the agent in those hours, and had not in the week before.
    """

    alert: Alert
    changes: tuple[Entry, ...]
    suspect: Entry | None
    models: tuple[Served, ...] = ()


def alert(tx: Tx, alert_id: str) -> Alert:
    """Raises `AlertNotFound`."""
    found = store.alert(tx, alert_id)
    if found is None:
        raise AlertNotFound(alert_id)
    return found


def alerts(
    tx: Tx,
    *,
    everything: bool = False,
    rule: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Alert]:
    """Alerts that are not resolved, or all of them, of one rule or of all, newest first."""
    return store.page(tx, everything=everything, rule=rule, before=before, limit=limit)


def count_open(tx: Tx) -> int:
    """How many wait for somebody to take them on."""
    return store.count(tx, State.OPEN)


def standing(tx: Tx) -> dict[tuple[str, Urgency, State], int]:
    """How many are not resolved, by agent, urgency and state."""
    return {
        (agent, Urgency(urgency), State(state)): times
        for agent, urgency, state, times in store.standing(tx)
    }


def overdue(tx: Tx) -> bool:
    """Whether the rules of any project are due to be looked at."""
    return store.due(tx)


def problems(tx: Tx) -> dict[str, str]:
    """Rules that could not be decided at the last look, and why."""
    return store.problems(tx)


def mutes(tx: Tx) -> list[Mute]:
    """Mutes that are in force or to come, oldest first."""
    return store.live_mutes(tx, limit=MOST_MUTES)


def rules(tx: Tx) -> list[Rule]:
    """The rules in force, by name: those of the project, and the shipped ones that it has not
    replaced. A rule holds in the version that production names, or in its newest. One of a
    shipped name needs production, so that nobody switches a shipped rule off unseen.
    """
    found = {
        name: Rule(name=name, ref=f"{SHIPPED}/{name}", digest=digest(plain(spec)), spec=spec)
        for name, spec in RULES.items()
    }
    for row in listing.rows(tx, KIND, limit=MOST_RULES):
        name = row.artifact.name
        if row.newest is None or (name in RULES and PRODUCTION not in row.labels):
            continue
        version = registry.in_force(tx, KIND, name)
        spec = adapter(AlertRuleSpec).validate_python(version.spec)
        found[name] = Rule(name=name, ref=version.ref, digest=version.digest, spec=spec)
    return [found[name] for name in sorted(found)]


def incident(tx: Tx, alert_id: str, telemetry: Reads | None = None) -> Incident:
    """An alert with what changed before it. Raises `AlertNotFound`.

    Without `telemetry`, or where it does not answer, no models are named.
    """
    found = alert(tx, alert_id)
    changes = [
        entry
        for event in CHANGES
        for entry, _ in journal.entries(
            tx, event=event, before=found.seq + 1, limit=MOST_CHANGES
        )
        if found.opened_at - entry.at <= BEFORE
        and entry.facts.get("to") != "gating"
        and entry.subject.partition("/")[0] not in WATCHING
    ]
    changes.sort(key=lambda entry: -entry.seq)
    changes = changes[:MOST_CHANGES]
    return Incident(
        alert=found,
        changes=tuple(changes),
        suspect=_suspect(found, changes),
        models=_new_models(tx, found, telemetry),
    )


def _new_models(tx: Tx, found: Alert, telemetry: Reads | None) -> tuple[Served, ...]:
    if telemetry is None or not found.agent:
        return ()
    opened = found.opened_at
    try:
        seen = served(
            telemetry, tx.project, found.agent, since=opened - WEEK - BEFORE, until=opened
        )
    except Unavailable:
        return ()
    new = tuple(one for one in seen if one.first >= opened - BEFORE)
    return new if len(new) < len(seen) else ()  # all of them: nothing is known of before


def _suspect(found: Alert, changes: list[Entry]) -> Entry | None:
    """The newest move of the production label or step of a release: of the agent that the
    alert is about where there is one, of any otherwise.
    """
    can = [one for one in changes if _undoable(one)]
    of_it = [one for one in can if one.subject.partition("@")[0] == f"agent/{found.agent}"]
    return next(iter([*of_it, *can]), None)


def _undoable(entry: Entry) -> bool:
    match entry.event:
        case "label.moved":
            return (
                entry.facts.get("label") == PRODUCTION
                and entry.facts.get("before") is not None
                and entry.facts.get("how") != "rollback"
            )
        case "release.advanced":
            return entry.facts.get("to") == "canarying"
        case _:
            return False
