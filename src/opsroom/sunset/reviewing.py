"""What becomes of agents that linger: a finding, a review task, and what people say to it.

The tasks stand in a review queue of their own. People say there that an agent is to end, or that
it stays; who stays is left in peace for a while.
"""

from collections.abc import Mapping
from dataclasses import replace

from opsroom.annotation import commands as annotation
from opsroom.annotation import queries as queues
from opsroom.annotation.errors import QueueClosed, QueueFull
from opsroom.annotation.model import QueueDraft, TaskDraft
from opsroom.journal import Entry
from opsroom.kit.db import Tx

from . import zombie_store
from .commands import SYSTEM
from .errors import ZombieNotFound
from .zombies import KEPT_FOR, LIVE, WORDS, Facts, Finding, State, Zombie

QUEUE = "Agents that linger"
END, KEEP = "it ends", "it stays"
MOST_QUEUES = 200
MOST_LIVE = 10_000
PAGE = 50


def take_in(tx: Tx, facts: Facts, found: Mapping[Zombie, str]) -> None:
    """Take in how an agent lingers by what is known of it now. Safe to repeat.

    What is new becomes a finding with a review task; what no longer holds is settled. What
    people said stays is not found again for 90 days.
    """
    known = zombie_store.newest_of(tx, facts.agent)
    for kind, because in found.items():
        was = known.get(kind)
        if was is None or was.state not in LIVE:
            if was is None or _over(tx, was):
                _open(tx, facts, kind, because)
        else:
            zombie_store.save(tx, replace(was, because=because, facts=facts, seen_at=tx.now))
    for kind, was in known.items():
        if kind not in found and was.state in LIVE:
            _settle(tx, was, "its facts no longer say so")


def settle_all(tx: Tx, agent: str, because: str) -> None:
    """End every finding about an agent."""
    for one in zombie_store.live_of(tx, agent):
        _settle(tx, one, because)


def answered(tx: Tx, entry: Entry) -> None:
    """Note what people said to a review task. Safe to repeat."""
    noun, _, zombie_id = entry.subject.partition("/")
    if noun != "zombie":
        return
    was = zombie_store.finding(tx, zombie_id, lock=True)
    if was is None or was.state is not State.OPEN or was.task != entry.facts["task"]:
        return
    ends = entry.facts["label"] == END
    now = replace(
        was,
        state=State.TO_END if ends else State.KEPT,
        closed_at=None if ends else tx.now,
        closed_by=entry.actor,
        note=str(entry.facts["label"]),
    )
    zombie_store.save(tx, now)
    tx.record(
        "zombie.to_end" if ends else "zombie.kept",
        was.subject,
        agent=was.agent,
        kind=WORDS[was.kind],
        by=entry.actor,
    )


def finding(tx: Tx, zombie_id: str) -> Finding:
    """Raises `ZombieNotFound`."""
    found = zombie_store.finding(tx, zombie_id)
    if found is None:
        raise ZombieNotFound(zombie_id)
    return found


def findings(
    tx: Tx,
    *,
    agent: str | None = None,
    everything: bool = False,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Finding]:
    """Findings that stand, or all of them, newest first; go on with the last id as `before`."""
    return zombie_store.page(tx, agent=agent, everything=everything, before=before, limit=limit)


def flagged(tx: Tx) -> dict[str, tuple[Zombie, ...]]:
    """The agents that linger, and in which ways."""
    found: dict[str, tuple[Zombie, ...]] = {}
    for agent, kind in zombie_store.live_kinds(tx, limit=MOST_LIVE):
        found[agent] = (*found.get(agent, ()), Zombie(kind))
    return found


def _over(tx: Tx, was: Finding) -> bool:
    """Whether an earlier finding of the kind leaves room for another."""
    if was.state is not State.KEPT or was.closed_at is None:
        return True
    return tx.now - was.closed_at > KEPT_FOR


def _open(tx: Tx, facts: Facts, kind: Zombie, because: str) -> None:
    one = Finding(
        id=tx.ids.new("zmb"),
        agent=facts.agent,
        kind=kind,
        state=State.OPEN,
        because=because,
        facts=facts,
        found_at=tx.now,
        seen_at=tx.now,
    )
    queue, task = _ask(tx, one)
    zombie_store.add(tx, replace(one, queue=queue, task=task))
    tx.record(
        "zombie.found",
        one.subject,
        agent=one.agent,
        kind=WORDS[kind],
        because=because,
        task=task,
    )


def _ask(tx: Tx, one: Finding) -> tuple[str, str]:
    """Put a finding before people; nothing where the queue takes no more."""
    queue = _queue(tx)
    draft = TaskDraft(
        subject=one.subject,
        input=f"{one.agent}: {WORDS[one.kind]}",
        output=one.because,
        context=f"owner {one.facts.owner}, {one.facts.criticality.value}; /agents/{one.agent}",
        domain=one.agent,
        double=False,
    )
    try:
        with tx.part():
            return queue, annotation.add_task(tx, queue, draft).id
    except (QueueFull, QueueClosed):
        return "", ""


def _queue(tx: Tx) -> str:
    there = next(
        (one for one in queues.queues(tx, limit=MOST_QUEUES) if one.name == QUEUE), None
    )
    if there is not None:
        return there.id
    draft = QueueDraft(
        name=QUEUE,
        purpose="Whether agents that linger are to end.",
        labels=(END, KEEP),
        rubric="Does anybody still need this agent, and who answers for it? Where it ends, "
        "propose its sunset. Where it stays, mend what was found: an owner, a review, a token.",
        second=0.0,
    )
    return annotation.open_queue(tx, draft).id


def _settle(tx: Tx, was: Finding, because: str) -> None:
    now = replace(was, state=State.SETTLED, closed_at=tx.now, closed_by=SYSTEM, note=because)
    zombie_store.save(tx, now)
    tx.record(
        "zombie.settled", was.subject, agent=was.agent, kind=WORDS[was.kind], because=because
    )
