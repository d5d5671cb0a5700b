"""Texts, numbers and white space as JavaScript has them, which is what assertions are written for."""

import json
import re
from collections import Counter
from math import isfinite
from typing import Any

SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SPACES = re.compile(f"[{SPACE}]+")
_TRIMMED = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def as_text(value: Any) -> str:  # noqa: PLR0911  # one return a type
    """What `String(value)` is: 1.0 is "1", true is "true", a list is joined with commas."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            whole = isfinite(value) and value.is_integer() and abs(value) < 1e21
            return str(int(value)) if whole else repr(value)
        case list():
            return ",".join("" if one is None else as_text(one) for one in value)
        case _:
            return "[object Object]"


def trimmed(text: str) -> str:
    return text.strip(_TRIMMED)


def split_words(text: str) -> list[str]:
    """The words between white space; of an empty text that is one empty word."""
    return _SPACES.split(trimmed(text))


def number(value: Any) -> float | None:
    """A value that is a number, or None; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def number_of(text: str) -> float | None:
    """The number that a text is, or None."""
    try:
        return number(json.loads(trimmed(text) or "0"))
    except ValueError:
        return None


def units(text: str) -> list[int]:
    """The UTF-16 code units of a text, which is what JavaScript counts."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[at] | raw[at + 1] << 8 for at in range(0, len(raw), 2)]


def grams(words: list[str], size: int) -> Counter[str]:
    """The runs of `size` words, counted."""
    return Counter(" ".join(words[at : at + size]) for at in range(len(words) - size + 1))


def listed(text: str) -> list[str]:
    """The fields of a comma separated list; quotes keep commas together.

    Raises `ValueError` where a quote is not closed or something follows it.
    """
    fields: list[str] = []
    at, end = 0, len(text)
    while True:
        while at < end and (text[at] == "," or text[at] in _TRIMMED):
            at += 1
        if at >= end:
            return fields
        if text[at] != '"':
            stop = text.find(",", at)
            stop = end if stop < 0 else stop
            fields.append(trimmed(text[at:stop]))
            at = stop
            continue
        field, at = _quoted(text, at + 1)
        fields.append(field)
        while at < end and text[at] in _TRIMMED:
            at += 1
        if at < end and text[at] != ",":
            raise ValueError("a comma is missing behind a quoted field")


def _quoted(text: str, at: int) -> tuple[str, int]:
    kept: list[str] = []
    while at < len(text):
        pair = text[at : at + 2]
        if pair in {'\\"', "\\\\", '""'}:
            kept.append(pair[1])
            at += 2
        elif text[at] == '"':
            return "".join(kept), at + 1
        else:
            kept.append(text[at])
            at += 1
    raise ValueError("a quoted field is not closed")
