"""The statement with which ClickHouse takes requests apart into spans.

It is generated from the table of aliases. Everything that a span needs is decided in this one
pass: names that mean the same become one column, contents are parted from attributes, what is
too much is cut and counted, and the price of a model call is looked up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .aliases import ALIASES, CONTENT, MODEL_OPERATIONS, OPERATIONS, PROVIDERS, known
from .costs import COST_COLUMNS, PRICE_JOIN
from .wire import COLUMNS, SPAN, SPAN_COLUMNS

MOST_ATTRIBUTES = 256
MOST_EVENTS = 1_024
MOST_LINKS = 128
LONGEST_KEY = 200
LONGEST_VALUE = 256 * 1024
LONGEST_NAME = 500
_RANKS = 64  # places in one row of the aliases
_RESOURCE = 32  # a resource's attribute comes after every one of the span's
FIELDS = {name: number for number, name in enumerate(ALIASES, 1)}
DEEP = "otlp:"  # marks a value that is kept as the bytes that came


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def listed(values: Iterable[str]) -> str:
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def _transform(of: str, table: Mapping[str, str]) -> str:
    return f"transform({of}, {listed(table)}, {listed(table.values())}, {of})"


def _text(of: str, plain: str, array: str) -> str:
    """A value as text. Members go by place, for short statements are analysed sooner."""

    def deep(kind: str, place: int) -> str:
        return f"concat('{DEEP}{kind}:', base64Encode({of}.{place}))"

    return f"""multiIf({of}.1 = 'string_value', {plain}, {of}.1 = 'int_value', {of}.4,
        {of}.1 = 'double_value', {of}.5, {of}.1 = 'bool_value', {of}.3,
        {of}.1 = 'array_value', {array or deep("array", 6)},
        {of}.1 = 'kvlist_value', {deep("kvlist", 7)},
        {of}.1 = 'bytes_value', {deep("bytes", 8)}, '')"""


_ITEM = _text("x", "toJSONString(x.2)", "")
_VALUE = _text(
    "p.2", "p.2.2", f"concat('[', arrayStringConcat(arrayMap(x -> {_ITEM}, p.2.6.1), ','), ']')"
)


def _pairs(of: str) -> str:
    """The attributes of something as keys and texts, cut to what is kept."""
    return f"""arrayMap(p -> (left(p.1, {LONGEST_KEY}), left({_VALUE}, {LONGEST_VALUE})),
        arraySlice({of}, 1, {MOST_ATTRIBUTES}))"""


_NAMES = known()
_CODES = [str(FIELDS[ours] * _RANKS + place) for ours, place in _NAMES.values()]
_CONTENT = quoted("^(" + "|".join(CONTENT) + ")$")
_TEXTS = "Map(LowCardinality(String), String)"


def _codes(pairs: str) -> str:
    return f"arrayMap(p -> transform(p.1, {listed(_NAMES)}, [{', '.join(_CODES)}], 0), {pairs})"


def _found(name: str) -> str:
    return f"found[{FIELDS[name]}]"


def _lower(name: str) -> str:
    return f"lower(trim(BOTH '\"' FROM {_found(name)}))"


_WORDS = (
    "agent", "version", "manifest", "release", "arm", "turn", "action", "session", "user", "tool",
    "requested_model", "served_model", "prompt", "prompt_version", "environment", "verdict",
    "service",
)  # fmt: skip
_COUNTS = ("input", "output", "cache_read", "cache_write", "reasoning")


_CARRIED = "project, sender, digest, received, capture"
_IDS = "trace_id, span_id, parent_id"
_LINKED = "`links.trace_id`, `links.span_id`, `links.attributes`"
_TEXT_PAIRS = "Array(Tuple(String, String))"
_CARRIED_COLUMNS = """project String, sender String, digest UInt64,
    received DateTime64(3, 'UTC'), capture Bool"""
_READ_COLUMNS = f"""{_CARRIED_COLUMNS}, scope String, scope_version String,
    trace_id String, span_id String, parent_id String, name String, span_kind Int8,
    start DateTime64(9, 'UTC'), duration UInt64, code Int32, status_message String,
    dropped UInt32"""


# Every column of a span but its cost, the reason for that, and its revision.
PLAIN_COLUMNS = f"""project, sender, digest, received, {_IDS}, name, span_kind, start, duration,
    operation, {", ".join(_WORDS)}, provider, calls_model,
    {", ".join(f"{name}_tokens" for name in _COUNTS)}, confidence, status, status_message,
    error_type, attributes, content, resource, scope, scope_version,
    `events.at`, `events.name`, `events.attributes`, {_LINKED}, dropped"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A table that holds nothing, and what is made of each row on its way through."""

    columns: str
    makes: Callable[[str], str]


