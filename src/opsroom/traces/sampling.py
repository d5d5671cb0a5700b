"""A bounded sample of what an agent was asked, answered and did, run by run.

A run is a trace that the agent took part in; its cost, tokens and tools are those of the whole
trace. Which runs are taken depends on their ids alone, so the same question has the same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from . import deep
from .ports import Row
from .queries import Reads, in_utc
from .said import INPUTS, OUTPUTS, answered, asked

LONGEST_RUN = timedelta(days=1)
LONGEST_VALUE = 32_768  # characters of an attribute that are read
MOST_AGENTS = 200
_INPUTS, _OUTPUTS = (f"^({names})$".replace("\\", "\\\\") for names in (INPUTS, OUTPUTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. Texts are empty where they were not kept; None means not known."""

    trace_id: str
    at: datetime
    asked: str
    answered: str
    tools: frozenset[str]
    cost: float | None
    output_tokens: int | None
    confidence: float | None


def agents_at_work(
    store: Reads, project: str, *, since: datetime, until: datetime
) -> list[str]:
    """The agents with spans in this time, those with the most first."""
    found = store.rows(
        "SELECT agent, uniq(trace_id) AS runs FROM spans WHERE project = {project:String} "
        "AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime} "
        "AND start >= {since:DateTime64(6)} AND start < {until:DateTime64(6)} AND agent != '' "
        "GROUP BY agent ORDER BY runs DESC, agent LIMIT {most:UInt32}",
        {"project": project, "since": since, "until": until, "most": MOST_AGENTS},
    )
    return [row["agent"] for row in found]


def busy(
    store: Reads,
    project: str,
    agent: str,
    *,
    since: datetime,
    until: datetime,
    each: timedelta,
) -> dict[int, int]:
    """How many runs the agent took part in, about, by stretches of time that are `each` long and
    are counted back from `until`, the last one as 0. Those without any are not told.
    """
    found = store.rows(
        """SELECT intDiv(toUnixTimestamp({until:DateTime}) - 1 - toUnixTimestamp(start),
                {each:UInt32}) AS back, uniq(trace_id) AS runs
        FROM spans WHERE project = {project:String}
        AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime}
        AND start >= {since:DateTime64(6)} AND start < {until:DateTime64(6)}
        AND agent = {agent:String} GROUP BY back""",
        {
            "project": project,
            "agent": agent,
            "since": since,
            "until": until,
            "each": each // timedelta(seconds=1),
        },
    )
    return {row["back"]: row["runs"] for row in found}


def runs(
    store: Reads, project: str, agent: str, *, since: datetime, until: datetime, most: int
) -> list[Run]:
    """Runs that the agent took part in, from `since` until before `until`, in their order."""
    sample = """SELECT trace_id FROM spans WHERE project = {project:String}
        AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime}
        AND start >= {since:DateTime64(6)} AND start < {until:DateTime64(6)}
        AND agent = {agent:String}
        GROUP BY trace_id ORDER BY cityHash64(trace_id), trace_id LIMIT {most:UInt32}"""
    return _runs(store, project, agent, sample, since=since, until=until, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Finished traces that fell under a share: how many, and those of them that are taken, each
    with the id of its first span.
    """

    count: int
    roots: dict[str, str]


def draw(
    store: Reads,
    project: str,
    agent: str,
    *,
    since: datetime,
    until: datetime,
    below: int,
    most: int,
) -> Drawn:
    """Traces of the agent whose first span came in from `since` until before `until`, for then
    they are over, and whose hash is below that; those with the smallest are taken.
    """
    found = store.rows(
        """SELECT trace_id, argMin(span_id, start) AS root, count() OVER () AS counted
        FROM spans WHERE project = {project:String} AND parent_id = ''
        AND toYYYYMMDD(received) BETWEEN toYYYYMMDD({since:DateTime64(3)})
            AND toYYYYMMDD({until:DateTime64(3)})
        AND received >= {since:DateTime64(3)} AND received < {until:DateTime64(3)}
        AND cityHash64(trace_id) <= {below:UInt64}
        AND trace_id IN (SELECT trace_id FROM spans WHERE project = {project:String}
            AND agent = {agent:String} AND operation != 'evaluation'
            AND received >= {since:DateTime64(3)} - INTERVAL 1 DAY)
        GROUP BY trace_id ORDER BY cityHash64(trace_id), trace_id LIMIT {most:UInt32}""",
        {
            "project": project,
            "agent": agent,
            "since": since,
            "until": until,
            "below": below,
            "most": most,
        },
    )
    return Drawn(
        count=found[0]["counted"] if found else 0,
        roots={row["trace_id"]: row["root"] for row in found},
    )


def runs_again(
    store: Reads,
    project: str,
    agent: str,
    traces: Sequence[str],
    *,
    since: datetime,
    until: datetime,
) -> list[Run]:
    """The runs among these traces that are still kept and began in this time, in their order."""
    if not traces:
        return []
    which = "SELECT arrayJoin({traces:Array(String)})"
    return _runs(store, project, agent, which, since=since, until=until, traces=list(traces))


def _runs(
    store: Reads,
    project: str,
    agent: str,
    which: str,
    *,
    since: datetime,
    until: datetime,
    **more: Any,
) -> list[Run]:
    found = store.rows(
        f"""SELECT trace_id, minIf(start, agent = {{agent:String}}) AS at,
            groupUniqArrayIf(CAST(tool, 'String'), tool != '' AND operation = 'execute_tool') AS tools,
            toFloat64(sum(s.cost)) AS cost, countIf(calls_model AND s.cost IS NULL) AS unpriced,
            countIf(calls_model) AS calls, sum(s.output_tokens) AS output_tokens,
            min(s.confidence) AS confidence,
            argMinIf(content, (agent != {{agent:String}}, operation != 'invoke_agent', start),
                arrayExists(name -> match(name, '{_INPUTS}'), mapKeys(content))) AS input,
            argMinIf(content, (agent != {{agent:String}}, operation != 'invoke_agent',
                    -toUnixTimestamp64Nano(start)),
                arrayExists(name -> match(name, '{_OUTPUTS}'), mapKeys(content))) AS output
        FROM (SELECT trace_id, start, agent, tool, operation, calls_model, cost, output_tokens,
                confidence, mapApply((name, value) -> (name, left(value, {LONGEST_VALUE})), mapFilter(
                    (name, value) -> match(name, '{_INPUTS}|{_OUTPUTS}'), content)) AS content
            FROM spans FINAL WHERE project = {{project:String}} AND toStartOfHour(start)
                BETWEEN toStartOfHour({{since:DateTime}}) AND {{ended:DateTime}}
            AND trace_id IN ({which})) AS s
        GROUP BY trace_id ORDER BY at, trace_id""",
        {
            "project": project,
            "agent": agent,
            "since": since,
            "until": until,
            "ended": until + LONGEST_RUN,
            **more,
        },
    )
    return [_run(row) for row in found]


def _run(row: Row) -> Run:
    known = row["calls"] and not row["unpriced"]
    return Run(
        trace_id=row["trace_id"],
        at=in_utc(row["at"]),
        asked=asked(deep.told(row["input"])),
        answered=answered(deep.told(row["output"])),
        tools=frozenset(row["tools"]),
        cost=float(row["cost"] or 0) if known else None,
        output_tokens=int(row["output_tokens"]) if row["calls"] else None,
        confidence=row["confidence"],
    )
