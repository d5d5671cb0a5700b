"""Who was seen calling an agent, as its traces tell."""

from dataclasses import dataclass
from datetime import datetime

from .queries import MOST_SECONDS, Reads, in_utc

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """A way in which an agent was called: `sender` is who told of it, `service` the program that
    ran it, and `through` the agent that led the trace where another one did.
    """

    sender: str
    service: str
    through: str
    traces: int
    last: datetime


def calling(
    store: Reads, project: str, agent: str, *, since: datetime, until: datetime
) -> list[Calling]:
    """The ways in which an agent was called in this time, the last first; at most a hundred.

    Raises `TelemetryUnavailable`.
    """
    rows = store.rows(
        f"""SELECT sent, ran, if(lead = {{agent:String}}, '', lead) AS through, count() AS traces,
            max(seen) AS last
        FROM (
            SELECT trace_id, argMinIf(toString(agent), start, agent != '') AS lead,
                argMaxIf(toString(sender), start, agent = {{agent:String}}) AS sent,
                argMaxIf(toString(service), start, agent = {{agent:String}}) AS ran,
                maxIf(start, agent = {{agent:String}}) AS seen,
                countIf(agent = {{agent:String}}) AS spans
            FROM spans WHERE project = {{project:String}}
                AND toStartOfHour(start) BETWEEN toStartOfHour({{since:DateTime}})
                    AND {{until:DateTime}}
                AND start >= {{since:DateTime64(6)}} AND start < {{until:DateTime64(6)}}
            GROUP BY trace_id HAVING spans > 0
        )
        GROUP BY sent, ran, through ORDER BY last DESC, sent, ran LIMIT {MOST}
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        {"project": project, "agent": agent, "since": since, "until": until},
    )
    return [
        Calling(
            sender=row["sent"],
            service=row["ran"],
            through=row["through"],
            traces=row["traces"],
            last=in_utc(row["last"]),
        )
        for row in rows
    ]