def stages() -> tuple[Stage, ...]:
    """From a request to spans, in small steps.

    One statement could do it, but ClickHouse analyses a statement anew for every insert, and
    for this one that would take half a second; each of these takes some milliseconds. The time
    grows with the length of a type's name, so that nothing is done to a span while it is whole.
    """
    return (
        Stage(COLUMNS, _apart),
        Stage(
            f"""{_CARRIED_COLUMNS}, scope String, scope_version String, above {_TEXT_PAIRS},
            {SPAN_COLUMNS}""",
            _spans,
        ),
        Stage(
            f"""{_READ_COLUMNS}, above {_TEXT_PAIRS}, pairs {_TEXT_PAIRS},
            events Array(Tuple(UInt64, String, {_TEXT_PAIRS})),
            links Array(Tuple(String, String, {_TEXT_PAIRS}))""",
            _found_words,
        ),
        Stage(
            f"""{_READ_COLUMNS}, found Map(UInt16, String), own_agent Bool, raised String,
            attributes {_TEXTS}, content {_TEXTS}, resource {_TEXTS},
            `events.at` Array(DateTime64(9, 'UTC')), `events.name` Array(String),
            `events.attributes` Array({_TEXTS}), `links.trace_id` Array(String),
            `links.span_id` Array(String), `links.attributes` Array({_TEXTS})""",
            _priced,
        ),
    )


def _apart(inbox: str) -> str:
    """Requests to spans as they came, field by field."""
    fields = ", ".join(f"s.{place} AS {name}" for place, name in enumerate(SPAN, 1))
    return f"""
SELECT {_CARRIED}, above, scope, scope_version, {fields}
FROM (SELECT {_CARRIED}, above, left(scoped.1.1, {LONGEST_NAME}) AS scope,
    left(scoped.1.2, {LONGEST_NAME}) AS scope_version, arrayJoin(scoped.2) AS s
FROM (SELECT {_CARRIED}, {_pairs("one.1.1")} AS above, arrayJoin(one.2) AS scoped
FROM (SELECT project, sender, digest, capture, arrayJoin(resource_spans) AS one,
    fromUnixTimestamp64Milli(toInt64(intDiv(received, 1000000)), 'UTC') AS received
FROM {inbox})))"""


def _spans(apart: str) -> str:
    """Ids as text, attributes as pairs, cut to what is kept."""
    id_of = "lower(hex({}))".format
    return f"""
SELECT {_CARRIED}, scope, scope_version, {id_of("s.trace_id")} AS trace_id,
    {id_of("s.span_id")} AS span_id, {id_of("s.parent_span_id")} AS parent_id,
    left(s.name, {LONGEST_NAME}) AS name, toInt8(s.kind) AS span_kind,
    fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano), 'UTC') AS start,
    s.end_time_unix_nano - s.start_time_unix_nano AS duration, s.status.1 AS code,
    if(capture, left(s.status.2, {LONGEST_VALUE}), '') AS status_message,
    toUInt32(s.dropped_attributes_count
        + length(s.attributes) - least(length(s.attributes), {MOST_ATTRIBUTES})
        + length(s.events) - least(length(s.events), {MOST_EVENTS})
        + length(s.links) - least(length(s.links), {MOST_LINKS})
        + arrayCount(p -> length(p.1) > {LONGEST_KEY} OR length(p.2.2) > {LONGEST_VALUE},
            s.attributes)) AS dropped,
    above, {_pairs("s.attributes")} AS pairs,
    arrayMap(e -> (e.1, e.2, {_pairs("e.3")}), arraySlice(s.events, 1, {MOST_EVENTS})) AS events,
    arrayMap(l -> (l.1, l.2, {_pairs("l.3")}), arraySlice(s.links, 1, {MOST_LINKS})) AS links
FROM {apart} AS s"""


