"""Looking at telemetry. Every question names its project; none sees another's.

Spans that were sent twice are one here: reading collapses what shares trace and span id.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from . import deep
from .choosing import condition
from .errors import SpanNotFound, TraceNotFound
from .model import Event, Filter, Link, Span, Summary
from .ports import Row

PAGE = 50
MOST_SPANS = 100_000
MOST_SECONDS = 20  # that a question may take; after that the store says that it is busy
_WINDOWS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=2), timedelta(days=14))
# A trace is judged by its spans from a day before the window to a day after it.
_WHERE = """
    AND trace_id IN (SELECT trace_id FROM spans AS s FINAL WHERE project = {{project:String}}
        AND toStartOfHour(start) BETWEEN toStartOfHour({{since:DateTime}}) - toIntervalDay(1)
            AND {{until:DateTime}} + toIntervalDay(1)
        GROUP BY trace_id HAVING {})"""
_WORDS = (
    "agent", "release", "session", "user", "tool", "served_model", "environment", "prompt",
    "turn", "action", "status", "error_type",
)  # fmt: skip


class Reads(Protocol):
    """What can be asked: a store of telemetry."""

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Row]: ...


def trace(store: Reads, project: str, trace_id: str) -> list[Span]:
    """Every span of a trace, in the order in which they began. Raises `TraceNotFound`."""
    between = _when(store, project, trace_id)
    found = store.rows(
        "SELECT * FROM spans FINAL WHERE project = {project:String} "
        "AND toStartOfHour(start) BETWEEN {low:DateTime} AND {high:DateTime} "
        "AND trace_id = {trace:String} ORDER BY start, span_id LIMIT {most:UInt32}",
        {
            "project": project,
            "trace": trace_id.lower(),
            "low": between[0],
            "high": between[1],
            "most": MOST_SPANS,
        },
    )
    if not found:
        raise TraceNotFound(trace_id)
    return [_span(row) for row in found]


def span(store: Reads, project: str, trace_id: str, span_id: str) -> Span:
    """One span of a trace. Raises `TraceNotFound` and `SpanNotFound`."""
    between = _when(store, project, trace_id)
    found = store.rows(
        "SELECT * FROM spans FINAL WHERE project = {project:String} "
        "AND toStartOfHour(start) BETWEEN {low:DateTime} AND {high:DateTime} "
        "AND trace_id = {trace:String} AND span_id = {span:String} LIMIT 1",
        {
            "project": project,
            "trace": trace_id.lower(),
            "span": span_id.lower(),
            "low": between[0],
            "high": between[1],
        },
    )
    if not found:
        raise SpanNotFound(span_id, trace_id)
    return _span(found[0])


def at_work(store: Reads, project: str, trace_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The agent that each of these traces began with, and its version; those of which no agent
    is known are not there.
    """
    if not trace_ids:
        return {}
    hours = (
        "FROM traces WHERE project = {project:String} AND trace_id IN {traces:Array(String)}"
    )
    found = store.rows(
        f"""SELECT trace_id, argMin(agent, start) AS first, argMin(version, start) AS its
        FROM spans FINAL WHERE project = {{project:String}} AND agent != ''
            AND toStartOfHour(start) BETWEEN (SELECT min(hour) {hours}) AND (SELECT max(hour) {hours})
            AND trace_id IN {{traces:Array(String)}} GROUP BY trace_id""",
        {"project": project, "traces": [one.lower() for one in trace_ids]},
    )
    return {row["trace_id"]: (row["first"], row["its"]) for row in found}


def page(
    store: Reads,
    project: str,
    wanted: Filter,
    *,
    now: datetime,
    before: str = "",
    limit: int = PAGE,
) -> list[Summary]:
    """Traces that began last, newest first. `before` is the cursor of the last one seen, for
    the page after it.

    It looks at the last hour first and further back only for as long as a page is not full.
    """
    last = _place(before)
    until = min(filter(None, (wanted.until, last and last[0], now + timedelta(days=1))))
    back_from = min(until, now)  # clocks that are ahead are shown, and not looked for first
    for window in (*_WINDOWS, None):
        since = datetime(2000, 1, 1, tzinfo=UTC) if window is None else back_from - window
        if wanted.since is not None:
            since = max(since, wanted.since)
        found = _newest(store, project, wanted, since, until, last, limit)
        if len(found) >= limit or since == wanted.since or window is None:
            return _summed(store, project, found)
    return []


