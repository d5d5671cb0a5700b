"""Which secrets stand in a text: what redaction would take out, named and placed."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import re2

from opsroom.kit.redaction import Redactor, Rule, rules_of

from .model import MOST, Finding
from .reading import characters, utf8

DETECTOR = "secret"
KINDS: Final = ("private-key", "jwt", "key")
_WORDS: Final = {"private-key": "a private key", "jwt": "a session token", "key": "an API key"}


def secrets(text: str, *, kinds: Iterable[str] = KINDS) -> tuple[Finding, ...]:
    """Where secrets of these kinds (names of redaction rules) stand in `text`.

    Raises `BrokenRule` for a name that no shipped rule has.
    """
    data = utf8(text)
    return tuple(islice(_found(data, rules_of(kinds)), MOST))


def _found(data: bytes, rules: Iterable[Rule]) -> Iterator[Finding]:
    for rule in rules:
        for found in _pattern(rule.pattern + _taken_out(rule)).finditer(data):
            whole = found[0].decode()
            # The redactor has the last word: it also checks the digits of numbers.
            marked = whole.startswith("[redacted:")
            if rule.check is None or marked or Redactor((rule,)).clean(whole) != whole:
                start, end = characters(data, found.span())
                yield Finding(
                    detector=DETECTOR,
                    kind=rule.name,
                    score=0.9,
                    start=start,
                    end=end,
                    words=f"{_WORDS.get(rule.name, rule.name)} stands in the text",
                )


def _taken_out(rule: Rule) -> str:
    """What redaction leaves in the place of a secret says that one stood there."""
    return rf"|\[redacted:{rule.name}\]"


@lru_cache(maxsize=64)
def _pattern(pattern: str) -> Any:
    return re2.compile(pattern)
