"""What the clock does in every project: occasions come up, lapse, and are asked for when late.

There is one occasion for each kind, subject and period, so that all of it is safe to repeat,
after a restart as in several processes. Only the period of now is planned: what nobody was
there for is not made up afterwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsroom.access import queries as access
from opsroom.agents import queries as agents
from opsroom.evals import judges
from opsroom.kit import rounds
from opsroom.kit.db import Actor, Database, Tx
from opsroom.registry import listing
from opsroom.registry import queries as registry
from opsroom.registry.model import PRODUCTION
from opsroom.registry.rules import ATTACKS

from . import store
from .model import (
    GRACE,
    MOST_TEXT,
    REMIND_EVERY,
    Exhibit,
    Kind,
    Occasion,
    Period,
    Rule,
    State,
    due_of,
    end_of,
    period_of,
)

SYSTEM = "system:cadence"
EVERY = timedelta(minutes=15)
PAGE = 200
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """What an occasion is about, and who owns that."""

    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a kind is to have an occasion for in this period; no subjects where it is off."""

    kind: Kind
    rule: Rule
    period: Period
    subjects: tuple[Subject, ...]


def overdue(db: Database) -> bool:
    """Whether the calendar of any project is to be looked at."""
    return rounds.overdue(db, store.clocks, SYSTEM, access.projects)


def look(db: Database) -> int:
    """Look at the calendar of the project that is longest due; how many things moved.

    Safe to repeat, and in several processes at once.
    """
    actor = rounds.take(db, store.clocks, SYSTEM, access.projects, lease=EVERY)
    return 0 if actor is None else look_around(db, actor)


def look_around(db: Database, actor: Actor) -> int:
    """Let what is due in a project in this period come up, and what nobody began before lapse;
    say what is overdue. What serves is read while others write, and each kind is written for
    itself.
    """
    with db.read(actor) as tx:
        wanted = _wanted(tx)
    moved = 0
    for one in wanted:
        with db.write(actor) as tx:
            moved += _plan(tx, one)
    with db.write(actor) as tx:
        return moved + remind(tx)


def remind(tx: Tx) -> int:
    """Say of what is overdue that it is: once when it becomes so, and every week from then on."""
    late = store.to_remind(tx, limit=MOST_AT_ONCE)
    for one in late:
        reminded = one.reminded + 1
        saved = store.save(tx, replace(one, reminded=reminded, remind_at=tx.now + REMIND_EVERY))
        tx.record(
            "cadence.overdue",
            saved.ref,
            title=saved.title,
            kind=saved.kind.value,
            about=saved.subject,
            owner=saved.owner or "nobody",
            due=f"{saved.due_at:%Y-%m-%d}",
            times=reminded,
        )
    return len(late)


def call_for(tx: Tx, agent: str, evidence: Exhibit, *, entry: str, because: str) -> None:
    """Ask for a review of an agent because of what happened. While one is open, whatever else
    happens is added to it.
    """
    rule = store.settings(tx).rule(Kind.EVENT_REVIEW)
    of = registry.found(tx, "agent", agent)
    if not rule.on or of is None or agents.retired(tx, agent) is not None:
        return
    there = store.live(tx, kind=Kind.EVENT_REVIEW, subject=of.ref, limit=1)
    if there and there[0].state is State.OPEN:
        store.save(tx, there[0].with_evidence([evidence]))
        return
    made = _occasion(
        tx, Kind.EVENT_REVIEW, Subject(of.ref, rule.owner or of.owner), entry, because
    )
    due = end_of(tx.now + timedelta(days=rule.within_days))
    dated = replace(made, due_at=due, first_due=due, remind_at=due).with_evidence([evidence])
    for one in store.add_missing(tx, [dated]):
        _came_up(tx, one)


def call_off(tx: Tx, subject: str) -> None:
    """Ask for nothing more about a subject that came to its end; what was begun stays."""
    for one in store.live(tx, subject=subject, limit=MOST_AT_ONCE):
        if one.state is State.OPEN:
            _end(tx, one, State.CANCELLED)


def come_up_again(tx: Tx, one: Occasion, *, part: int) -> None:
    """Let the next part of a review come up that is too long for one, due with it."""
    due = max(one.due_at, end_of(tx.now + GRACE))
    subject = Subject(f"{one.whole}/{part}", one.owner)
    made = _occasion(tx, one.kind, subject, one.period, f"part {part} of {one.ref}")
    for added in store.add_missing(
        tx, [replace(made, due_at=due, first_due=due, remind_at=due)]
    ):
        _came_up(tx, added)


def _wanted(tx: Tx) -> list[_Wanted]:
    settings = store.settings(tx)
    found: list[_Wanted] = []
    for kind, subjects in SUBJECTS.items():
        rule = settings.rule(kind)
        now = tuple(subjects(tx)) if rule.on else ()
        found.append(_Wanted(kind, rule, period_of(tx.now, rule.every_months), now))
    return found


