"""The small template language of prompts, and a reader that tells what a template does.

A prompt chooses and places values; it does not compute. So of the Jinja language we take

    {{ value }}  {{ order.items[0].name | upper }}  {{ note if note else "none" }}
    {% if %} {% elif %} {% else %} {% endif %}   {% for x in xs if x.ok %} … {% else %} {% endfor %}
    {% include "local name" %}   {% raw %} … {% endraw %}   {# remark #}

with comparisons, `and or not in is`, literals, and the filters and tests of template.py. There
are no calls, no assignments, no arithmetic and no macros: those are what template injection
and template bombs are made of. The reader refuses everything else by name and place before
the engine sees it, in one pass over the text. engine.py gives what it lets through to
minijinja, which is set up with the same lists, so neither has to be right alone.
"""

import re
from dataclasses import dataclass, field

from .expressions import ExpressionReader
from .model import RESERVED
from .template import MAX_NESTING, MAX_STEPS, MAX_TAGS, Does, Piece, Template

_OPENING = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%[-+]?[ \t\r\n]*raw[ \t\r\n]*[-+]?%\}")
_ENDRAW = re.compile(r"\{%[-+]?[ \t\r\n]*endraw[ \t\r\n]*[-+]?%\}")
_WHOLE = re.compile(r"\{\{[-+]?[ \t\r\n]*[A-Za-z_][A-Za-z0-9_]*[ \t\r\n]*[-+]?\}\}", re.ASCII)
MAX_INDENT = 200
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|\Z)")


def read_template(source: str, *, place: str = "template") -> Template:
    """Read a template, or say what is wrong with it and where.

    Raises `TemplateBroken` for what is no template and `TemplateRefused` for what is one, but
    uses something a prompt may not.
    """
    return _Reader(source, place).read()


@dataclass(slots=True)
class _Frame:
    tag: str
    offset: int
    bound: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    otherwise: bool = False
    branches: int = 0


