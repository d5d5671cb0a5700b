"""Drawing traces for people to look at, and what each was about.

Which ones a draw takes depends on their ids and a seed alone, so that the same draw takes the
same; and a draw says how many there were to choose from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from . import deep, said
from .exchange import LONGEST, Exchange
from .model import Filter
from .ports import Row
from .queries import MOST_SECONDS, Reads, in_utc, narrowing
from .said import INPUTS, OUTPUTS

CHUNK = 50
LONGEST_VALUE = 500_000  # characters of an attribute that are read
FAILED_LABELS = ("fail", "failed", "incorrect")  # of gen_ai.evaluation.score.label
_LABEL = "gen_ai.evaluation.score.label"


class Way(StrEnum):
    """Which traces a draw prefers: none, those the agent was least sure of, or those that went
    wrong: an error, an evaluator that said so, or one of `also`.
    """

    RANDOM = "random"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """The traces that were drawn, in their order, and how many there were to draw from."""

    traces: tuple[str, ...]
    population: int


# A trace that began before the window is not one of it, though it goes on inside.
_POPULATION = """SELECT trace_id FROM traces WHERE project = {{project:String}}
    AND hour BETWEEN toStartOfHour({{since:DateTime}}) - toIntervalDay(1) AND {{until:DateTime}}
    {inner} GROUP BY trace_id
    HAVING min(first) >= {{since:DateTime64(6)}} AND min(first) < {{until:DateTime64(6)}}"""
_SPANS = """FROM spans AS s FINAL WHERE project = {project:String} AND toStartOfHour(start)
    BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime} + toIntervalDay(1)"""
_EVALUATED = f"""SELECT trace_id {_SPANS} AND (lower(attributes[{{label:String}}]) IN {{bad:Array(String)}}
    OR arrayExists(told -> lower(told[{{label:String}}]) IN {{bad:Array(String)}}, events.attributes))"""


def draw(
    store: Reads,
    project: str,
    wanted: Filter,
    way: Way,
    *,
    since: datetime,
    until: datetime,
    seed: str,
    most: int,
    also: Sequence[str] = (),
) -> Lot:
    """Up to `most` traces that began from `since` until before `until` and are like `wanted`.

    A random draw takes every one of them with the same chance, an uncertain one those of the
    lowest confidence that have one. The population is what there was to choose from.
    """
    inner, asked = narrowing(replace(wanted, since=None, until=None))
    population = _POPULATION.format(inner=inner)
    lot, order = population, ""
    if way is Way.UNCERTAIN:
        lot = (
            f"SELECT trace_id, min(confidence) AS sure {_SPANS} AND confidence IS NOT NULL "
            f"AND trace_id IN ({population}) GROUP BY trace_id"
        )
        order = "sure, "
    elif way is Way.FAILED:
        lot += f""" AND (max(failed) = 1 OR trace_id IN {{also:Array(String)}}
            OR trace_id IN ({_EVALUATED}))"""
    rows = store.rows(
        f"""SELECT trace_id, count() OVER () AS population FROM ({lot})
        ORDER BY {order}cityHash64({{seed:String}}, trace_id), trace_id LIMIT {{most:UInt32}}
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        {
            "project": project,
            "since": since,
            "until": until,
            "seed": seed,
            "most": most,
            "also": list(also),
            "label": _LABEL,
            "bad": list(FAILED_LABELS),
            **asked,
        },
    )
    return Lot(
        traces=tuple(row["trace_id"] for row in rows),
        population=rows[0]["population"] if rows else 0,
    )


def exchanges(
    store: Reads, project: str, traces: Sequence[str], *, since: datetime, until: datetime
) -> dict[str, Exchange]:
    """What these traces were about, of those that are kept and began in this time."""
    found: dict[str, Exchange] = {}
    for start in range(0, len(traces), CHUNK):
        rows = store.rows(
            f"""SELECT trace_id, argMinIf(agent, (parent_id != '', start), agent != '') AS who,
                argMinIf(version, (parent_id != '', start), agent != '') AS number,
                argMinIf(content, (parent_id != '', start), arrayExists(
                    name -> match(name, {{inputs:String}}), mapKeys(content))) AS input,
                argMaxIf(content, (parent_id = '', ended), arrayExists(
                    name -> match(name, {{outputs:String}}), mapKeys(content))) AS output
            FROM (SELECT trace_id, agent, version, parent_id, start,
                    start + toIntervalNanosecond(duration) AS ended, mapApply(
                    (name, value) -> (name, left(value, {LONGEST_VALUE})), mapFilter((name, value) ->
                    match(name, {{inputs:String}}) OR match(name, {{outputs:String}}), content)) AS content
                {_SPANS} AND trace_id IN {{traces:Array(String)}})
            GROUP BY trace_id""",
            {
                "project": project,
                "since": since,
                "until": until,
                "inputs": f"^({INPUTS})$",
                "outputs": f"^({OUTPUTS})$",
                "traces": [one.lower() for one in traces[start : start + CHUNK]],
            },
        )
        found |= {row["trace_id"]: _exchange(row) for row in rows}
    return found


def kept_since(
    store: Reads, project: str, traces: Sequence[str]
) -> tuple[datetime, datetime] | None:
    """Between which hours these traces have spans; None where none of them is kept."""
    found = store.rows(
        "SELECT min(hour) AS low, max(hour) AS high, count() AS parts FROM traces "
        "WHERE project = {project:String} AND trace_id IN {traces:Array(String)}",
        {"project": project, "traces": [one.lower() for one in traces]},
    )[0]
    return (in_utc(found["low"]), in_utc(found["high"])) if found["parts"] else None


def _exchange(row: Row) -> Exchange:
    """As `exchange` reads whole traces: the root knows best, then the first to be asked and
    the last to answer.
    """
    return Exchange(
        trace_id=row["trace_id"],
        agent=row["who"],
        version=row["number"],
        asked=said.asked(deep.told(row["input"]), most=LONGEST),
        answered=said.answered(deep.told(row["output"]), most=LONGEST),
    )