def percentiles(
    store: Reads, project: str, *, by: str, since: datetime, until: datetime
) -> list[Row]:
    """How long spans took, and how many there were, by one of their words."""
    if by not in {*_WORDS, "operation", "provider", "requested_model", "version"}:
        raise ValueError(f"spans are not told apart by {by!r}")
    return store.rows(
        f"SELECT {by} AS key, count() AS spans, countIf(status = 'error') AS errors, "
        "quantilesTDigest(0.5, 0.9, 0.95, 0.99)(duration / 1e9) AS seconds, "
        "sum(s.cost) AS cost, sum(s.input_tokens) AS input_tokens, "
        "sum(s.output_tokens) AS output_tokens "
        "FROM spans AS s FINAL WHERE project = {project:String} "
        "AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime} "
        "AND start >= {since:DateTime64(6)} AND start < {until:DateTime64(6)} "
        f"AND {by} != '' GROUP BY key ORDER BY spans DESC, key LIMIT 1000",
        {"project": project, "since": since, "until": until},
    )


def dead_letters(
    store: Reads, project: str, *, before: datetime | None = None, limit: int = PAGE
) -> list[Row]:
    """Spans that could not be stored, newest first."""
    return store.rows(
        "SELECT received, sender, reason, trace_id, span_id, name, size, raw "
        "FROM dead_letters FINAL WHERE project = {project:String} "
        "AND received < {before:DateTime64(3)} ORDER BY received DESC LIMIT {limit:UInt32}",
        {
            "project": project,
            "before": before or datetime(2100, 1, 1, tzinfo=UTC),
            "limit": limit,
        },
    )


def _when(store: Reads, project: str, trace_id: str) -> tuple[datetime, datetime]:
    """Between which hours a trace has spans."""
    found = store.rows(
        "SELECT min(hour) AS low, max(hour) AS high, count() AS parts FROM traces "
        "WHERE project = {project:String} AND trace_id = {trace:String}",
        {"project": project, "trace": trace_id.lower()},
    )[0]
    if not found["parts"]:
        raise TraceNotFound(trace_id)
    return in_utc(found["low"]), in_utc(found["high"])


