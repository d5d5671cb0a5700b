"""Canaries: strings that stand in a secret place and nowhere else. Where one sings, it leaked.

Found as they are, in other letters (case, full width), with invisible characters in between,
in base64 at any place of a longer code, and in hexadecimal. Linear time.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from .errors import CanaryTooShort
from .model import MOST, Finding
from .reading import fold, unfolded

DETECTOR = "canary"
SHORTEST = 8
_BREAK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Canary:
    """How one canary may look: folded, as hexadecimal, and as base64 at its three places."""

    plain: str
    hexadecimal: str
    codes: tuple[str, ...]


class Canaries:
    """Looks for a set of canaries. Made once for a set; safe to share.

    Raises `CanaryTooShort` for one that would be found by accident.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._known = [_prepared(one) for one in strings]

    def find(self, text: str) -> tuple[Finding, ...]:
        """Where canaries sing in `text`, at most `MOST` places."""
        return tuple(islice(self._found(text), MOST)) if self._known else ()

    def _found(self, text: str) -> Iterator[Finding]:
        plain = fold(text)
        whole = _BREAK.sub("", text)  # codes are broken into lines
        for canary in self._known:
            at = plain.find(canary.plain)
            if at >= 0:
                span = unfolded(text, at, at + len(canary.plain))
                yield _finding("plain", span, "a canary stands in the text")
            if canary.hexadecimal in whole.lower():
                yield _finding("encoded", (0, len(text)), "a canary stands in hexadecimal")
            code = next((one for one in canary.codes if one in whole), None)
            if code is not None:
                at = max(text.find(code), 0)
                end = at + len(code) if text.startswith(code, at) else len(text)
                yield _finding("encoded", (at, end), "a canary stands in base64")


def _finding(kind: str, span: tuple[int, int], words: str) -> Finding:
    start, end = span
    return Finding(detector=DETECTOR, kind=kind, score=1.0, start=start, end=end, words=words)


def _prepared(string: str) -> _Canary:
    plain = fold(string)
    length = sum(one.isalnum() for one in plain)
    if length < SHORTEST:
        raise CanaryTooShort(length, SHORTEST)
    raw = string.encode("utf-8", "replace")
    codes = [_inside(raw, shift) for shift in range(3)]
    safe = [one.replace("+", "-").replace("/", "_") for one in codes]
    return _Canary(plain, raw.hex(), tuple(dict.fromkeys(codes + safe)))


def _inside(raw: bytes, shift: int) -> str:
    """The characters of a code that depend on `raw` alone, `shift` bytes after a group's start."""
    code = base64.b64encode(bytes(shift) + raw).decode()
    first = -(-shift * 8 // 6)
    return code[first : (shift + len(raw)) * 8 // 6]
