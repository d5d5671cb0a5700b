"""Reading the filter language of traces. Any text is a tree, nothing at all, or `BadTraceFilter`.

either := both ("OR" both)*
both   := one ("AND"? one)*
one    := ("NOT" | "-") one | "(" either ")" | term
term   := field (":" | "=" | "~" | ">" | ">=" | "<" | "<=") value | value
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import cast

from .asked import (
    DEEPEST,
    FINEST,
    LARGEST,
    LONGEST,
    MOST_TERMS,
    NUMBERS,
    RESERVED,
    STATUSES,
    WORDS,
    All,
    Any,
    Asked,
    Counted,
    Match,
    Mentioned,
    Not,
    Noted,
    Order,
    Said,
)
from .errors import BadTraceFilter

_QUOTED = r'"(?:[^"\\]|\\["\\])*"'
_HEAD = re.compile(
    rf"(?P<field>attr\.(?P<key>{_QUOTED}|[\w./-]+)|[A-Za-z_]+)(?P<sign>>=|<=|[:=~<>])",
    re.DOTALL,
)
_STRING = re.compile(_QUOTED, re.DOTALL)
_BARE = re.compile(r'[^\s()"]+')
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([a-z]{0,2})")
_SECONDS = {
    "us": Decimal("0.000001"),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}


def parse(text: str) -> Asked | None:
    """What is asked; None where nothing is. Raises `BadTraceFilter`, which names the place."""
    if len(text) > LONGEST:
        raise BadTraceFilter(LONGEST, "it is too long", f"{LONGEST} characters are read")
    reader = _Reader(text)
    if reader.ended():
        return None
    found = reader.either(0)
    if not reader.ended():
        raise reader.wrong("nothing opened this parenthesis", "take it away, or open it before")
    return found


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    terms: int = 0

    def wrong(self, why: str, how: str, at: int | None = None) -> BadTraceFilter:
        return BadTraceFilter(self.at if at is None else at, why, how)

    def ended(self) -> bool:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at == len(self.text)

    def taken(self, word: str) -> bool:
        if self.ended() or self.peek() != word:
            return False
        self.at += len(word)
        return True

    def peek(self) -> str:
        """The keyword or the sign that comes next, or what a term begins with."""
        if self.text[self.at] in '()"':
            return self.text[self.at]
        bare = _BARE.match(self.text, self.at)
        return bare[0] if bare else ""

    def either(self, depth: int) -> Asked:
        parts = [self.both(depth)]
        while self.taken("OR"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def both(self, depth: int) -> Asked:
        parts = [self.one(depth)]
        while self.taken("AND") or not (self.ended() or self.peek() in {")", "OR"}):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self, depth: int) -> Asked:
        if depth > DEEPEST:
            raise self.wrong("it is nested too deeply", f"{DEEPEST} levels are read")
        if self.ended():
            raise self.wrong("something is missing here", "write a term, such as agent:clerk")
        begun = self.at
        if self.taken("NOT"):
            return Not(self.one(depth + 1))
        if self.text[self.at] == "-":
            self.at += 1
            if self.at == len(self.text) or self.text[self.at].isspace():
                raise self.wrong("a minus stands alone", "put it right before a term", begun)
            return Not(self.one(depth + 1))
        if self.taken("("):
            found = self.either(depth + 1)
            if not self.taken(")"):
                raise self.wrong("a parenthesis is not closed", "close it with )", begun)
            return found
        return self.term()

    def term(self) -> Asked:
        begun = self.at
        if self.peek() in {*RESERVED, ")"}:
            raise self.wrong(
                f"a term is missing before {self.peek()!r}", "write one, or quote it"
            )
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise self.wrong("there are too many terms", f"{MOST_TERMS} are read")
        head = _HEAD.match(self.text, self.at)
        if head is None:
            return Mentioned(self.value())
        self.at = head.end()
        field, sign = head["field"], head["sign"]
        if head["key"]:
            key = _plain(head["key"])
            match = self.match(sign, begun)
            return Noted(key, match, self.value())
        if field in NUMBERS:
            return self.number(field, sign)
        if field not in WORDS:
            raise self.wrong(f"there is no field {field!r}", _like(field), begun)
        match = self.match(sign, begun)
        at = self.at
        value = self.value()
        if field == "status" and (match == "has" or value not in STATUSES):
            raise self.wrong(f"{value!r} is no status", "write status:ok, :error or :unset", at)
        return Said(field, match, value)

    def match(self, sign: str, begun: int) -> Match:
        if sign in {":", "="}:
            return "is"
        if sign == "~":
            return "has"
        raise self.wrong("words are not greater or less", "write : or ~ (contains)", begun)

    def number(self, field: str, sign: str) -> Counted:
        if sign == "~":
            raise self.wrong(
                "numbers do not contain anything", "write =, <, <=, > or >=", self.at
            )
        at = self.at
        value = self.value()
        told = _AMOUNT.fullmatch(value)
        unit = _SECONDS.get(told[2] or "s") if told and field == "duration" else Decimal(1)
        if told is None or unit is None or (told[2] and field != "duration"):
            how = "write 300ms, 2s, 5m or 1h" if field == "duration" else "write one like 0.05"
            raise self.wrong(f"{value!r} is no {field}", how, at)
        amount = round(Decimal(told[1]) * unit, FINEST)
        if amount >= LARGEST:
            raise self.wrong(f"{value!r} is too large", f"stay below {LARGEST}", at)
        return Counted(field, cast("Order", "=" if sign == ":" else sign), amount)

    def value(self) -> str:
        found = _STRING.match(self.text, self.at) or _BARE.match(self.text, self.at)
        if found is None:
            if self.text[self.at : self.at + 1] == '"':
                raise self.wrong('a text is not closed, or has a lone "\\"', 'close it with "')
            raise self.wrong("a value is missing", "write it without a space before it")
        self.at = found.end()
        return _plain(found[0])


def _plain(value: str) -> str:
    if value[0] != '"':
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)


def _like(field: str) -> str:
    near = get_close_matches(field.lower(), (*WORDS, *NUMBERS), n=1)
    if near:
        return f"did you mean {near[0]!r}? To search for it as text, quote it"
    return "fields are " + ", ".join((*WORDS, *NUMBERS, "attr.KEY")) + "; quote free text"
