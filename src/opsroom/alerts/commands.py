"""Looking at the rules of projects that are due, and what people do with what that found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from opsroom.actions import queries as actions
from opsroom.actions.queries import Ended
from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.db import Actor, Tx

from . import queries, store
from .conditions import holds
from .errors import AlertNotFound, AlertOver, BadCondition, BrokenMute, MuteNotFound
from .figures import RATES, figures, past, recent
from .model import (
    LONGEST_MUTE,
    PERIODS,
    Alert,
    AlertRuleSpec,
    Every,
    Mute,
    Rule,
    Scope,
    State,
    Step,
    decide,
    to_remind,
)

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
    silences = [one for one in queries.mutes(tx) if one.at(tx.now)]
    rules = queries.rules(tx)
    for rule in rules:
        try:
            _look_at_rule(tx, rule, live, counted, silences)
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


def mute(
    tx: Tx,
    *,
    until: datetime,
    reason: str,
    since: datetime | None = None,
    rule: str = "",
    agent: str = "",
    every: Every = Every.ONCE,
) -> Mute:
    """Tell nobody of some alerts for a while, or at the same time of every day or week.

    Raises `BrokenMute`.
    """
    since = tx.now if since is None else since
    if until <= since or until <= tx.now:
        raise BrokenMute("it ends before it begins, or has ended already")
    if until - since > min(LONGEST_MUTE, PERIODS.get(every, LONGEST_MUTE)):
        raise BrokenMute(
            "it lasts longer than seven days, or than the time after which it returns"
        )
    if rule and rule not in {one.name for one in queries.rules(tx)}:
        raise BrokenMute(f"there is no rule {rule!r}")
    if not reason.strip():
        raise BrokenMute("nobody said why")
    one = Mute(
        id=tx.ids.new("mut"),
        rule=rule,
        agent=agent,
        starts_at=since,
        ends_at=until,
        every=every,
        reason=reason.strip()[:MOST_NOTE],
        by=tx.actor.name,
        created_at=tx.now,
    )
    store.add_mute(tx, one)
    tx.record(
        "alert.muted",
        f"mute/{one.id}",
        what=one.what,
        rule=rule,
        agent=agent,
        starts_at=since.isoformat(),
        ends_at=until.isoformat(),
        every=every.value,
        reason=one.reason,
    )
    return one


def unmute(tx: Tx, mute_id: str) -> Mute:
    """End a mute before its time. Raises `MuteNotFound`."""
    found = next((one for one in queries.mutes(tx) if one.id == mute_id), None)
    if found is None:
        raise MuteNotFound(mute_id)
    now = replace(found, ended_at=tx.now)
    store.end_mute(tx, now)
    tx.record("alert.unmuted", f"mute/{mute_id}", what=found.what)
    return now


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
    tx: Tx,
    rule: Rule,
    live: Mapping[tuple[str, str], Alert],
    counted: _Counted,
    silences: Sequence[Mute],
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
        muted = any(one.covers(rule.name, agent) for one in silences)
        match decide(was, spec, firing=firing, now=tx.now):
            case Step.OPEN:
                _open(tx, rule, agent, facts, words, muted=muted)
            case Step.SEEN:
                assert was is not None
                because = _because(spec, facts, words)
                seen = replace(was, seen_at=tx.now, because=because, facts=facts)
                if to_remind(was, spec, muted=muted, now=tx.now):
                    seen = replace(seen, told_at=tx.now)
                    _record(tx, "alert.reminded", seen)
                store.save(tx, seen)
            case Step.RESOLVE:
                assert was is not None
                _resolve(tx, was, by=tx.actor.name, note="its condition no longer holds")
            case Step.NOTHING:
                pass


def _open(
    tx: Tx, rule: Rule, agent: str, facts: dict[str, Any], words: str, *, muted: bool
) -> None:
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
        told_at=None if muted else tx.now,
    )
    store.add(tx, one)
    _record(tx, "alert.opened", one)


def _record(tx: Tx, event: str, one: Alert, **more: str) -> None:
    """An entry with all that people are told of an alert."""
    tx.record(
        event,
        one.subject,
        rule=one.rule,
        ref=one.ref,
        digest=one.digest,
        agent=one.agent,
        urgency=one.urgency.value,
        because=one.because,
        muted=one.told_at is None,
        **more,
    )


def _resolve(tx: Tx, was: Alert, *, by: str, note: str) -> Alert:
    now = replace(was, state=State.RESOLVED, resolved_at=tx.now, resolved_by=by, note=note)
    store.save(tx, now)
    _record(tx, "alert.resolved", now, note=note)
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