def _plan(tx: Tx, one: _Wanted) -> int:
    lapsed = _lapse(tx, one.kind, one.period, {each.name for each in one.subjects})
    return lapsed + len(_come_up(tx, one.kind, one.rule, one.period, one.subjects))


def _come_up(
    tx: Tx, kind: Kind, rule: Rule, period: Period, subjects: Sequence[Subject]
) -> list[Occasion]:
    there = store.subjects(tx, kind, period)
    due = due_of(period, rule, now=tx.now)
    wanted = [
        replace(
            _occasion(tx, kind, replace(one, owner=rule.owner or one.owner), period.key, ""),
            due_at=due,
            first_due=due,
            remind_at=due,
        )
        for one in subjects
        if one.name not in there
    ]
    made = store.add_missing(tx, wanted)
    for one in made:
        _came_up(tx, one)
    return made


def _lapse(tx: Tx, kind: Kind, period: Period, subjects: set[str]) -> int:
    """End what nobody began when the next has come up: missed where it was past due, cancelled
    where it was not, or where what it was about does not serve any more. What was begun, or is
    being begun, stays until it is closed.
    """
    gone = [
        one
        for one in store.live(tx, kind=kind, limit=MOST_AT_ONCE)
        if one.state is State.OPEN and one.whole not in subjects
    ]
    late = store.stale(tx, kind, period, limit=MOST_AT_ONCE)
    missed = {one.id for one in late if one.whole in subjects and tx.now > one.promised}
    ended = {
        one.id: (one, State.MISSED if one.id in missed else State.CANCELLED)
        for one in (*gone, *late)
        if not one.beginning(tx.now)
    }
    for one, state in ended.values():
        _end(tx, one, state)
    return len(ended)


def _end(tx: Tx, one: Occasion, state: State) -> None:
    saved = store.save(
        tx, replace(one, state=state, started_at=None, started_by="", closed_at=None)
    )
    tx.record(
        f"cadence.{state.value}",
        saved.ref,
        title=saved.title,
        kind=saved.kind.value,
        about=saved.subject,
        due=f"{saved.due_at:%Y-%m-%d}",
        owner=saved.owner,
    )


def _occasion(tx: Tx, kind: Kind, subject: Subject, period: str, because: str) -> Occasion:
    return Occasion(
        id=tx.ids.new("occ"),
        kind=kind,
        subject=subject.name,
        period=period,
        because=because[:MOST_TEXT],
        owner=subject.owner,
        state=State.OPEN,
        due_at=tx.now,
        first_due=tx.now,
        opened_at=tx.now,
        remind_at=tx.now,
    )


def _came_up(tx: Tx, one: Occasion) -> None:
    tx.record(
        "cadence.came_up",
        one.ref,
        title=one.title,
        kind=one.kind.value,
        about=one.subject,
        period=one.period,
        due=f"{one.due_at:%Y-%m-%d}",
        owner=one.owner,
        because=one.because,
    )


def _everything(tx: Tx, kind: str) -> Iterator[listing.Row]:
    after = ""
    while page := listing.rows(tx, kind, after=after, limit=PAGE):
        yield from page
        after = page[-1].artifact.name


def _serving(tx: Tx, kind: str) -> Iterator[Subject]:
    for row in _everything(tx, kind):
        if PRODUCTION in row.labels:
            yield Subject(row.artifact.ref, row.artifact.owner)


def _prompts(tx: Tx) -> Iterator[Subject]:
    return _serving(tx, "prompt")


def _improvable(tx: Tx) -> Iterator[Subject]:
    """Prompts in production that people or failures have taught something."""
    for one in _serving(tx, "prompt"):
        guards = registry.guards(tx, "prompt", one.name.partition("/")[2])
        if any(not guard.startswith(f"{ATTACKS}-") for guard in guards):
            yield one


def _access(tx: Tx) -> Iterator[Subject]:
    yield Subject(f"project/{tx.project}", "")


def _judges(tx: Tx) -> Iterator[Subject]:
    for row in _everything(tx, "evaluator"):
        if row.versions:
            version = registry.in_force(tx, "evaluator", row.artifact.name)
            if judges.is_judge(version.spec):
                yield Subject(row.artifact.ref, row.artifact.owner)


def _integrations(tx: Tx) -> Iterator[Subject]:
    for row in _everything(tx, "integration"):
        if row.versions:
            yield Subject(row.artifact.ref, row.artifact.owner)


SUBJECTS: Mapping[Kind, Callable[[Tx], Iterator[Subject]]] = {
    Kind.PROMPT_AUDIT: _prompts,
    Kind.OPTIMISATION: _improvable,
    Kind.ACCESS_REVIEW: _access,
    Kind.JUDGE_CALIBRATION: _judges,
    Kind.CONTRACT_TESTS: _integrations,
}
