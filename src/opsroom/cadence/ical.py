"""Occasions as an iCalendar file (RFC 5545), for the calendars that people have anyway.

Every occasion is an event of a whole day, that on which it is due (UTC). Its identifier stays
when it is moved, so that calendars move it too.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from .model import LIVE, Occasion, State

FOLD = 75  # octets of a line without its end, RFC 5545 section 3.1
STATUS = {State.CANCELLED: "CANCELLED"}


def calendar(some: Sequence[Occasion], *, site: str, project: str, now: datetime) -> str:
    """The text of the file. `site` is the address of the pages."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//opsroom//cadence//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(f'opsroom {project}')}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        *(line for one in some for line in _event(one, site=site, now=now)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    r"""Text as a value: `\`, `;`, `,` and line ends are written out; other controls are left out."""
    written = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    written = written.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
    return "".join(one for one in written if one >= " " and one != "\x7f")


def folded(line: str) -> str:
    """A line as several of at most 75 octets, none broken inside a character."""
    parts: list[str] = []
    part, size = "", 0
    for one in line:
        width = len(one.encode("utf-8", "surrogatepass"))
        if size + width > FOLD:
            parts.append(part)
            part, size = " ", 1
        part += one
        size += width
    return "\r\n".join([*parts, part])


def _event(one: Occasion, *, site: str, now: datetime) -> Iterator[str]:
    day = one.due_at.astimezone(UTC)
    mark = "overdue: " if one.late(now) else "" if one.state in LIVE else f"{one.state.value}: "
    owner = f"Owner: {one.owner or 'nobody'}"
    url = f"{site.rstrip('/')}/cadence/{one.id}"
    changed = one.closed_at or one.started_at or one.opened_at
    yield "BEGIN:VEVENT"
    yield f"UID:{one.id}@opsroom"
    yield f"DTSTAMP:{changed.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"SEQUENCE:{len(one.moves)}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{escaped(mark + one.title)}"
    yield f"DESCRIPTION:{escaped(f'{owner}, state: {one.state.value}{_why(one)}')}"
    yield f"URL:{url}"
    yield f"STATUS:{STATUS.get(one.state, 'CONFIRMED')}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _why(one: Occasion) -> str:
    return f"\n{one.because}" if one.because else ""