def _found_words(spans: str) -> str:
    """What each span says in words we know, and its contents parted from its attributes."""
    id_of = "lower(hex({}))".format
    known_pairs = (
        "arrayFilter(c -> c.1 > {shift} AND c.2 != '', "
        "arrayMap((c, p) -> (toUInt16(c + {shift}), p.2), {codes}, {pairs}))"
    ).format
    return f"""
SELECT {_CARRIED}, scope, scope_version, {_IDS}, name, span_kind, start, duration, code,
    status_message, dropped,
    CAST((arrayMap(c -> intDiv(c.1, {_RANKS}), ranked),
        arrayMap(c -> left(c.2, {LONGEST_NAME}), ranked)), 'Map(UInt16, String)') AS found,
    arrayExists(c -> intDiv(c.1, {_RANKS}) = {FIELDS["agent"]}, own) AS own_agent,
    CAST(arrayFilter((p, t) -> NOT t, pairs, said), '{_TEXTS}') AS attributes,
    CAST(arrayFilter((p, t) -> t AND capture, pairs, said), '{_TEXTS}') AS content,
    CAST(above, '{_TEXTS}') AS resource,
    arrayMap(e -> fromUnixTimestamp64Nano(toInt64(e.1), 'UTC'), events) AS `events.at`,
    arrayMap(e -> left(e.2, {LONGEST_NAME}), events) AS `events.name`,
    arrayMap(e -> CAST(arrayFilter(p -> capture OR NOT match(p.1, {_CONTENT}), e.3),
        '{_TEXTS}'), events) AS `events.attributes`,
    arrayFirst(t -> t != '', arrayMap(
        e -> arrayFirst(p -> p.1 = 'exception.type', e.3).2, events)) AS raised,
    arrayMap(l -> {id_of("l.1")}, links) AS `links.trace_id`,
    arrayMap(l -> {id_of("l.2")}, links) AS `links.span_id`,
    arrayMap(l -> CAST(l.3, '{_TEXTS}'), links) AS `links.attributes`
FROM (SELECT *, arraySort(c -> c.1, arrayConcat(own, inherited)) AS ranked
FROM (SELECT *, arrayMap(p -> match(p.1, {_CONTENT}), pairs) AS said,
    {known_pairs(shift=0, codes=_codes("pairs"), pairs="pairs")} AS own,
    {known_pairs(shift=_RESOURCE, codes=_codes("above"), pairs="above")} AS inherited
FROM {spans}))"""


def _priced(found: str) -> str:
    """The columns that a span is asked by, and what it cost."""
    words = ", ".join(f"{_found(name)} AS {name}" for name in _WORDS)
    counts = ",\n    ".join(
        f"if(calls_model, toUInt32(toFloat64OrZero({_found(f'{name}_tokens')})), 0) AS {name}_tokens"
        for name in _COUNTS
    )
    return f"""
SELECT {PLAIN_COLUMNS}, toUInt64(toUnixTimestamp64Milli(received)) AS revision, {COST_COLUMNS}
FROM (SELECT *, {words},
    {_lower("operation")} AS operation_told, {_found("error_type")} AS error_told,
    multiIf(operation_told != '', {_transform("operation_told", OPERATIONS)},
        tool != '', 'execute_tool',
        served_model != '' OR (requested_model != '' AND agent = ''), 'chat',
        own_agent, 'invoke_agent', '') AS operation,
    operation IN ({", ".join(map(quoted, MODEL_OPERATIONS))}) AS calls_model,
    {counts},
    if(served_model != '', served_model, requested_model) AS model,
    {_lower("provider")} AS provider_told,
    {_transform("provider_told", PROVIDERS)} AS provider,
    toFloat32OrNull({_found("confidence")}) AS confidence,
    multiIf(code = 2 OR error_told != '', 'error', code = 1, 'ok', 'unset') AS status,
    multiIf(error_told != '', error_told, raised != '', left(raised, {LONGEST_NAME}),
        code = 2, 'error', '') AS error_type
FROM {found}) AS s
{PRICE_JOIN}"""
