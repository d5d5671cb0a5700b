"""What every command does the same way: find the server, show an answer, say a sentence.

Answers go to standard output, for reading or with `--json` as data; everything said beside
them goes to standard error, so that a pipe only ever carries the answer.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from .client import Opsroom

JSON, URL, TOKEN, DATA = (f"opsroom.{name}" for name in ("json", "url", "token", "data"))
_CLIENT = "opsroom.client"
_SMALL = re.compile(r"(\d+\.\d{3})\d*S")


def common_options() -> list[click.Option]:
    """What every command takes, wherever it stands in the line."""
    return [
        _option("--json", JSON, "Answer as JSON.", is_flag=True),
        _option("--url", URL, "Address of the server [OPSROOM_URL]."),
        _option("--token", TOKEN, "API token [OPSROOM_TOKEN]."),
        _option("--data", DATA, "Folder of the installation [OPSROOM_HOME, ./.opsroom]."),
    ]


def client(ctx: click.Context) -> Opsroom:
    """The client that the options and the environment ask for; closed when the command ends."""
    root = ctx.find_root()
    found: Opsroom | None = ctx.meta.get(_CLIENT)
    if found is None:
        found = Opsroom(
            ctx.meta.get(URL), ctx.meta.get(TOKEN), ctx.meta.get(DATA), make=True, person=True
        )
        ctx.meta[_CLIENT] = found
        root.call_on_close(found.close)
    return found


def wants_json(ctx: click.Context) -> bool:
    return bool(ctx.meta.get(JSON))


def show(ctx: click.Context, answer: Any, words: Callable[[Any], str]) -> None:
    """Print the answer of a command: `words` make it readable, `--json` takes it as it is."""
    text = _dump(answer) if wants_json(ctx) else words(answer)
    if text:
        click.echo(text)


def span(text: str) -> str:
    """An ISO 8601 duration as people type it: `7d`, `2h30m`, `0.026s`."""
    days, _, rest = text.removeprefix("P").partition("T")
    return _SMALL.sub(r"\1s", days + rest).lower()


def say(ctx: click.Context, sentence: str) -> None:
    """Tell the person at the terminal something beside the answer; never with `--json`."""
    if not wants_json(ctx):
        click.echo(sentence, err=True)


def colour() -> bool:
    """Whether standard output is a terminal that wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> str:
    """Rows under headings, as wide as they need; `empty` says what to do when there are none."""
    cells = [[_cell(one) for one in row] for row in rows]
    if not cells:
        return empty
    widths = [
        max(len(row[number]) for row in [list(columns), *cells])
        for number in range(len(columns))
    ]
    heading = [column.upper() for column in columns]
    lines = [
        "  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip()
        for row in [heading, *cells]
    ]
    return "\n".join(lines)


def plural(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    text = str(value)
    # A control character in stored text must not reach the terminal.
    return "".join(one if one.isprintable() else " " for one in text)


def _dump(answer: Any) -> str:
    return json.dumps(answer, indent=2, ensure_ascii=False)


def _option(flag: str, key: str, about: str, **rest: Any) -> click.Option:
    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            ctx.meta[key] = value

    return click.Option(
        [flag, key.replace(".", "_")], help=about, expose_value=False, callback=keep, **rest
    )
