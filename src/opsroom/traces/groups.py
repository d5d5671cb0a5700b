"""Traces by session, or by the user they were for: how many, how they went, what they cost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from opsroom.kit.wire import Wire

from .errors import SessionNotFound
from .queries import MOST_SECONDS, PAGE, Reads

BACK = timedelta(days=30)
LAST = 2**63 - 1  # nanosecond that the store knows


class By(StrEnum):
    """What traces are told apart by."""

    SESSION = "session"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Wire):
    """The traces of one session or user. `cost` is what is known of it, `failed` counts traces
    with an error. `cursor` is its place in the list, for the page after it.
    """

    key: str
    cursor: str
    traces: int
    failed: int
    spans: int
    tokens: int
    cost: Decimal
    first: datetime
    last: datetime


def page(
    store: Reads,
    project: str,
    by: By,
    *,
    now: datetime,
    since: datetime | None = None,
    before: str = "",
    key: str = "",
    limit: int = PAGE,
) -> list[Group]:
    """Those seen last, first; of the last 30 days unless said. `before` is the cursor of the
    last one seen, for the page after it. A trace counts once, for the one it names.
    """
    nano, _, after = before.partition(".")
    told = nano.isascii() and nano.isdecimal() and len(nano) < 20
    place = min(int(nano), LAST) if told else None
    rows = store.rows(
        f"""SELECT key, max(began) AS nano, count() AS traces, countIf(failed) AS failed,
            sum(spans) AS spans, sum(tokens) AS tokens, sum(cost) AS cost, min(began) AS first
        FROM (SELECT max(s.{by.value}) AS key, toUnixTimestamp64Nano(min(start)) AS began,
                max(status = 'error') AS failed, count() AS spans,
                sum(toUInt64(s.input_tokens) + s.output_tokens) AS tokens,
                ifNull(sum(s.cost), 0) AS cost
            FROM spans AS s FINAL WHERE project = {{project:String}}
                AND toStartOfHour(start) BETWEEN toStartOfHour({{since:DateTime}})
                    AND {{until:DateTime}}
            GROUP BY trace_id HAVING key != '' AND ({{key:String}} = '' OR key = {{key:String}}))
        GROUP BY key HAVING {{all:Bool}} OR (nano, key) < ({{nano:Int64}}, {{after:String}})
        ORDER BY nano DESC, key DESC LIMIT {{limit:UInt32}}
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        {
            "project": project,
            "since": since or now - BACK,
            "until": now + timedelta(days=1),
            "key": key,
            "all": place is None,
            "nano": place or 0,
            "after": after,
            "limit": limit,
        },
    )
    return [
        Group(
            key=row["key"],
            cursor=f"{row['nano']}.{row['key']}",
            traces=row["traces"],
            failed=row["failed"],
            spans=row["spans"],
            tokens=row["tokens"],
            cost=Decimal(row["cost"]).normalize(),
            first=_moment(row["first"]),
            last=_moment(row["nano"]),
        )
        for row in rows
    ]


def by_prompt(
    store: Reads, project: str, *, since: datetime, until: datetime, limit: int = 500
) -> list[tuple[str, int, int]]:
    """The prompts that calls named in this time, those of the most traces first: in how many
    traces, and in how many of them such a call failed. Raises `TelemetryUnavailable`.
    """
    rows = store.rows(
        f"""SELECT toString(prompt) AS key, uniqExact(trace_id) AS traces,
            uniqExactIf(trace_id, status = 'error') AS failed
        FROM spans AS s FINAL WHERE project = {{project:String}} AND prompt != ''
            AND toStartOfHour(start) BETWEEN toStartOfHour({{since:DateTime}}) AND {{until:DateTime}}
            AND start >= {{since:DateTime64(6)}} AND start < {{until:DateTime64(6)}}
        GROUP BY key ORDER BY traces DESC, key LIMIT {{limit:UInt32}}
        SETTINGS max_execution_time = {MOST_SECONDS}""",
        {"project": project, "since": since, "until": until, "limit": limit},
    )
    return [(row["key"], row["traces"], row["failed"]) for row in rows]


def session(store: Reads, project: str, session_id: str, *, now: datetime) -> Group:
    """What a session came to in the last 30 days. Raises `SessionNotFound`."""
    found = page(store, project, By.SESSION, now=now, key=session_id, limit=1)
    if not found or not session_id:
        raise SessionNotFound(session_id)
    return found[0]


def _moment(nano: int) -> datetime:
    return datetime.fromtimestamp(nano // 1_000_000_000, UTC)
