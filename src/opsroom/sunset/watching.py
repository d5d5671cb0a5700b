"""Who calls an agent: from the tokens that were used, the turns that began, and the traces."""

import logging
from datetime import datetime

from opsroom.access import queries as access
from opsroom.actions import queries as actions
from opsroom.kit.db import Actor, Database, Tx
from opsroom.kit.errors import OpsroomError
from opsroom.traces.calling import calling
from opsroom.traces.queries import Reads

from .errors import SunsetNotFound
from .model import MOST_SHOWN, Observed, Seen, State, Sunset
from .store import sunset

log = logging.getLogger(__name__)


def observe(db: Database, telemetry: Reads | None, actor: Actor, sunset_id: str) -> Observed:
    """Who called the agent of a sunset since it matters, the last first.

    Telemetry is read outside of any transaction. Where it does not answer, that is said.
    """
    with db.read(actor) as tx:
        one = sunset(tx, sunset_id)
        if one is None:
            raise SunsetNotFound(sunset_id)
        since, until = matters_since(one), tx.now
        known = used(tx, one, since=since)
    traces = _traced(telemetry, actor.project, one, since, until)
    return together(since, until, known, traces)


def matters_since(one: Sunset) -> datetime:
    """Since when a call counts: in the watch, since nobody called; before it, in this step."""
    if one.state is State.DORMANT and one.quiet_since is not None:
        return one.quiet_since
    return one.since


def used(tx: Tx, one: Sunset, *, since: datetime) -> list[Seen]:
    """Who came in at our doors since: what is known without telemetry."""
    found = [
        Seen(
            by="token", caller=use.caller, token=use.token, where=use.door, last_at=use.last_at
        )
        for use in access.uses(tx, one.agent, since=since, limit=MOST_SHOWN)
    ]
    for turn in actions.turns(tx, agent=one.agent, limit=1):
        if turn.started_at > since:
            caller = turn.human or f"agent:{turn.agent}"
            found.append(Seen(by="turn", caller=caller, where=turn.id, last_at=turn.started_at))
    return [seen for seen in found if seen.last_at > since]


def together(
    since: datetime, at: datetime, known: list[Seen], traces: list[Seen] | None
) -> Observed:
    callers = sorted([*known, *(traces or ())], key=lambda one: one.last_at, reverse=True)
    return Observed(
        since=since,
        at=at,
        callers=tuple(callers[:MOST_SHOWN]),
        traces_read=traces is not None,
    )


def _traced(
    telemetry: Reads | None, project: str, one: Sunset, since: datetime, until: datetime
) -> list[Seen] | None:
    if telemetry is None:
        return None
    try:
        found = calling(telemetry, project, one.agent, since=since, until=until)
    except OpsroomError as error:
        log.warning("the traces of %s could not be read: %s", one.agent, error)
        return None
    return [
        Seen(
            by="trace",
            caller=f"agent:{seen.through}" if seen.through else seen.sender,
            where=seen.service,
            times=seen.traces,
            last_at=seen.last,
        )
        for seen in found
        if seen.last > since
    ]
