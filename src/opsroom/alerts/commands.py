"""Looking at the rules of projects that are due, and what people do with what that found."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from opsroom.actions import queries as actions
from opsroom.actions.queries import Ended
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.db import Actor, Tx

from . import queries, store
from .conditions import holds
from .errors import AlertNotFound, AlertOver, BadCondition
from .figures import RATES, figures, past, recent
from .model import Alert, AlertRuleSpec, Rule, Scope, State, Step, decide

EVERY = timedelta(minutes=5)
SYSTEM = "system:alerts"
PROJECTS = 20  # at a time
MOST_COUNTED = 200
MOST_NOTE = 2_000
Counts = Mapping[str, Mapping[int, Ended]]


def look(tx: Tx) -> int:
    """Look at the rules of every project that is due; return how many projects that were."""
    due = store.claim(tx, limit=PROJECTS)
    for project in due:
        tx.actor = Actor(SYSTEM, project, human=False)
        look_at(tx)
    return len(due)


def look_at(tx: Tx) -> None:
    """Look at every rule of this project: open, renew or resolve its alerts.

    A rule that cannot be decided leaves its alerts as they are, and is shown with why.
    """
    live, problems = store.live(tx), dict[str, str]()
    counted = _Counted(tx)
    rules = queries.rules(tx)
    for rule in rules:
        try:
            _look_at_rule(tx, rule, live, counted)
        except BadCondition as error:
            problems[rule.name] = error.why
    for gone in {one.rule for one in live.values()} - {rule.name for rule in rules}:
        problems[gone] = "there is no such rule any more"
    store.looked(tx, next_at=tx.now + EVERY, problems=problems)


def acknowledge(tx: Tx, alert_id: str) -> Alert:
    """Take an alert on. Doing so twice, or after somebody else, changes nothing."""
    was = _get(tx, alert_id)
    match was.state:
        case State.RESOLVED:
            raise AlertOver(alert_id)
        case State.ACKNOWLEDGED:
            return was
        case State.OPEN:
            now = replace(
                was,
                state=State.ACKNOWLEDGED,
                acknowledged_at=tx.now,
                acknowledged_by=tx.actor.name,
            )
    store.save(tx, now)
    tx.record("alert.acknowledged", was.subject, rule=was.rule, agent=was.agent)
    return replace(now, revision=was.revision + 1)


def resolve(tx: Tx, alert_id: str, *, note: str) -> Alert:
    """End an alert, saying what it was. It opens anew where its condition still holds.

    Raises `AlertOver` where that was done before.
    """
    was = _get(tx, alert_id)
    if was.state is State.RESOLVED:
        raise AlertOver(alert_id)
    return _resolve(tx, was, by=tx.actor.name, note=note[:MOST_NOTE])


@dataclass(slots=True)
class _Counted:
    """What was counted and worked out at this look, so that rules of one length share it."""

    tx: Tx
    _found: dict[tuple[float, bool], dict[str, dict[str, Any]]] = field(
        default_factory=dict[Any, Any]
    )

    def of_agents(self, spec: AlertRuleSpec) -> Mapping[str, dict[str, Any]]:
        """The figures of every agent that ended a turn in a window that the rule looks at."""
        looks_back = "usual" in spec.when or "week_ago" in spec.when
        key = (spec.window, looks_back)
        if key not in self._found:
            length = timedelta(seconds=spec.window)
            lately = actions.ended(self.tx, recent(self.tx.now, length))
            before: Counts = {}
            if looks_back:
                before = actions.ended(self.tx, past(self.tx.now, length))
            self._found[key] = {
                agent: figures(lately.get(agent, {}), before.get(agent, {}))
                for agent in sorted(lately.keys() | before.keys())
            }
        return self._found[key]


def _look_at_rule(
    tx: Tx, rule: Rule, live: Mapping[tuple[str, str], Alert], counted: _Counted
) -> None:
    spec = rule.spec
    if spec.scope is Scope.PROJECT:
        events, words = _events(tx, spec)
        found = {"": (figures({}, {}, events=events), words)}
    else:
        found = {agent: (facts, "") for agent, facts in counted.of_agents(spec).items()}
    standing = {agent for name, agent in live if name == rule.name}
    for agent in sorted(found.keys() | standing):
        facts, words = found.get(agent, (figures({}, {}), ""))
        firing = spec.enabled and holds(spec.when, facts)
        was = live.get((rule.name, agent))
        match decide(was, spec, firing=firing, now=tx.now):
            case Step.OPEN:
                _open(tx, rule, agent, facts, words)
            case Step.SEEN:
                assert was is not None
                because = _because(spec, facts, words)
                store.save(tx, replace(was, seen_at=tx.now, because=because, facts=facts))
            case Step.RESOLVE:
                assert was is not None
                _resolve(tx, was, by=tx.actor.name, note="its condition no longer holds")
            case Step.NOTHING:
                pass


def _open(tx: Tx, rule: Rule, agent: str, facts: dict[str, Any], words: str) -> None:
    one = Alert(
        id=tx.ids.new("alt"),
        rule=rule.name,
        ref=rule.ref,
        digest=rule.digest,
        agent=agent,
        urgency=rule.spec.urgency,
        state=State.OPEN,
        because=_because(rule.spec, facts, words),
        facts=facts,
        opened_at=tx.now,
        seen_at=tx.now,
        seq=journal.head(tx).seq,
    )
    store.add(tx, one)
    tx.record(
        "alert.opened",
        one.subject,
        rule=rule.name,
        ref=rule.ref,
        digest=rule.digest,
        agent=agent,
        urgency=one.urgency.value,
        because=one.because,
    )


def _resolve(tx: Tx, was: Alert, *, by: str, note: str) -> Alert:
    now = replace(was, state=State.RESOLVED, resolved_at=tx.now, resolved_by=by, note=note)
    store.save(tx, now)
    tx.record("alert.resolved", was.subject, rule=was.rule, agent=was.agent, note=note)
    return replace(now, revision=was.revision + 1)


def _events(tx: Tx, spec: AlertRuleSpec) -> tuple[int, str]:
    """How many entries of the window are counted, and the newest of them in words."""
    since = tx.now - timedelta(seconds=spec.window)
    found = [
        entry
        for event in spec.events
        for entry, _ in journal.entries(tx, event=event, limit=MOST_COUNTED)
        if entry.at > since
    ]
    newest = max(found, key=lambda entry: entry.seq, default=None)
    if newest is None:
        return 0, ""
    told = tell(newest)
    return len(found), f"{told.title}: {told.note}" if told.note else told.title


def _because(spec: AlertRuleSpec, facts: Mapping[str, Any], words: str) -> str:
    """The rule in words, with the figures that people ask for first."""
    if spec.scope is Scope.PROJECT:
        times = facts["events"]
        more = f"{times} times, last: {words}" if times > 1 else words
        return f"{spec.description} ({more})" if more else spec.description
    now = facts["now"]
    if not now["turns"]:
        level = facts["usual"]["turns"]["level"]
        return f"{spec.description}: 0 turns, about {level:,.0f} are usual"
    named = [name for name in RATES if f".{name}." in spec.when] or ["failed"]
    said = [_said(name, now, facts["usual"][name], facts["before"]) for name in named]
    return f"{spec.description}: {'; '.join(said)}"


def _said(name: str, now: Any, usual: Any, before: Any) -> str:
    rate = now[name]
    text = (
        f"{rate['rate']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}]"
        f" of {now['turns']:,} turns {name}"
    )
    if usual["windows"]:
        return f"{text}, {usual['rate']:.1%} [{usual['low']:.1%}, {usual['high']:.1%}] is usual"
    if before["turns"]:
        return f"{text}, {before[name]['rate']:.1%} in the window before"
    return text


def _get(tx: Tx, alert_id: str) -> Alert:
    found = store.alert(tx, alert_id, lock=True)
    if found is None:
        raise AlertNotFound(alert_id)
    return found
