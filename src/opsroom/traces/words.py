"""How a filter may go on: the fields there are, and the values that were seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsroom.kit.wire import Wire

from .asked import LONGEST, NUMBERS, STATUSES, WORDS, quoted
from .choosing import COLUMNS
from .queries import MOST_SECONDS, Reads

SEEN = ("agent", "model", "tool")
MOST = 20
BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Wire):
    """A filter that goes on, in full, and what the new part of it is about."""

    text: str
    about: str


def propose(store: Reads, project: str, text: str, *, now: datetime) -> list[Proposal]:
    """How the last term of `text` may go on. Nothing is proposed inside a quoted text."""
    if len(text) > LONGEST or text.count('"') % 2:
        return []
    at = max(text.rfind(one) for one in ' (\n\t"') + 1
    at += text[at:].startswith("-")
    head, last = text[:at], text[at:]
    field, colon, begun = last.partition(":")
    if not colon:
        return [Proposal(text=head + one.text, about=one.about) for one in _fields(last)]
    if field == "status":
        values = [one for one in STATUSES if one.startswith(begun)]
    elif field in SEEN:
        values = _seen(store, project, field, begun, now=now)
    else:
        return []
    return [Proposal(text=f"{head}{field}:{quoted(one)}", about=field) for one in values]


def beginnings(store: Reads, project: str, *, now: datetime) -> list[Proposal]:
    """What a filter may begin with: every field, and the values of those that have few."""
    found = _fields("")
    for field in ("status", *SEEN):
        found += propose(store, project, f"{field}:", now=now)
    return found


def _fields(begun: str) -> list[Proposal]:
    told = [(f"{name}:", about) for name, about in WORDS.items()]
    told += [(f"{name}>", about) for name, about in NUMBERS.items()]
    told.append(("attr.", "an attribute of a span: attr.http.route=/orders"))
    return [Proposal(text=one, about=about) for one, about in told if one.startswith(begun)]


def _seen(store: Reads, project: str, field: str, begun: str, *, now: datetime) -> list[str]:
    rows = store.rows(
        f"SELECT DISTINCT toString({COLUMNS[field]}) AS value FROM spans "
        "WHERE project = {project:String} "
        "AND toStartOfHour(start) BETWEEN toStartOfHour({since:DateTime}) AND {until:DateTime} "
        "AND value != '' AND startsWith(value, {begun:String}) "
        "ORDER BY value LIMIT {most:UInt32} "
        f"SETTINGS max_execution_time = {MOST_SECONDS}",
        {
            "project": project,
            "since": now - BACK,
            "until": now + timedelta(days=1),
            "begun": begun,
            "most": MOST,
        },
    )
    return [row["value"] for row in rows]
