"""Putting a report together: what the records of a period say for each control, every change
of it, and that nothing is missing in between.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from urllib.parse import urlencode

from opsroom.journal import Entry, checkpoints, proofs
from opsroom.journal import queries as journal
from opsroom.journal.words import Called, tell
from opsroom.kit.db import Tx

from .errors import NoFramework, NoPeriod, TooManyChanges
from .frameworks import FRAMEWORKS, Control, Framework
from .looks import CHANGES, JOURNAL, KEPT_FOR, LOOKS, OF_KIND, REACH, TESTED, Look
from .model import Change, ControlFound, Found, Gaps, Report, Row, Span, verdict

SHOWN = 10
MOST_EXCEPTIONS = 100
MOST_CHANGES = 20_000
ABOUT = (
    "What the records of opsroom show for each control. A control is not met because there are"
    " records for it, and what a framework asks beyond records is not here. The journal holds"
    " every change in the order of its commit; the walk at the end says that none is missing."
)
Naming = Callable[[Tx, Collection[str]], Called]


def framework(name: str) -> Framework:
    """Raises `NoFramework`."""
    found = FRAMEWORKS.get(name)
    if found is None:
        raise NoFramework(name, ", ".join(FRAMEWORKS))
    return found


def span(tx: Tx, since: datetime, until: datetime) -> Span:
    """The entries of a period. Raises `NoPeriod`."""
    if since.tzinfo is None or until.tzinfo is None or since >= until:
        raise NoPeriod(since.isoformat(), until.isoformat())
    after = journal.seq_at(tx, since)
    # What is written at this very moment belongs to a period that reaches up to now.
    end = journal.head(tx).seq if until >= tx.now else journal.seq_at(tx, until)
    return Span(after=after, until=end, since=since, end=until)


def report(
    tx: Tx, name: str, *, since: datetime, until: datetime, site: str, called: Naming
) -> Report:
    """The evidence for a framework, of this project in a period.

    Raises `NoFramework`, `NoPeriod`, `TooManyChanges`, and `ChainBroken` where the journal of
    the period is not whole.
    """
    asked, of = framework(name), span(tx, since, until)
    counts = journal.counts(tx, after=of.after, until=of.until)
    changes = _changes(tx, of, sum(counts.get(one, 0) for one in CHANGES), called)
    return Report(
        framework=name,
        title=asked.title,
        about=ABOUT,
        project=tx.project,
        site=site,
        since=since,
        until=until,
        made_at=tx.now,
        made_by=tx.actor.name,
        controls=controls(tx, asked, of, called),
        changes=changes,
        gaps=_gaps(tx, of, sum(counts.values()), len(changes)),
    )


def controls(tx: Tx, asked: Framework, of: Span, called: Naming) -> tuple[ControlFound, ...]:
    """What was found for each control. A query that several controls share is asked once."""
    counts = journal.counts(tx, after=of.after, until=of.until)
    found: dict[str, Found] = {}

    def control(one: Control) -> ControlFound:
        for name in one.looks:
            if name not in found:
                found[name] = _look(tx, name, of, counts, called)
        those = tuple(found[name] for name in one.looks)
        return ControlFound(
            id=one.id, title=one.title, verdict=verdict(those), found=those, test=one.test
        )

    return tuple(control(one) for one in asked.controls)


def _look(tx: Tx, name: str, of: Span, counts: dict[str, int], called: Naming) -> Found:
    if name == JOURNAL:
        return _journal(of, counts)
    if name == REACH:
        return _reach(tx)
    look, prefix = LOOKS[name], OF_KIND.get(name, "")
    if prefix:
        limit = min(MOST_CHANGES, sum(counts.get(one, 0) for one in look.events)) or 1
        entries = _about(tx, look, of, limit)
        entries = [one for one in entries if one.subject.startswith(prefix)]
        count = len(entries)
    else:
        count = sum(counts.get(one, 0) for one in look.events)
        entries = _about(tx, look, of, SHOWN) if count else []
    tested, against = _tested(tx, look, of) if look.test and count else (0, [])
    names = _names(tx, [*entries[:SHOWN], *(one for one, _ in against)], called)
    return Found(
        look=name,
        asks=look.asks,
        count=count,
        rows=tuple(_row(one, names) for one in entries[:SHOWN]),
        exceptions=tuple(_row(one, names, why) for one, why in against),
        tested=tested,
        href=look.place,
    )


def _about(tx: Tx, look: Look, of: Span, limit: int) -> list[Entry]:
    found = journal.about(tx, look.events, after=of.after, until=of.until, limit=limit)
    return [entry for entry, _ in found]


def _tested(tx: Tx, look: Look, of: Span) -> tuple[int, list[tuple[Entry, str]]]:
    """How many entries were tested, from the newest on, and those that speak against it."""
    assert look.test is not None
    entries = _about(tx, look, of, TESTED)
    against: list[tuple[Entry, str]] = []
    for number, entry in enumerate(entries, start=1):
        if why := look.test(tx, of, entry):
            against.append((entry, why))
        if len(against) == MOST_EXCEPTIONS:
            return number, against
    return len(entries), against


def _journal(of: Span, counts: dict[str, int]) -> Found:
    return Found(
        look=JOURNAL,
        asks=f"What was recorded by itself? Entries {of.after + 1} to {of.until} of the journal",
        count=sum(counts.values()),
        rows=(),
        exceptions=(),
        tested=0,
        href="/audit",
    )


def _reach(tx: Tx) -> Found:
    """How far the record goes back. The journal removes nothing."""
    first = journal.after(tx, 0, limit=1)
    days = (tx.now - first[0].at).days if first else 0
    says = f"the journal goes back {days} days, to its first entry; nothing was removed from it"
    if first and days < KEPT_FOR.days:
        says += f". It is not yet {KEPT_FOR.days} days old"
    rows = [
        Row(seq=one.seq, at=one.at, by=one.actor, says=says, href="/audit") for one in first
    ]
    return Found(
        look=REACH,
        asks="How far do the records go back?",
        count=journal.head(tx).seq,
        rows=tuple(rows),
        exceptions=(),
        tested=0,
        href="/audit",
    )


def _changes(tx: Tx, of: Span, count: int, called: Naming) -> tuple[Change, ...]:
    """Every change of the period, oldest first: all of them, or none."""
    if count > MOST_CHANGES:
        raise TooManyChanges(count, MOST_CHANGES)
    found = journal.about(tx, CHANGES, after=of.after, until=of.until, limit=MOST_CHANGES)
    names = _names(tx, [entry for entry, _ in found], called)
    return tuple(
        Change(
            seq=entry.seq,
            at=entry.at,
            by=entry.actor,
            event=entry.event,
            subject=entry.subject,
            says=_row(entry, names).says,
            href=_entry_href(entry),
            hash=hash_,
        )
        for entry, hash_ in reversed(found)
    )


def _gaps(tx: Tx, of: Span, in_project: int, changes: int) -> Gaps:
    """Walk the period, entry by entry, and tie its ends to the newest checkpoint."""
    before, behind = journal.stretch(tx, after=of.after, until=of.until)
    signed = checkpoints.last(tx)
    size = signed.size if signed else 0

    def path(index: int) -> tuple[str, ...]:
        return proofs.path(tx, index, size) if 0 < index <= size else ()

    return Gaps(
        after=of.after,
        until=of.until,
        walked=behind.seq - before.seq,
        before=before.hash,
        behind=behind.hash,
        in_project=in_project,
        changes=changes,
        signed=size,
        checkpoint=signed.note if signed else "",
        key=signed.key if signed else "",
        first=path(of.after + 1),
        last=path(of.until),
    )


def _names(tx: Tx, entries: Collection[Entry], called: Naming) -> Called:
    return called(tx, {entry.subject for entry in entries})


def _row(entry: Entry, names: Called, why: str = "") -> Row:
    told = tell(entry, names)
    says = f"{told.title} ({told.note[:200]})" if told.note else told.title
    return Row(
        seq=entry.seq,
        at=entry.at,
        by=entry.actor,
        says=f"{says}: {why}" if why else says,
        href=told.href or _entry_href(entry),
    )


def _entry_href(entry: Entry) -> str:
    """The place of the entry itself on the audit page."""
    return "/audit?" + urlencode({"subject": entry.subject, "before": entry.seq + 1})
