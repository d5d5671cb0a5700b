"""Comparing what an MCP server offers: names, descriptions and schemas of its tools. No I/O.

A tool is an operation like any other: its input is a request, its output an answer. A
description is different: models act on it, so new words are never quite harmless.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opsroom.kit.wire import Wire

from .changes import Change, Level, Seen, Side
from .schemas import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFace(Wire):
    """A tool as its server describes it."""

    name: str
    description: str = ""
    input: dict[str, Any]
    output: dict[str, Any] | None = None


def compare_tools(before: Iterable[ToolFace], after: Iterable[ToolFace]) -> tuple[Change, ...]:
    """Every change between two lists of tools that a model or a program may notice."""
    was, now = {one.name: one for one in before}, {one.name: one for one in after}
    found = list[Change]()
    for name in sorted({*was, *now}):
        if name not in now:
            words = f"the tool `{name}` is gone; whoever calls it gets an error"
            found.append(_change("tool.removed", Level.BREAKING, name, "", words))
        elif name not in was:
            words = f"the tool `{name}` is new; nobody has to change"
            found.append(_change("tool.added", Level.COMPATIBLE, name, "", words))
        else:
            found += _tool(was[name], now[name])
    return tuple(found)


def _tool(was: ToolFace, now: ToolFace) -> Iterator[Change]:
    if was.description != now.description:
        words = (
            f"the description of `{now.name}` reads differently; models act on it, so somebody"
            " should read it"
        )
        yield _change("tool.description.changed", Level.WARNING, now.name, "description", words)
    yield from _schema(now.name, "input", Side.REQUEST, was.input, now.input)
    if was.output is not None and now.output is None:
        words = f"`{now.name}` no longer says what it answers; readers that rely on it break"
        yield _change("tool.output.removed", Level.BREAKING, now.name, "output", words)
    elif was.output is None and now.output is not None:
        words = f"`{now.name}` says what it answers now; nobody has to change"
        yield _change("tool.output.added", Level.COMPATIBLE, now.name, "output", words)
    elif was.output is not None and now.output is not None:
        yield from _schema(now.name, "output", Side.RESPONSE, was.output, now.output)


def _schema(
    name: str, part: str, side: Side, was: dict[str, Any], now: dict[str, Any]
) -> Iterator[Change]:
    comparison = Comparison(was, now)
    for one in comparison.schemas(was, now, side):
        yield _placed(name, part, one)
    if comparison.stopped:
        words = f"the {part} of `{name}` is too entangled to be compared to the end"
        yield _change("tool.unfinished", Level.WARNING, name, part, words)


def _placed(name: str, part: str, one: Seen) -> Change:
    where = f"{part} {'/'.join(('', *one.steps))}" if one.steps else part
    return _change(
        f"tool.{part}.{one.about}.{one.what}", one.level, name, where, f"{where}: {one.words}"
    )


def _change(name: str, level: Level, tool: str, path: str, words: str) -> Change:
    return Change(id=name, level=level, operation=tool, path=path, words=words)
