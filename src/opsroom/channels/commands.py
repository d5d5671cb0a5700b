"""Putting notices on their way, and what becomes of them."""

from collections.abc import Callable
from dataclasses import replace

from opsroom.journal import Entry
from opsroom.journal.words import tell as in_words
from opsroom.kit.db import Tx
from opsroom.kit.redaction import Redactor
from opsroom.kit.texts import changed
from opsroom.kit.wire import plain
from opsroom.redactions.commands import cleaning
from opsroom.registry import Version

from . import queries, store
from .errors import DeliveryNotFound, DeliveryUnderWay
from .model import LEASE, TEST, Answer, Delivery, Notice, State, after

AT_ONCE = 20
QUEUED = "channel.queued"
# What a project takes out of what leaves it.
RedactorOf = Callable[[Tx], Redactor]
# Where an entry leads whoever is told of it, if that depends on the person whose channel it is
# (empty: nobody's); empty for where it always leads.
PageFor = Callable[[Tx, Entry, str], str]


def announce(tx: Tx, entry: Entry, *, redactor: RedactorOf, page_for: PageFor) -> None:
    """Put an entry on its way through every channel that wants it, without what the project
    takes out of its telemetry: it leaves for other people's systems.
    """
    wanting = [
        (version, spec.person)
        for version, spec in queries.in_force(tx)
        if spec.wants(entry.event, entry.facts)
    ]
    if not wanting:
        return
    told = in_words(entry)
    notice = Notice(
        event=entry.event,
        at=entry.at,
        project=entry.project,
        actor=entry.actor,
        subject=entry.subject,
        title=told.title,
        note=told.note,
        tone=told.tone,
        page=told.href,
        seq=entry.seq,
        facts=plain(entry.facts),
    )
    with cleaning(tx, redactor(tx), "notices") as clean:
        notice = replace(
            notice,
            title=clean(notice.title),
            note=clean(notice.note),
            facts=changed(notice.facts, clean, keys=True),
        )
    for version, person in wanting:
        page = page_for(tx, entry, person) or notice.page
        _queue(tx, version, replace(notice, page=page))


def say(tx: Tx, name: str, notice: Notice) -> Delivery:
    """Put a notice on its way through one channel, whatever that channel asks for.

    Raises `ArtifactNotFound` and `ChannelSilent`.
    """
    version, _ = queries.channel(tx, name)
    return _queue(tx, version, notice)


def test(tx: Tx, name: str) -> Delivery:
    """Say through a channel that this is a test. Raises as `say` does."""
    notice = Notice(
        event=TEST,
        at=tx.now,
        project=tx.project,
        actor=tx.actor.name,
        subject=f"{queries.KIND}/{name}",
        title=f"{tx.actor.name} tests the channel {name}",
        note="nothing happened",
        tone="info",
        page=f"/channels/{name}",
        seq=0,
        facts={},
    )
    return say(tx, name, notice)


def repeat(tx: Tx, name: str, delivery_id: str) -> Delivery:
    """Try a delivery that was settled once more, under its old id.

    Raises `ChannelSilent`, `DeliveryNotFound`, `DeliveryUnderWay`.
    """
    queries.channel(tx, name)
    was = store.delivery(tx, name, delivery_id)
    if was is None:
        raise DeliveryNotFound(name, delivery_id)
    if was.state is State.PENDING:
        raise DeliveryUnderWay(delivery_id)
    now = replace(was, state=State.PENDING, attempts=0, next_at=tx.now, settled_at=None)
    store.save(tx, now, was=was)
    _queued(tx, now)
    return now


def claim(tx: Tx, name: str) -> list[Delivery]:
    """Take what is due, for as long as an attempt may last; whoever dies over it lets go."""
    taken: list[Delivery] = []
    for was in store.due(tx, name, limit=AT_ONCE):
        now = replace(was, attempts=was.attempts + 1, next_at=tx.now + LEASE)
        if store.save(tx, now, was=was):
            taken.append(now)
    return taken


def settle(tx: Tx, was: Delivery, answer: Answer) -> Delivery:
    """Write down what came of an attempt. One that took too long changes nothing."""
    now = after(was, answer, now=tx.now)
    if store.save(tx, now, was=was) and now.state is not State.PENDING:
        tx.record(
            f"channel.{now.state.value}",
            f"{queries.KIND}/{was.channel}",
            delivery=was.id,
            ref=was.ref,
            digest=was.digest,
            event=was.notice.event,
            about=was.notice.subject,
            attempts=was.attempts,
            said=now.said,
        )
    return now


def _queue(tx: Tx, version: Version, notice: Notice) -> Delivery:
    one = Delivery(
        id=tx.ids.new("dlv"),
        channel=version.name,
        ref=version.ref,
        digest=version.digest,
        notice=notice,
        next_at=tx.now,
        created_at=tx.now,
    )
    store.add(tx, one)
    _queued(tx, one)
    return one


def _queued(tx: Tx, one: Delivery) -> None:
    """The entry that wakes the channel's loop, once what it is to find is there."""
    tx.record(
        QUEUED,
        f"{queries.KIND}/{one.channel}",
        delivery=one.id,
        event=one.notice.event,
        about=one.notice.subject,
    )
