"""Schedules, and sending what they ask for: kept, on record, and on its way in one transaction."""

from dataclasses import replace
from datetime import timedelta

from opsroom.channels import commands as channels
from opsroom.channels import queries as channel_queries
from opsroom.channels.model import Notice
from opsroom.kit.db import Tx, alone
from opsroom.kit.wire import plain

from . import queries, store
from .catalog import report
from .errors import ScheduleMoved, ScheduleOver, TooManySchedules
from .model import Answer, Copy, Schedule, ScheduleDraft, cut, due_after
from .words import in_short, period

SENT = "report.sent"
MOST_SCHEDULES = 50
KEPT_FOR = timedelta(days=400)
MOST_COPIES = 1_000
RETRY = timedelta(hours=1)


def set_schedule(tx: Tx, draft: ScheduleDraft) -> Schedule:
    """Send a report through a channel from now on. What is sent like that already stays as it
    is, so it is safe to repeat.

    Raises `NoReport`, `ArtifactNotFound`, `ChannelSilent` and `TooManySchedules`.
    """
    report(draft.report)
    channel_queries.channel(tx, draft.channel)
    alone(tx, [f"report-schedules/{tx.project}"])
    there = queries.schedules(tx)
    asked = (draft.report, draft.every, draft.channel, draft.agent)
    for one in there:
        if (one.report, one.every, one.channel, one.agent) == asked:
            return one
    if len(there) >= MOST_SCHEDULES:
        raise TooManySchedules(MOST_SCHEDULES)
    made = Schedule(
        id=tx.ids.new("rps"),
        report=draft.report,
        every=draft.every,
        channel=draft.channel,
        agent=draft.agent,
        created_at=tx.now,
        created_by=tx.actor.name,
        next_at=due_after(draft.every, tx.now),
    )
    store.add(tx, made)
    _record(tx, "report.scheduled", made)
    return made


def move_schedule(tx: Tx, schedule_id: str, draft: ScheduleDraft) -> Schedule:
    """Let a schedule be another one from now on. Raises as `set_schedule` does, and
    `ScheduleNotFound`, `ScheduleOver` and `ScheduleMoved`.
    """
    was = _open(tx, schedule_id)
    report(draft.report)
    channel_queries.channel(tx, draft.channel)
    now = replace(
        was,
        report=draft.report,
        every=draft.every,
        channel=draft.channel,
        agent=draft.agent,
        next_at=due_after(draft.every, tx.now) if draft.every is not was.every else was.next_at,
        said="",
    )
    if replace(was, said="") == now:
        return was
    _save(tx, now, was)
    _record(tx, "report.schedule_changed", now)
    return queries.schedule(tx, schedule_id)


def end_schedule(tx: Tx, schedule_id: str) -> Schedule:
    """Send it no more. Raises `ScheduleNotFound`, `ScheduleOver` and `ScheduleMoved`."""
    was = _open(tx, schedule_id)
    now = replace(was, ended_at=tx.now)
    _save(tx, now, was)
    _record(tx, "report.schedule_ended", now)
    return now


def send(tx: Tx, was: Schedule, answer: Answer) -> Copy | None:
    """Keep a report that is due, and put it on its way. None where somebody else did it.

    Raises `ArtifactNotFound` and `ChannelSilent`; then nothing is done.
    """
    if not store.save(tx, was.sent(tx.now), was=was):
        return None
    copy_id = tx.ids.new("rpt")
    digest = answer.digest
    title = f"{answer.title}{f' of {answer.agent}' if answer.agent else ''}: {period(answer)}"
    notice = Notice(
        event=SENT,
        at=tx.now,
        project=tx.project,
        actor=tx.actor.name,
        subject=f"report/{copy_id}",
        title=title,
        note=in_short(answer),
        tone="info",
        page=f"/reports/copies/{copy_id}",
        seq=0,
        facts={
            "report": answer.report,
            "schedule": was.id,
            "since": answer.since.isoformat(),
            "until": answer.until.isoformat(),
            "digest": digest,
            "facts": [plain(one) for one in answer.facts],
        },
    )
    delivery = channels.say(tx, was.channel, notice)
    made = Copy(
        id=copy_id,
        report=answer.report,
        schedule=was.id,
        channel=was.channel,
        delivery=delivery.id,
        since=answer.since,
        until=answer.until,
        made_at=answer.made_at,
        digest=digest,
    )
    store.add_copy(tx, made, answer)
    tx.record(
        SENT,
        made.ref,
        report=answer.report,
        title=answer.title,
        schedule=was.id,
        channel=was.channel,
        delivery=delivery.id,
        since=answer.since.isoformat(),
        until=answer.until.isoformat(),
        digest=digest,
    )
    return made


def hold(tx: Tx, was: Schedule, why: str) -> None:
    """Try a report that could not be sent again in an hour, and say why once."""
    now = replace(was, next_at=tx.now + RETRY, said=cut(why))
    if store.save(tx, now, was=was) and now.said != was.said:
        _record(tx, "report.not_sent", now, because=now.said)


def forget(tx: Tx) -> int:
    """Remove copies whose time is up, or that are too many. The journal keeps their digests."""
    return store.forget(tx, before=tx.now - KEPT_FOR, most=MOST_COPIES)


def _open(tx: Tx, schedule_id: str) -> Schedule:
    found = queries.schedule(tx, schedule_id)
    if found.ended_at is not None:
        raise ScheduleOver(schedule_id)
    return found


def _save(tx: Tx, now: Schedule, was: Schedule) -> None:
    if not store.save(tx, now, was=was):
        raise ScheduleMoved(was.id)


def _record(tx: Tx, event: str, one: Schedule, **facts: str) -> None:
    tx.record(
        event,
        one.ref,
        report=one.report,
        every=one.every.value,
        channel=one.channel,
        agent=one.agent,
        **facts,
    )
