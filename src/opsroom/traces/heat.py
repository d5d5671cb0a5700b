"""When traces began and how long they took, as a map: how many there are at each place.

The scale of the durations is fixed, in half powers of ten, so that two maps can be compared and
each bound can be written in the filter language as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from .asked import All, Asked, Counted, written
from .model import Filter
from .ports import Row
from .queries import Reads, narrowing

ACROSS = 60
IN_TABLE = 6  # columns of the table, each of so many of the map that together they are all
DAY = timedelta(days=1)
MOST_SECONDS = 5  # the list does not wait longer for its map
_STEPS = ("0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10", "30", "100", "300",
          "1000", "3000", "10000")  # fmt: skip
BOUNDS = tuple(map(Decimal, _STEPS))  # seconds; a row below the first, and one above the last
UP = len(BOUNDS) + 1
SHADES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Traces that began in one stretch of time and took about as long as each other.

    `column` and `row` are its place, the longest on top; `shade` is 1 to `SHADES`.
    """

    column: int
    row: int
    traces: int
    failed: int
    shade: int
    what: str
    where: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the map as a row of the table."""

    took: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The map: `cells` where there are any traces, the same in coarser `lines`, and the marks
    of its two sides. `marks` name the bound above a row.
    """

    since: datetime
    until: datetime
    traces: int
    failed: int
    cells: tuple[Cell, ...]
    lines: tuple[Line, ...]
    times: tuple[str, ...]
    marks: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are at one place."""

    traces: int = 0
    failed: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.traces + other.traces, self.failed + other.failed)


def stretch(wanted: Filter, *, now: datetime) -> tuple[datetime, datetime]:
    """What the map is of: what was asked for, or the last day."""
    until = min(wanted.until or now, now)
    since = wanted.since or until - DAY
    return since, max(until, since + timedelta(seconds=1))


def draw(
    store: Reads, project: str, wanted: Filter, *, now: datetime, given: Mapping[str, str]
) -> Heat:
    """The map of the traces that are like that; `given` is the address that asks for them.

    One question, with an answer of one row for each cell at most.
    """
    since, until = stretch(wanted, now=now)
    counts = {
        (row["x"], row["y"]): Count(row["traces"], row["failed"])
        for row in _counted(store, project, wanted, since, until)
    }
    return mapped(counts, wanted=wanted, since=since, until=until, given=given)


def _counted(
    store: Reads, project: str, wanted: Filter, since: datetime, until: datetime
) -> list[Row]:
    inner, parameters = narrowing(wanted)
    parameters |= {
        "project": project,
        "since": since,
        "until": until,
        "low": _nano(since),
        "high": _nano(until),
        "step": (until - since) / ACROSS // timedelta(microseconds=1) * 1000,
        "bounds": [int(bound * 10**9) for bound in BOUNDS],
    }
    return store.rows(
        f"""SELECT least({ACROSS - 1}, intDiv(nano - {{low:Int64}}, {{step:Int64}})) AS x,
            arrayCount(bound -> took >= bound, {{bounds:Array(Int64)}}) AS y,
            count() AS traces, countIf(bad) AS failed
        FROM (SELECT trace_id, max(traces.failed) AS bad,
                toUnixTimestamp64Nano(min(traces.first)) AS nano,
                toUnixTimestamp64Nano(max(traces.last)) - nano AS took
            FROM traces WHERE project = {{project:String}}
                AND hour >= toStartOfHour({{since:DateTime}})
                AND hour <= {{until:DateTime}} + toIntervalDay(1) {inner}
            GROUP BY trace_id HAVING nano >= {{low:Int64}} AND nano < {{high:Int64}})
        GROUP BY x, y SETTINGS max_execution_time = {MOST_SECONDS}""",
        parameters,
    )


def mapped(
    counts: Mapping[tuple[int, int], Count],
    *,
    wanted: Filter,
    since: datetime,
    until: datetime,
    given: Mapping[str, str],
) -> Heat:
    """What was counted, column by row (the shortest first), as a map. Pure."""
    step = (until - since) / ACROSS
    form = "%H:%M" if until - since <= 2 * DAY else "%d %b"
    most = max((one.traces for one in counts.values()), default=1)

    def cell(column: int, wide: int, up: int, count: Count) -> Cell:
        begin = since + step * column * wide
        end = until if (column + 1) * wide == ACROSS else since + step * (column + 1) * wide
        errors = f", {count.failed} with errors" if count.failed else ""
        things = "trace" if count.traces == 1 else "traces"
        return Cell(
            column=column,
            row=UP - 1 - up,
            traces=count.traces,
            failed=count.failed,
            shade=_shade(count.traces, most),
            what=f"{count.traces:,} {things}{errors}",
            where=f"{took(up)}, {begin:%d %b %H:%M:%S} to {end:%d %b %H:%M:%S}",
            href=_address(wanted, given, begin, end, up),
        )

    coarse: dict[tuple[int, int], Count] = {}
    wide = ACROSS // IN_TABLE
    for (x, up), count in counts.items():
        coarse[x // wide, up] = coarse.get((x // wide, up), Count()) + count
    lines = tuple(
        Line(
            took=took(up),
            cells=tuple(
                cell(column, wide, up, coarse[column, up]) if (column, up) in coarse else None
                for column in range(IN_TABLE)
            ),
        )
        for up in reversed(range(UP))
        if any(there == up for _, there in coarse)
    )
    total = sum(counts.values(), Count())
    return Heat(
        since=since,
        until=until,
        traces=total.traces,
        failed=total.failed,
        cells=tuple(cell(x, 1, up, count) for (x, up), count in sorted(counts.items())),
        lines=lines,
        times=tuple(f"{since + step * wide * column:{form}}" for column in range(IN_TABLE)),
        marks=tuple(
            (UP - 1 - place, _words(bound))
            for place, bound in enumerate(BOUNDS)
            if place % 2 == 0
        ),
    )


def took(up: int) -> str:
    """How long the traces of a row took, in words."""
    if up == 0:
        return f"under {_words(BOUNDS[0])}"
    if up == len(BOUNDS):
        return f"{_words(BOUNDS[-1])} and more"
    return f"{_words(BOUNDS[up - 1])} to {_words(BOUNDS[up])}"


def within(where: Asked | None, up: int) -> Asked:
    """What is asked, and that a trace took as long as those of this row. Bounds of a wider
    row that were asked for before give way, so that looking closer never makes it long.
    """
    parts = where.parts if isinstance(where, All) else () if where is None else (where,)
    kept = [part for part in parts if not _bounds(part)]
    if up:
        kept.append(Counted("duration", ">=", BOUNDS[up - 1]))
    if up < len(BOUNDS):
        kept.append(Counted("duration", "<", BOUNDS[up]))
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def _bounds(part: Asked) -> bool:
    """Whether it is a bound that a map has drawn, and so contains every row that is shown."""
    return (
        isinstance(part, Counted)
        and part.field == "duration"
        and part.order in {">=", "<"}
        and part.amount in BOUNDS
    )


def _address(
    wanted: Filter, given: Mapping[str, str], begin: datetime, end: datetime, up: int
) -> str:
    told = {name: value for name, value in given.items() if name not in {"hours", "q"}}
    told |= {
        "q": written(within(wanted.where, up)),
        "since": _exact(begin),
        "until": _exact(end),
    }
    return f"/traces?{urlencode(told)}"


def _shade(traces: int, most: int) -> int:
    """By powers: one trace is seen beside thousands."""
    if most == 1:
        return SHADES
    share = Decimal(traces).ln() / Decimal(most).ln()
    return 1 + round(share * (SHADES - 1))


def _words(seconds: Decimal) -> str:
    if seconds < 1:
        return f"{seconds * 1000:f}".rstrip("0").rstrip(".") + " ms"
    return f"{seconds:f} s"


def _exact(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _nano(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
