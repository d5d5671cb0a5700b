"""The tables of telemetry, step by step.

Every step may be repeated, because a process can die between a step and the note that it was
taken; nothing that was ever a step is changed afterwards. The statement that takes requests
apart is no step: it belongs to a version of the code, so each version has an inbox of its own
and old processes go on beside new ones.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from .ports import Telemetry
from .view import stages

_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1"
# What an insert brings is one file, and one sync; a file for each column is made by merging.
_ONE_FILE = "min_bytes_for_wide_part = 134217728"
_KEPT = "PARTITION BY toYYYYMMDD(received)"
_WORD = "LowCardinality(String)"
_MAP = "Map(LowCardinality(String), String) CODEC(ZSTD(1))"

STEPS: Sequence[tuple[str, tuple[str, ...]]] = (
    (
        "0001 spans",
        (
            f"""CREATE TABLE IF NOT EXISTS spans (
                project {_WORD}, trace_id String CODEC(ZSTD(1)), span_id String CODEC(ZSTD(1)),
                parent_id String CODEC(ZSTD(1)), name {_WORD}, span_kind Int8, operation {_WORD},
                start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)), duration UInt64 CODEC(T64, ZSTD(1)),
                service {_WORD}, environment {_WORD}, agent {_WORD}, version {_WORD},
                manifest {_WORD}, release {_WORD}, arm {_WORD}, turn String CODEC(ZSTD(1)),
                action String CODEC(ZSTD(1)), session String CODEC(ZSTD(1)),
                user String CODEC(ZSTD(1)), tool {_WORD}, provider {_WORD},
                requested_model {_WORD}, served_model {_WORD}, prompt {_WORD},
                prompt_version {_WORD}, verdict {_WORD}, calls_model Bool,
                input_tokens UInt32 CODEC(T64, ZSTD(1)), output_tokens UInt32 CODEC(T64, ZSTD(1)),
                cache_read_tokens UInt32 CODEC(T64, ZSTD(1)),
                cache_write_tokens UInt32 CODEC(T64, ZSTD(1)),
                reasoning_tokens UInt32 CODEC(T64, ZSTD(1)),
                cost Nullable(Decimal(38, 15)) CODEC(ZSTD(1)), basis {_WORD},
                confidence Nullable(Float32), status Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
                status_message String CODEC(ZSTD(1)), error_type {_WORD},
                attributes {_MAP}, content {_MAP}, resource {_MAP},
                scope {_WORD}, scope_version {_WORD},
                events Nested(at DateTime64(9, 'UTC'), name {_WORD},
                    attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
                links Nested(trace_id String, span_id String,
                    attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
                dropped UInt32, sender {_WORD}, digest UInt64,
                received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), revision UInt64,
                INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
            ) ENGINE = ReplacingMergeTree(revision) {_KEPT}
            ORDER BY (project, toStartOfHour(start), trace_id, span_id)
            SETTINGS ttl_only_drop_parts = 1, {_ONE_FILE}, {_DURABLE}""",
        ),
    ),
    (
        "0002 traces",
        (
            f"""CREATE TABLE IF NOT EXISTS traces (
                project {_WORD}, hour DateTime('UTC'), trace_id String CODEC(ZSTD(1)),
                first SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
                last SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
                root SimpleAggregateFunction(max, String), rooted SimpleAggregateFunction(max, UInt8),
                session SimpleAggregateFunction(max, String), user SimpleAggregateFunction(max, String),
                release SimpleAggregateFunction(max, String),
                environment SimpleAggregateFunction(max, String),
                failed SimpleAggregateFunction(max, UInt8),
                agents SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
                models SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
                received DateTime64(3, 'UTC'),
                INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 4
            ) ENGINE = AggregatingMergeTree {_KEPT} ORDER BY (project, hour, trace_id)
            SETTINGS ttl_only_drop_parts = 1, {_DURABLE}""",
            """CREATE MATERIALIZED VIEW IF NOT EXISTS spans_to_traces TO traces AS
            SELECT project, toStartOfHour(start) AS hour, trace_id, min(start) AS first,
                max(start + toIntervalNanosecond(duration)) AS last,
                max(if(parent_id = '', name, '')) AS root,
                max(toUInt8(parent_id = '')) AS rooted, max(session) AS session,
                max(user) AS user, max(release) AS release, max(environment) AS environment,
                max(toUInt8(status = 'error')) AS failed,
                groupUniqArrayIf(CAST(agent, 'String'), agent != '') AS agents,
                groupUniqArrayIf(CAST(served_model, 'String'), served_model != '') AS models,
                max(received) AS received
            FROM (SELECT project, start, duration, trace_id, parent_id, name, session, user,
                CAST(release, 'String') AS release, CAST(environment, 'String') AS environment,
                status, agent, served_model, received FROM spans)
            GROUP BY project, hour, trace_id""",
        ),
    ),
    (
        "0003 prices",
        (
            f"""CREATE TABLE IF NOT EXISTS prices (
                project String, provider String, model String, since DateTime64(9, 'UTC'),
                above Array(UInt32), rates Array(Array(Decimal(38, 15))), basis String,
                written UInt64
            ) ENGINE = ReplacingMergeTree(written) ORDER BY (project, provider, model, since)
            SETTINGS {_DURABLE}""",
            f"""CREATE TABLE IF NOT EXISTS models (
                project String, provider String, model String, received DateTime64(3, 'UTC')
            ) ENGINE = ReplacingMergeTree ORDER BY (project, provider, model)
            SETTINGS {_DURABLE}""",
            """CREATE MATERIALIZED VIEW IF NOT EXISTS spans_to_models TO models AS
            SELECT DISTINCT CAST(project, 'String') AS project, CAST(provider, 'String') AS provider,
                CAST(if(served_model != '', served_model, requested_model), 'String') AS model,
                min(received) AS received
            FROM spans WHERE calls_model AND basis = '' GROUP BY project, provider, model""",
        ),
    ),
    (
        "0004 dead letters",
        (
            f"""CREATE TABLE IF NOT EXISTS dead_letters (
                project String, received DateTime64(3, 'UTC'), sender String, reason {_WORD},
                trace_id String, span_id String, name String, size UInt64,
                raw String CODEC(ZSTD(1)), digest UInt64
            ) ENGINE = ReplacingMergeTree {_KEPT} ORDER BY (project, received, digest)
            SETTINGS ttl_only_drop_parts = 1, {_DURABLE}""",
        ),
    ),
)
LONGEST_KEPT = 10_000  # days; beyond 2106 a DateTime begins again, and all would be old
KEPT_TABLES = ("spans", "traces", "dead_letters")


def prepare(store: Telemetry, *, keep: timedelta) -> str:
    """Take the steps that are missing, set how long spans are kept, and name our inbox."""
    store.run(
        """CREATE TABLE IF NOT EXISTS steps (name String, at DateTime DEFAULT now())
        ENGINE = ReplacingMergeTree ORDER BY name"""
    )
    taken = {row["name"] for row in store.rows("SELECT name FROM steps")}
    for name, statements in STEPS:
        if name in taken:
            continue
        for statement in statements:
            store.run(statement)
        store.run("INSERT INTO steps (name) VALUES ({name:String})", {"name": name})
    keep_for(store, keep)
    return _inbox(store)


def keep_for(store: Telemetry, keep: timedelta) -> None:
    """Let what is older go, whenever the store gets to it."""
    for table in KEPT_TABLES:
        _keep(store, table, keep)


def _keep(store: Telemetry, table: str, keep: timedelta) -> None:
    """Age is what is asked for in whole days, counted from when a span came in."""
    wanted = f"toIntervalDay({min(max(1, keep.days), LONGEST_KEPT)})"
    made = store.rows(
        "SELECT create_table_query AS made FROM system.tables "
        "WHERE database = currentDatabase() AND name = {name:String}",
        {"name": table},
    )
    if wanted not in made[0]["made"]:
        store.run(f"ALTER TABLE {table} MODIFY TTL toDateTime(received) + {wanted}")


def _inbox(store: Telemetry) -> str:
    """The table that this version of the code writes to; what arrives there is taken apart.

    What follows a table is made before the table itself, so that nothing is ever put where
    nobody takes it on.
    """
    made = stages()
    text = "".join(stage.columns + stage.makes("") for stage in made)
    name = f"inbox_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    tables = [name, *(f"{name}_{number}" for number in range(1, len(made))), "spans"]
    there = {
        row["name"]
        for row in store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase()"
        )
    }
    for number in reversed(range(len(made))):
        stage, table, target = made[number], tables[number], tables[number + 1]
        if f"{table}_view" not in there:
            store.run(f"CREATE TABLE IF NOT EXISTS {table} ({stage.columns}) ENGINE = Null")
            store.run(
                f"CREATE MATERIALIZED VIEW IF NOT EXISTS {table}_view TO {target} "
                f"AS {stage.makes(table)}"
            )
    return name
