"""What agents spent, how their calls of models went, and which models served them.

A trace counts in the window in which it began. A span without an agent's name, such as a call
of a model, belongs to the agent that is named first in its trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.kit.wire import Wire

from .queries import MOST_SECONDS, Reads, in_utc

AROUND = timedelta(days=1)  # that a trace goes on after it began


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Of one agent in one window: traces, what they cost in US dollars (`squares` is the sum of
    the squares of each), and calls of models, those that failed and those of unknown price.
    """

    traces: int = 0
    usd: float = 0.0
    squares: float = 0.0
    calls: int = 0
    failed: int = 0
    unpriced: int = 0


def spent(
    store: Reads, project: str, windows: Sequence[tuple[datetime, datetime]]
) -> dict[str, dict[int, Spent]]:
    """By agent and place of the window; windows in which an agent did nothing are not there.

    Raises `TelemetryUnavailable`.
    """
    if not windows:
        return {}
    inside = " OR ".join(
        f"(toStartOfHour(start) BETWEEN toStartOfHour({{hour{n}:DateTime}}) AND {{end{n}:DateTime}})"
        for n in range(len(windows))
    )
    parameters: dict[str, object] = {"project": project}
    for n, (low, high) in enumerate(windows):
        parameters |= {
            f"hour{n}": low - AROUND,  # or a trace would begin anew at the window's edge
            f"low{n}": low,
            f"high{n}": high,
            f"end{n}": high + AROUND,
        }
    lows = ", ".join(f"{{low{n}:DateTime64(6)}}" for n in range(len(windows)))
    highs = ", ".join(f"{{high{n}:DateTime64(6)}}" for n in range(len(windows)))
    rows = store.rows(
        f"""WITH [{lows}] AS lows, [{highs}] AS highs
        SELECT who, window, count() AS traces, sum(usd) AS total, sum(usd * usd) AS squares,
            sum(called) AS calls, sum(bad) AS failed, sum(unknown) AS unpriced
        FROM (
            SELECT trace_id, if(own = '', lead, own) AS who, began, sum(part.2) AS usd,
                sum(part.3) AS called, sum(part.4) AS bad, sum(part.5) AS unknown
            FROM (
                SELECT trace_id, min(start) AS began,
                    argMinIf(toString(agent), start, agent != '') AS lead,
                    groupArray((toString(agent), toFloat64(ifNull(s.cost, 0)),
                        toUInt64(calls_model), toUInt64(calls_model AND status = 'error'),
                        toUInt64(calls_model AND s.cost IS NULL))) AS parts
                FROM spans AS s FINAL WHERE project = {{project:String}} AND ({inside})
                GROUP BY trace_id HAVING lead != ''
            ) ARRAY JOIN parts AS part, arrayMap(p -> p.1, parts) AS own
            GROUP BY trace_id, who, began
        ) ARRAY JOIN arrayFilter(i -> began >= lows[i] AND began < highs[i],
            arrayEnumerate(lows)) AS window
        GROUP BY who, window SETTINGS max_execution_time = {MOST_SECONDS}""",
        parameters,
    )
    found: dict[str, dict[int, Spent]] = {}
    for row in rows:
        found.setdefault(row["who"], {})[row["window"] - 1] = Spent(
            traces=row["traces"],
            usd=row["total"],
            squares=row["squares"],
            calls=row["calls"],
            failed=row["failed"],
            unpriced=row["unpriced"],
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Wire):
    """A model that served an agent: in how many traces, and between when."""

    model: str
    traces: int
    first: datetime
    last: datetime


def served(
    store: Reads, project: str, agent: str, *, since: datetime, until: datetime
) -> list[Served]:
    """The models that served an agent, the one that began last first.

    Raises `TelemetryUnavailable`.
    """
    rows = store.rows(
        f"""SELECT model, count() AS traces, min(began) AS first, max(began) AS last FROM (
            SELECT trace_id, min(traces.first) AS began,
                arrayJoin(groupUniqArrayArray(models)) AS model,
                groupUniqArrayArray(agents) AS of
            FROM traces WHERE project = {{project:String}}
                AND hour BETWEEN toStartOfHour({{since:DateTime}}) AND {{until:DateTime}}
            GROUP BY trace_id HAVING has(of, {{agent:String}})
        ) WHERE began >= {{since:DateTime64(6)}} AND began < {{until:DateTime64(6)}}
        GROUP BY model ORDER BY first DESC, model LIMIT 20
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        {"project": project, "agent": agent, "since": since, "until": until},
    )
    return [
        Served(
            model=row["model"],
            traces=row["traces"],
            first=in_utc(row["first"]),
            last=in_utc(row["last"]),
        )
        for row in rows
    ]
