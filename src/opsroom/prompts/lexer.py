"""The tokens inside the braces of a template, read one at a time."""

import re
from bisect import bisect_right

from .errors import TemplateBroken, TemplateRefused

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"""(?P<end>[-+]?[%}]\})
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w]))
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<op>==|!=|<=|>=|[<>|.,:=()\[\]])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


class Cursor:
    """Where the reading stands: the current token, its start, and the offset behind it.

    Every complaint names the place, the line and the column.
    """

    def __init__(self, source: str, place: str) -> None:
        self.source = source
        self.place = place
        self.offset = 0
        self.start = 0
        self.kind = ""
        self.value = ""
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", source))]

    def open(self, start: int) -> None:
        """Go inside the braces that start at `start`, to the first token."""
        self.offset = start + 2
        if self.source[self.offset : self.offset + 1] in {"-", "+"}:
            self.offset += 1
        self.advance()

    def advance(self) -> None:
        """Read the next token."""
        space = _SPACE.match(self.source, self.offset)
        self.start = space.end() if space else self.offset
        token = _TOKEN.match(self.source, self.start)
        if token is None:
            raise self._no_token()
        self.kind, self.value, self.offset = token.lastgroup or "", token.group(), token.end()

    def _no_token(self) -> TemplateBroken | TemplateRefused:
        left = self.source[self.start : self.start + 1]
        if not left:
            return self.broken(self.start, "the template ends inside {{ … }} or {% … %}")
        if left in {"'", '"'}:
            return self.broken(self.start, f"the text that starts with {left} is never closed")
        if left in set("~+-*/%&^"):
            return self.refused(self.start, f"a prompt cannot compute with {left!r}")
        if left == "{":
            return self.refused(self.start, "a prompt cannot build objects")
        if left.isdecimal():
            return self.broken(
                self.start, "a number has at most 15 digits, and 15 behind the point"
            )
        return self.broken(self.start, f"{left!r} is out of place")

    def close(self, mark: str) -> None:
        """The braces must end here, with `mark`."""
        if self.kind != "end":
            raise self.broken(self.start, f"{self.value!r} is out of place")
        if not self.value.endswith(mark):
            raise self.broken(self.start, f"this is closed with {self.value!r}, not {mark!r}")

    def at(self, kind: str, value: str) -> bool:
        """Is the current token this one?"""
        return self.kind == kind and self.value == value

    def expect(self, mark: str) -> None:
        if not self.at("op", mark):
            raise self.broken(self.start, f"{mark!r} is missing")
        self.advance()

    def take_name(self, what: str) -> str:
        """The current token, which must be a name, and go on."""
        if self.kind != "name":
            raise self.broken(self.start, f"{what} is missing here")
        name = self.value
        self.advance()
        return name

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_start(self, offset: int) -> int:
        """Where the line of `offset` begins."""
        return self._line_starts[bisect_right(self._line_starts, offset) - 1]

    def broken(self, offset: int, why: str) -> TemplateBroken:
        return TemplateBroken(self.place, *self.position(offset), why)

    def refused(self, offset: int, why: str) -> TemplateRefused:
        return TemplateRefused(self.place, *self.position(offset), why)
