"""People who label, and what they are given."""

from dataclasses import replace
from typing import Any

from opsroom.access.model import permissions_of
from opsroom.annotation import Queue, QueueDraft, TaskDraft, commands, queries
from opsroom.annotation.model import Task
from opsroom.kit.db import Actor, Database


def person(name: str, *roles: str, project: str = "default") -> Actor:
    return Actor(name, project, permissions_of(roles or ("reviewer",)), roles or ("reviewer",))


ADA = person("ada", "author")
BEN, CAT, RIA, EVE = (person(name) for name in ("ben", "cat", "ria", "eve"))
PROGRAM = Actor("token:ci", "default", permissions_of(("admin",)), ("admin",), human=False)


def opened(db: Database, *, many: int = 0, double: bool | None = None, **given: Any) -> Queue:
    """A queue with so many tasks."""
    draft = replace(QueueDraft(name="Refunds", rubric="is the refund due?"), **given)
    with db.write(ADA) as tx:
        made = commands.open_queue(tx, draft)
        commands.add_tasks(tx, made.id, [task(n, double=double) for n in range(many)])
    return made


def task(number: int, **given: Any) -> TaskDraft:
    draft = TaskDraft(
        subject=f"trace/{number:032x}",
        input=f"may I have my money back, order {number}?",
        output=f"order {number} is refunded",
        domain="refunds",
    )
    return replace(draft, **given)


def take(db: Database, queue: Queue, who: Actor) -> Task | None:
    with db.write(who) as tx:
        return commands.take_next(tx, queue.id)


def say(db: Database, who: Actor, of: Task, label: str, **given: Any) -> Task:
    with db.write(who) as tx:
        return commands.label(tx, of.queue, of.id, label, **given)


def take_and_say(db: Database, queue: Queue, who: Actor, label: str, **given: Any) -> Task:
    found = take(db, queue, who)
    assert found is not None
    return say(db, who, found, label, **given)


def settle(db: Database, queue: Queue, *said: str) -> Task:
    """The next task, labelled by one person after the other."""
    done: Task | None = None
    for who, label in zip((BEN, CAT, RIA), said, strict=False):
        done = take_and_say(db, queue, who, label)
    assert done is not None
    return done


def report(db: Database, queue: Queue, who: Actor = ADA) -> queries.Report:
    with db.read(who) as tx:
        return queries.report(tx, queue.id)