class _Reader(ExpressionReader):
    """One pass over one template."""

    def __init__(self, source: str, place: str) -> None:
        super().__init__(source, place)
        self._frames: list[_Frame] = []
        self._pieces: list[Piece] = []
        self._tags = 0
        self._logic: tuple[int, int] | None = None
        self._written: list[str] = []
        self._copied = 0

    def read(self) -> Template:
        while (opening := _OPENING.search(self.source, self.offset)) is not None:
            self._text(self.offset, opening.start())
            self._tags += 1
            if self._tags > MAX_TAGS:
                why = f"there are more than {MAX_TAGS} places, tags and remarks"
                raise self.refused(opening.start(), why)
            match opening.group():
                case "{#":
                    self._comment(opening.start())
                case "{{":
                    self._placed(opening.start())
                case _ if raw := _RAW.match(self.source, opening.start()):
                    self._raw(opening.start(), raw.end())
                case _:
                    self._tag(opening.start())
        self._text(self.offset, len(self.source))
        if self._frames:
            frame = self._frames[-1]
            raise self.broken(frame.offset, f"{{% {frame.tag} %}} is never closed")
        return Template(
            source="".join((*self._written, self.source[self._copied :])),
            pieces=tuple(self._pieces),
            names=self.names,
            comparisons=tuple(self.comparisons),
            logic=self._logic,
        )

    # -- what stands between the braces --

    def _comment(self, start: int) -> None:
        end = self.source.find("#}", start + 2)
        if end < 0:
            raise self.broken(start, "the remark {# is never closed")
        self.offset = end + 2
        self._alone(start)

    def _raw(self, start: int, behind: int) -> None:
        end = _ENDRAW.search(self.source, behind)
        if end is None:
            raise self.broken(start, "{% raw %} is never closed")
        self._text(behind, end.start())
        self.offset = end.end()

    def _placed(self, start: int) -> None:
        self._enter(start)
        found = self.expression()
        self.close("}}")
        if not found.literal and _WHOLE.fullmatch(self.source, start, self.offset) is None:
            self._more(start)
        self._add(Does.PLACE, start, sources=frozenset(found.sources), filters=found.filters)

    def _tag(self, start: int) -> None:
        self._enter(start)
        tag = self.take_name("a tag")
        match tag:
            case "if":
                self._tag_if(start)
            case "elif":
                self._tag_elif(start)
            case "else":
                self._tag_else(start)
            case "for":
                self._tag_for(start)
            case "endif" | "endfor":
                self._inside(start, tag, tag.removeprefix("end"))
                self._frames.pop()
                self.scopes.pop()
            case "include":
                self._tag_include(start)
            case "raw" | "endraw":
                raise self.broken(start, f"{{% {tag} %}} is out of place")
            case _:
                raise self.refused(start, f"{{% {tag} %}} is not part of prompts")
        self.close("%}")
        if tag != "include":
            self._alone(start)

    def _enter(self, start: int) -> None:
        self.steps = 0
        self.open(start)

    def _tag_if(self, start: int) -> None:
        self._push(_Frame("if", start))
        self.alternative()

    def _tag_elif(self, start: int) -> None:
        frame = self._inside(start, "elif", "if")
        if frame.otherwise:
            raise self.broken(start, "{% elif %} stands after {% else %}")
        frame.branches += 1
        if frame.branches > MAX_STEPS:
            raise self.refused(start, f"more than {MAX_STEPS} branches of one {{% if %}}")
        self.alternative()

    def _tag_else(self, start: int) -> None:
        frame = self._inside(start, "else", "if", "for")
        if frame.otherwise:
            raise self.broken(start, "a second {% else %}")
        frame.otherwise = True
        frame.bound.clear()

    def _tag_for(self, start: int) -> None:
        targets = [self._target()]
        while self.at("op", ","):
            self.advance()
            targets.append(self._target())
        if not self.at("name", "in"):
            raise self.broken(self.start, "{% for %} needs `in`")
        self.advance()
        found = self.alternative()
        frame = _Frame("for", start, dict.fromkeys(targets, frozenset(found.sources)))
        self._push(frame)
        if self.at("name", "if"):
            self.advance()
            self.alternative()
        frame.bound["loop"] = frozenset()

    def _tag_include(self, start: int) -> None:
        if self.kind != "string" or "\\" in self.value:
            raise self.refused(self.start, "{% include %} takes a name in quotes")
        name = self.value[1:-1]
        self.advance()
        bound = frozenset(name for frame in self._frames for name in frame.bound)
        self._add(Does.INCLUDE, start, text=name, bound=bound)

    # -- blocks and names --

    def _target(self) -> str:
        start, name = self.start, self.take_name("the name of the loop variable")
        if name in RESERVED or name.startswith("__"):
            raise self.broken(start, f"{name!r} cannot be a loop variable")
        return name

    def _inside(self, start: int, tag: str, *allowed: str) -> _Frame:
        if not self._frames or self._frames[-1].tag not in allowed:
            raise self.broken(start, f"{{% {tag} %}} is out of place")
        return self._frames[-1]

    def _more(self, start: int) -> None:
        """What starts here is more than placing a whole value."""
        self._logic = self._logic or self.position(start)

    def _push(self, frame: _Frame) -> None:
        self._more(frame.offset)
        self._frames.append(frame)
        self.scopes.append(frame.bound)
        if len(self._frames) > MAX_NESTING:
            raise self.refused(frame.offset, f"blocks are nested deeper than {MAX_NESTING}")

    def _alone(self, start: int) -> None:
        """Where a tag is all that its line holds, take the line's end into the tag.

        The engine can only drop the end of line behind every tag, and so would join what
        stands before a tag at the end of a line with the next line.
        """
        begin = self.line_start(start)
        behind = _LINE_END.match(self.source, self.offset)
        tag = self.source[start : self.offset]
        alone = start - begin <= MAX_INDENT and not self.source[begin:start].strip(" \t")
        if alone and behind is not None and tag[2] not in "-+" and tag[-3] not in "-+":
            self._written += [
                self.source[self._copied : begin],
                tag[:-2],
                behind.group(),
                tag[-2:],
            ]
            self._copied = behind.end()

    # -- results --

    def _text(self, start: int, end: int) -> None:
        if start < end:
            self._add(Does.TEXT, start, text=self.source[start:end])

    def _add(
        self,
        does: Does,
        start: int,
        *,
        text: str = "",
        sources: frozenset[str] = frozenset(),
        filters: tuple[str, ...] = (),
        bound: frozenset[str] = frozenset(),
    ) -> None:
        line, column = self.position(start)
        self._pieces.append(
            Piece(
                does=does,
                line=line,
                column=column,
                text=text,
                sources=sources,
                filters=filters,
                bound=bound,
                repeated=any(frame.tag == "for" for frame in self._frames),
            )
        )
