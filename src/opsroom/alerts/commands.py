"""What people do with alerts: take them on, end them, and be left in peace for a while."""

from dataclasses import replace
from datetime import datetime

from opsroom.kit.db import Tx

from . import queries, store
from .errors import AlertNotFound, AlertOver, BrokenMute, MuteNotFound
from .model import LONGEST_MUTE, PERIODS, Alert, Every, Mute, State

MOST_NOTE = 2_000


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
    return end(tx, was, by=tx.actor.name, note=note[:MOST_NOTE])


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


def record(tx: Tx, event: str, one: Alert, **more: str) -> None:
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


def end(tx: Tx, was: Alert, *, by: str, note: str) -> Alert:
    """Resolve an alert, whoever or whatever does."""
    now = replace(was, state=State.RESOLVED, resolved_at=tx.now, resolved_by=by, note=note)
    store.save(tx, now)
    record(tx, "alert.resolved", now, note=note)
    return replace(now, revision=was.revision + 1)


def _get(tx: Tx, alert_id: str) -> Alert:
    found = store.alert(tx, alert_id, lock=True)
    if found is None:
        raise AlertNotFound(alert_id)
    return found