def _place(cursor: str) -> tuple[datetime, int, str] | None:
    """The moment (rounded up, and exact) and the trace that a cursor stands for."""
    nano, _, trace_id = cursor.partition(".")
    if not (nano.isascii() and nano.isdecimal() and len(nano) < 20):
        return None
    moment = datetime.fromtimestamp(int(nano) // 1_000_000_000, UTC) + timedelta(seconds=1)
    return moment, int(nano), trace_id


def narrowing(wanted: Filter) -> tuple[str, dict[str, Any]]:
    """What a trace has to be like, behind a condition on `traces`, and its parameters. It
    leans on the parameters `project`, `since` and `until`.
    """
    words = {name: value for name in _WORDS if (value := getattr(wanted, name))}
    parameters: dict[str, Any] = dict(words)
    inner = ""
    if words:
        conditions = " AND ".join(f"{name} = {{{name}:String}}" for name in words)
        inner = (
            "AND trace_id IN (SELECT trace_id FROM spans WHERE project = {project:String} "
            "AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime} "
            f"AND {conditions})"
        )
    if wanted.where is not None:
        chosen = condition(wanted.where)
        inner += _WHERE.format(chosen.sql)
        parameters |= chosen.values
    return inner, parameters


def _newest(
    store: Reads,
    project: str,
    wanted: Filter,
    since: datetime,
    until: datetime,
    last: tuple[datetime, int, str] | None,
    limit: int,
) -> list[Row]:
    parameters: dict[str, Any] = {
        "project": project,
        "since": since,
        "until": until,
        "limit": limit,
    }
    having = "first <= {until:DateTime64(6)}"
    if last is not None:
        having = "(nano, trace_id) < ({nano:Int64}, {before:String})"
        parameters |= {"nano": last[1], "before": last[2]}
    inner, asked = narrowing(wanted)
    parameters |= asked
    return store.rows(
        f"""SELECT trace_id, min(traces.first) AS first, toUnixTimestamp64Nano(first) AS nano, max(traces.last) AS last, max(root) AS name,
            max(session) AS session, max(user) AS user, max(release) AS release,
            max(environment) AS environment, max(failed) AS failed,
            groupUniqArrayArray(agents) AS agents, groupUniqArrayArray(models) AS models,
            min(hour) AS low, max(hour) AS high
        FROM traces WHERE project = {{project:String}}
            AND hour BETWEEN toStartOfHour({{since:DateTime}}) AND {{until:DateTime}} {inner}
        GROUP BY trace_id HAVING {having} AND first >= {{since:DateTime64(6)}}
        ORDER BY nano DESC, trace_id DESC LIMIT {{limit:UInt32}}
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        parameters,
    )


def _summed(store: Reads, project: str, found: Sequence[Row]) -> list[Summary]:
    """The numbers of the traces on a page, from their spans, each counted once."""
    if not found:
        return []
    rows = store.rows(
        """SELECT trace_id, count() AS spans, countIf(status = 'error') AS errors,
            sum(s.input_tokens) AS input_tokens, sum(s.output_tokens) AS output_tokens,
            sum(s.cost) AS cost, countIf(calls_model AND s.cost IS NULL) AS unpriced
        FROM spans AS s FINAL WHERE project = {project:String}
            AND toStartOfHour(start) BETWEEN {low:DateTime} AND {high:DateTime}
            AND trace_id IN {traces:Array(String)} GROUP BY trace_id""",
        {
            "project": project,
            "low": min(row["low"] for row in found),
            "high": max(row["high"] for row in found),
            "traces": [row["trace_id"] for row in found],
        },
    )
    numbers = {row["trace_id"]: row for row in rows}
    return [
        _summary(row, numbers[row["trace_id"]]) for row in found if row["trace_id"] in numbers
    ]


def _summary(row: Row, numbers: Row) -> Summary:
    return Summary(
        trace_id=row["trace_id"],
        cursor=f"{row['nano']}.{row['trace_id']}",
        name=row["name"],
        first=in_utc(row["first"]),
        duration=row["last"] - row["first"],
        failed=bool(row["failed"]),
        agents=tuple(sorted(row["agents"])),
        models=tuple(sorted(row["models"])),
        session=row["session"],
        user=row["user"],
        release=row["release"],
        environment=row["environment"],
        spans=numbers["spans"],
        errors=numbers["errors"],
        input_tokens=numbers["input_tokens"],
        output_tokens=numbers["output_tokens"],
        cost=numbers["cost"] or Decimal(0),
        unpriced=numbers["unpriced"],
    )


_SAME = tuple(
    name
    for name in Span.__dataclass_fields__
    if name
    not in {"start", "duration", "received", "events", "links", "attributes", "content", "cost",
            "resource", "calls_model"}
)  # fmt: skip


def _span(row: Row) -> Span:
    return Span(
        **{name: row[name] for name in _SAME},
        start=in_utc(row["start"]),
        duration=timedelta(microseconds=row["duration"] / 1000),
        received=in_utc(row["received"]),
        calls_model=bool(row["calls_model"]),
        cost=row["cost"] if row["cost"] is None else Decimal(row["cost"]).normalize(),
        attributes=deep.told(row["attributes"]),
        content=deep.told(row["content"]),
        resource=deep.told(row["resource"]),
        events=tuple(
            Event(at=in_utc(at), name=name, attributes=deep.told(attributes))
            for at, name, attributes in zip(
                row["events.at"], row["events.name"], row["events.attributes"], strict=True
            )
        ),
        links=tuple(
            Link(trace_id=trace_id, span_id=span_id, attributes=deep.told(attributes))
            for trace_id, span_id, attributes in zip(
                row["links.trace_id"],
                row["links.span_id"],
                row["links.attributes"],
                strict=True,
            )
        ),
    )


def in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
