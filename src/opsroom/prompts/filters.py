"""The filters of prompts. Each takes plain data, gives plain data, and pays for both.

They are ours and not the engine's, because a filter is where a short template makes long
texts: `replace`, `join`, `indent` and `tojson` all multiply. Every filter charges what it
reads and writes to the meter of the rendering it is part of.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_OUTPUT = 1024 * 1024
MAX_WORK = 4 * 1024 * 1024

_PLAIN = frozenset({str, int, float, bool, list, dict, tuple, type(None)})
_EACH = 100  # what looking at one entry costs, when one character costs 1
_SEQUENCES = frozenset({list, tuple})


class Meter(threading.local):
    """What a rendering may still write and do; one for each thread."""

    output: int = 0
    work: int = 0

    def start(self) -> None:
        self.output = MAX_OUTPUT
        self.work = MAX_WORK

    def write(self, size: int) -> None:
        self.output -= size
        if self.output < 0:
            raise Exhausted(f"it gives more than {MAX_OUTPUT} characters")

    def charge(self, size: int) -> None:
        self.work -= size
        if self.work < 0:
            raise Exhausted("its filters read and write too much")


@dataclass(eq=False)
class Exhausted(Exception):
    """A rendering has used up what it may."""

    why: str


@dataclass(eq=False)
class Unfit(Exception):
    """A filter was given something that it is not for."""

    why: str


def placed(meter: Meter) -> Callable[[Any], Any]:
    """How a value is written where it is placed: text as it is, and the rest as JSON.

    Nothing is written for `none`. Anything that is not plain data is refused here, whatever
    way it found into the template.
    """

    def write(value: Any) -> Any:
        if type(value) is str:
            meter.write(len(value))
            return NotImplemented
        text = "" if value is None else _tojson(meter, value)
        meter.write(len(text))
        return text

    return write


def filters(meter: Meter) -> dict[str, Callable[..., Any]]:
    """Every filter that a prompt may use, by name, charging to `meter`."""
    return {name: _metered(meter, name, work) for name, work in _FILTERS.items()}


def _metered(meter: Meter, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def apply(value: Any, *given: Any, **named: Any) -> Any:
        meter.charge(16 + (len(value) if type(value) is str else 0))
        for one in (*given, *named.values()):
            if type(one) is str:
                meter.charge(len(one))
        try:
            return work(meter, value, *given, **named)
        except (TypeError, ValueError, OverflowError, KeyError, IndexError) as error:
            raise Unfit(f"`{name}` cannot be used in this way") from error
        except Unfit as error:
            raise Unfit(f"`{name}` {error.why}") from None

    return apply


def _on_text(change: Callable[[str], str]) -> Callable[[Meter, Any], str]:
    return lambda _meter, value: change(_text(value))


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise Unfit("is for text")


def _number(value: Any) -> float:
    if type(value) in {int, float}:
        number: float = value
        return number
    raise Unfit("is for numbers")


def _items_of(value: Any) -> Sequence[Any]:
    if type(value) in _SEQUENCES:
        items: Sequence[Any] = value
        return items
    raise Unfit("is for lists")


def _tojson(meter: Meter, value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) not in _PLAIN:
        raise Unfit("is for data, and this is none")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit("is for plain data") from error
    meter.charge(3 * len(text))
    return text


def _abs(_meter: Meter, value: Any) -> float:
    return abs(_number(value))


def _round(_meter: Meter, value: Any, digits: int = 0) -> float:
    return round(_number(value), min(digits, 15))


def _convert(to: Callable[[Any], Any]) -> Callable[[Meter, Any], Any]:
    def convert(_meter: Meter, value: Any) -> Any:
        if type(value) not in {str, int, float} or (type(value) is str and len(value) > 100):
            raise Unfit("is for numbers and short texts")
        return to(value)

    return convert


def _default(_meter: Meter, value: Any, other: Any = "") -> Any:
    return other if value is None else value


def _length(_meter: Meter, value: Any) -> int:
    if type(value) in {str, list, tuple, dict}:
        return len(value)
    raise Unfit("is for texts, lists and objects")


def _first(_meter: Meter, value: Any) -> Any:
    return next(iter(value if type(value) is str else _items_of(value)), None)


def _last(_meter: Meter, value: Any) -> Any:
    items = value if type(value) is str else _items_of(value)
    return items[-1] if items else None


def _indent(meter: Meter, value: Any, width: int = 4) -> str:
    text = _text(value)
    if type(width) is not int or not 0 <= width <= 100:
        raise Unfit("takes a width from 0 to 100")
    meter.charge(width * text.count("\n"))
    return text.replace("\n", "\n" + " " * width)


def _items(meter: Meter, value: Any) -> list[list[Any]]:
    if type(value) is not dict:
        raise Unfit("is for objects")
    pairs: Mapping[str, Any] = value
    meter.charge(_EACH * len(pairs))
    return [[key, one] for key, one in pairs.items()]


def _join(meter: Meter, value: Any, between: str = "") -> str:
    separator = _text(between)
    texts = [one if type(one) is str else _tojson(meter, one) for one in _items_of(value)]
    meter.charge(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(meter: Meter, value: Any, old: str, new: str) -> str:
    text, wanted, given = _text(value), _text(old), _text(new)
    if not wanted:
        raise Unfit("was given nothing to look for")
    meter.charge(text.count(wanted) * len(given))
    return text.replace(wanted, given)


def _reverse(meter: Meter, value: Any) -> Any:
    if type(value) is str:
        return value[::-1]
    items = _items_of(value)
    meter.charge(_EACH * len(items))
    return items[::-1]


def _sort(meter: Meter, value: Any, *, reverse: Any = False, attribute: Any = None) -> Any:
    items = _items_of(value)
    keys = [one if attribute is None else one[attribute] for one in items]
    meter.charge(_EACH * len(items) + _weight(keys))
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[index] for index in order]


def _truncate(_meter: Meter, value: Any, length: int = 255, end: str = "…") -> str:
    text, tail = _text(value), _text(end)
    if type(length) is not int or length < len(tail):
        raise Unfit("takes a length that its ending fits into")
    return text if len(text) <= length else text[: length - len(tail)] + tail


def _unique(meter: Meter, value: Any) -> list[Any]:
    seen: dict[str, Any] = {}
    for one in _items_of(value):
        meter.charge(2 * _EACH)
        seen.setdefault(_tojson(meter, [one]), one)
    return list(seen.values())


def _weight(keys: Sequence[Any]) -> int:
    """How much there is to compare."""
    return sum(len(one) for one in keys if type(one) is str)


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "abs": _abs,
    "capitalize": _on_text(str.capitalize),
    "default": _default,
    "first": _first,
    "float": _convert(float),
    "indent": _indent,
    "int": _convert(int),
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": _on_text(str.lower),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "sort": _sort,
    "title": _on_text(str.title),
    "tojson": _tojson,
    "trim": _on_text(str.strip),
    "truncate": _truncate,
    "unique": _unique,
    "upper": _on_text(str.upper),
}
