"""Looking at the rules of projects that are due: count first, then decide in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from opsroom.journal import queries as journal
from opsroom.journal.words import tell
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import Unavailable
from opsroom.traces.queries import Reads

from . import queries, store
from .commands import end, record
from .conditions import holds
from .counting import Counted, Counter, Facts, asks_telemetry
from .errors import BadCondition
from .figures import figures
from .model import Alert, AlertRuleSpec, Mute, Rule, Scope, State, Step, decide, to_remind
from .wording import in_words

EVERY = timedelta(minutes=5)
SYSTEM = "system:alerts"
PROJECTS = 20  # at a time
MOST_COUNTED = 200


@dataclass(frozen=True, slots=True)
class Sight:
    """Of which agents a rule holds, with figures and words, or why it cannot be decided."""

    rule: Rule
    firing: Mapping[str, tuple[Mapping[str, Any], str]]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a project: the rules whose turn it was, and all there are."""

    sights: tuple[Sight, ...]
    names: frozenset[str]
    windows: Mapping[str, str]


def look(db: Database, telemetry: Reads | None) -> int:
    """Look at the rules of every project that is due; return how many projects that were.

    Everything is counted before the transaction that decides, so that nobody waits for it.
    """
    with db.read(Actor(SYSTEM, "", human=False)) as tx:
        due = store.due_projects(tx, limit=PROJECTS)
    for project in due:
        actor = Actor(SYSTEM, project, human=False)
        seen = see(db, actor, telemetry)
        with db.write(actor) as tx:
            take_in(tx, seen)
    return len(due)


def see(db: Database, actor: Actor, telemetry: Reads | None) -> Look:
    """Count what the rules of a project ask for, as far as it is their turn. Those that ask
    for telemetry wait for a process that has it.
    """
    with db.read(actor) as tx:
        rules = queries.rules(tx)
        looked = store.looked_at(tx)
        counter = Counter(tx)
        turns = [
            rule
            for rule in rules
            if _its_turn(rule.spec, looked, tx.now)
            and (telemetry is not None or not asks_telemetry(rule.spec))
        ]
        counted = {
            rule.name: counter.of(rule.spec) for rule in turns if rule.spec.scope is Scope.AGENT
        }
        events = {
            rule.name: _events(tx, rule.spec)
            for rule in turns
            if rule.spec.scope is Scope.PROJECT
        }
        now = tx.now
    facts = {one: _facts(one, telemetry, actor.project) for one in set(counted.values())}
    sights: list[Sight] = []
    for rule in turns:
        if rule.name in events:
            many, words = events[rule.name]
            sights.append(_sight(rule, {"": (figures({}, {}, events=many), words)}))
            continue
        found = facts[counted[rule.name]]
        if isinstance(found, str):
            sights.append(Sight(rule, {}, found))
        else:
            sights.append(_sight(rule, {agent: (one, "") for agent, one in found.items()}))
    fresh = {
        _key(rule.spec.window): now.isoformat()
        for rule in turns
        if rule.spec.scope is Scope.AGENT
    }
    return Look(
        sights=tuple(sights),
        names=frozenset(rule.name for rule in rules),
        windows={**looked, **fresh},
    )


def _sight(rule: Rule, found: Mapping[str, tuple[Mapping[str, Any], str]]) -> Sight:
    spec = rule.spec
    if not spec.enabled:
        return Sight(rule, {})
    try:
        return Sight(rule, {one: of for one, of in found.items() if holds(spec.when, of[0])})
    except BadCondition as error:
        return Sight(rule, {}, error.why)


def _facts(of: Counted, telemetry: Reads | None, project: str) -> Facts | str:
    """The figures, or why there are none."""
    try:
        return of.facts(telemetry, project)
    except Unavailable as error:
        return str(error)


def take_in(tx: Tx, seen: Look) -> None:
    """Open, renew or resolve the alerts of a project by what was seen, unless somebody else
    has done so meanwhile.

    A rule that cannot be decided leaves its alerts as they are, and is shown with why.
    """
    if not store.claim(tx):
        return
    live, problems = store.live(tx), store.problems(tx)
    silences = [one for one in queries.mutes(tx) if one.at(tx.now)]
    for sight in seen.sights:
        if sight.problem:
            problems[sight.rule.name] = sight.problem
        else:
            problems.pop(sight.rule.name, None)
            _decide(tx, sight, live, silences)
    orphans = {one.rule for one in live.values()} - seen.names
    problems = {name: why for name, why in problems.items() if name in seen.names}
    problems |= dict.fromkeys(orphans, "there is no such rule any more")
    store.looked(tx, next_at=tx.now + EVERY, problems=problems, windows=seen.windows)


def _its_turn(spec: AlertRuleSpec, looked: Mapping[str, str], now: datetime) -> bool:
    """Whether a rule is looked at now: as often as a hundredth of its window, for which little
    can have changed in less. Counted events are always looked at.
    """
    last = looked.get(_key(spec.window))
    if last is None or spec.scope is Scope.PROJECT:
        return True
    return now - datetime.fromisoformat(last) >= max(
        EVERY, timedelta(seconds=spec.window / 100)
    )


def _key(window: float) -> str:
    return f"{window:g}"


def _decide(
    tx: Tx,
    sight: Sight,
    live: Mapping[tuple[str, str], Alert],
    silences: Sequence[Mute],
) -> None:
    rule, spec = sight.rule, sight.rule.spec
    standing = {agent for name, agent in live if name == rule.name}
    for agent in sorted(sight.firing.keys() | standing):
        facts, words = sight.firing.get(agent, ({}, ""))
        was = live.get((rule.name, agent))
        muted = any(one.covers(rule.name, agent) for one in silences)
        match decide(was, spec, firing=agent in sight.firing, now=tx.now):
            case Step.OPEN:
                _open(tx, rule, agent, facts, words, muted=muted)
            case Step.SEEN:
                assert was is not None
                because = in_words(spec, facts, words)
                seen = replace(was, seen_at=tx.now, because=because, facts=dict(facts))
                if to_remind(was, spec, muted=muted, now=tx.now):
                    seen = replace(seen, told_at=tx.now)
                    record(tx, "alert.reminded", seen)
                store.save(tx, seen)
            case Step.RESOLVE:
                assert was is not None
                end(tx, was, by=tx.actor.name, note="its condition no longer holds")
            case Step.NOTHING:
                pass


def _open(
    tx: Tx, rule: Rule, agent: str, facts: Mapping[str, Any], words: str, *, muted: bool
) -> None:
    one = Alert(
        id=tx.ids.new("alt"),
        rule=rule.name,
        ref=rule.ref,
        digest=rule.digest,
        agent=agent,
        urgency=rule.spec.urgency,
        state=State.OPEN,
        because=in_words(rule.spec, facts, words),
        facts=dict(facts),
        opened_at=tx.now,
        seen_at=tx.now,
        seq=journal.head(tx).seq,
        told_at=None if muted else tx.now,
    )
    store.add(tx, one)
    record(tx, "alert.opened", one)


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
