"""A request as people read it: what will happen, line by line, and whose words stand behind it.

Everything here is text about text; nothing of it is ever markup.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsroom.web.charts import Tone

from .model import Request, State
from .watching import Share

MOST_FENCED = 20_000
LAID_OUT = frozenset({"grounding", "before"})

# How far each source of a value is to be relied on, in words.
SOURCES: dict[str, tuple[str, Tone]] = {
    "user": ("the user's own words", "good"),
    "followed": ("follows from the user's words", "good"),
    "record": ("a trusted record, not asked for", "warn"),
    "untrusted": ("only untrusted text", "bad"),
    "model": ("the model's own", "bad"),
}
STATES: dict[State, tuple[str, Tone]] = {
    State.PENDING: ("waiting", "info"),
    State.APPROVED: ("approved", "good"),
    State.EDITED: ("approved with changes", "good"),
    State.REJECTED: ("rejected", "bad"),
    State.RESPONDED: ("answered", "info"),
    State.EXPIRED: ("expired", "warn"),
    State.CANCELLED: ("withdrawn", "muted"),
    State.CONSUMED: ("approved and used", "good"),
}
RISKS: dict[str, Tone] = {"low": "muted", "medium": "warn", "high": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """Where a value comes from, in words."""

    words: str
    tone: Tone
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One argument: its name in words, what it will be, what it is or was asked to be."""

    name: str
    value: str
    before: str | None = None
    ground: Grounded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A piece of evidence, as text. `cut` characters of it are not shown."""

    name: str
    text: str
    cut: int = 0


def lines(request: Request) -> list[Line]:
    """What will happen, one line for each value, compared with what was asked (after an edit)
    or with how the world stands now (where the agent's gate knows).
    """
    wanted = dict(_values(request.proposed))
    was = _compared(request)
    grounds = _grounds(request)
    found = [
        Line(
            name=in_words(path),
            value=spelt(value),
            before=spelt(was[path]) if path in was and was[path] != value else None,
            ground=grounds.get(path),
        )
        for path, value in wanted.items()
    ]
    if request.edited is not None:
        found += [
            Line(name=in_words(path), value="", before=spelt(value))
            for path, value in was.items()
            if path not in wanted
        ]
    return found


def fences(request: Request) -> list[Fence]:
    """What the request rests on, as text that nobody has to believe."""
    return [
        Fence(
            name=name.replace("_", " "),
            text=text[:MOST_FENCED],
            cut=max(len(text) - MOST_FENCED, 0),
        )
        for name, value in request.evidence.items()
        if name not in LAID_OUT and value not in ("", None, [], {})
        for text in (value if isinstance(value, str) else _pretty(value),)
    ]


def arguments_text(request: Request) -> str:
    """The arguments as they would be executed, to be edited."""
    return _pretty(dict(request.proposed))


def in_words(path: str) -> str:
    """`/invoice/due_date` as `invoice · due date`, `/recipients/0` as `recipients · 1`."""
    parts = [one.replace("~1", "/").replace("~0", "~") for one in path.split("/")[1:]]
    return " · ".join(
        str(int(one) + 1) if one.isascii() and one.isdecimal() else one.replace("_", " ")
        for one in parts
    )


def spelt(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}"
        case str():
            return value or "(empty)"
        case _:
            return "none" if not value else _pretty(value)


def share_words(found: Share) -> str:
    """`3 of 40: 7.5 % [1.6 %, 20.4 %]`."""
    if found.interval is None:
        return "none yet"
    low, high = found.interval.low, found.interval.high
    return f"{found.hits} of {found.n}: {found.hits / found.n:.1%} [{low:.1%}, {high:.1%}]".replace(
        "%", "\N{NO-BREAK SPACE}%"
    )


def tally_words(says: Mapping[str, int]) -> str:
    """`12 answers: 9 approved, 2 edited, 1 rejected`."""
    words = {
        "approve": "approved",
        "edit": "edited",
        "reject": "rejected",
        "respond": "answered otherwise",
    }
    total = sum(says.values())
    parts = ", ".join(f"{says[say]} {word}" for say, word in words.items() if says.get(say))
    return f"{total} {'answer' if total == 1 else 'answers'}: {parts}" if total else ""


def _compared(request: Request) -> dict[str, Any]:
    if request.edited is not None:
        return dict(_values(request.arguments))
    before = request.evidence.get("before")
    return dict(_values(before)) if isinstance(before, Mapping) else {}


def _grounds(request: Request) -> dict[str, Grounded]:
    """The grounds of the values that were proposed; what a person put in has none."""
    given = request.evidence.get("grounding")
    asked, now = dict(_values(request.arguments)), dict(_values(request.proposed))
    found: dict[str, Grounded] = {}
    for one in given if isinstance(given, Sequence) and not isinstance(given, str) else ():
        if not isinstance(one, Mapping):
            continue
        path = str(one.get("path", ""))
        words, tone = SOURCES.get(str(one.get("source", "")), ("not known", "warn"))
        if asked.get(path) == now.get(path):
            because = str(one.get("because", ""))
            found[path] = Grounded(words=words, tone=tone, because=because)
    return found


def _values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside, by its JSON pointer."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            named = str(name).replace("~", "~0").replace("/", "~1")
            yield from _values(part, f"{path}/{named}")
    elif isinstance(value, list | tuple) and value:
        for number, part in enumerate(value):
            yield from _values(part, f"{path}/{number}")
    elif path:
        yield path, value


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
