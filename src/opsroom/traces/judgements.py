"""What evaluators said of what agents did, as they tell it in telemetry.

An evaluator says so in an event `gen_ai.evaluation.result` of the span that it judges, or in the
attributes of a span of its own (operation `evaluation`). The names are theirs.
"""

from dataclasses import dataclass
from datetime import datetime

from .queries import MOST_SECONDS, Reads

RESULT = "gen_ai.evaluation.result"
LONGEST_NAME = 100
_SAID = "gen_ai.evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """So often an evaluator gave an agent this label (or none); of `scores` numbers that it gave
    with it, the sum and the sum of the squares.
    """

    agent: str
    evaluation: str
    label: str
    times: int
    scores: int
    total: float
    squares: float


def judged(
    store: Reads, project: str, *, since: datetime, until: datetime, limit: int
) -> list[Judged]:
    """The most frequent first. A span without an agent's name belongs to the agent of its trace,
    where that is one.

    Raises `TelemetryUnavailable`.
    """
    rows = store.rows(
        f"""SELECT if(own != '' OR length(agents) != 1, own, agents[1]) AS agent, evaluation,
            label, count() AS times, countIf(isFinite(score)) AS scores,
            sumIf(score, isFinite(score)) AS total, sumIf(score * score, isFinite(score)) AS squares
        FROM (
            SELECT trace_id, toString(agent) AS own,
                left(said['{_SAID}.name'], {LONGEST_NAME}) AS evaluation,
                left(said['{_SAID}.score.label'], {LONGEST_NAME}) AS label,
                ifNull(toFloat64OrNull(said['{_SAID}.score.value']), nan) AS score
            FROM spans FINAL ARRAY JOIN arrayConcat(
                [CAST(attributes, 'Map(String, String)')],
                arrayMap(e -> CAST(e, 'Map(String, String)'), arrayFilter(
                    (e, name) -> name = '{RESULT}', `events.attributes`, `events.name`))) AS said
            PREWHERE operation = 'evaluation' OR has(`events.name`, '{RESULT}')
            WHERE project = {{project:String}} AND evaluation != ''
                AND toStartOfHour(start) BETWEEN toStartOfHour({{since:DateTime}})
                    AND {{until:DateTime}}
                AND start >= {{since:DateTime64(6)}} AND start < {{until:DateTime64(6)}}
        ) AS s LEFT JOIN (
            SELECT trace_id, groupUniqArrayArray(agents) AS agents FROM traces
            WHERE project = {{project:String}} AND hour BETWEEN
                toStartOfHour({{since:DateTime}}) - INTERVAL 1 DAY AND {{until:DateTime}}
            GROUP BY trace_id
        ) AS t ON s.trace_id = t.trace_id
        GROUP BY agent, evaluation, label ORDER BY times DESC, agent, evaluation, label
        LIMIT {{limit:UInt32}} SETTINGS max_execution_time = {MOST_SECONDS}""",
        {"project": project, "since": since, "until": until, "limit": limit},
    )
    return [Judged(**row) for row in rows]
