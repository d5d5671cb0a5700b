"""`opsroom trace …`: what happened, from the terminal."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from opsroom.sdk.terminal import client, plural, show, span, table

BASE = "/v1/traces"


@click.group()
def trace() -> None:
    """Traces: what agents did, span by span."""


@trace.command("list")
@click.option("--agent", default="", help="Only with spans of this agent.")
@click.option("--tool", default="", help="Only with calls of this tool.")
@click.option("--model", "served_model", default="", help="Only served by this model.")
@click.option("--session", default="", help="Only of this session.")
@click.option("--user", default="", help="Only of this user.")
@click.option("--release", default="", help="Only under this release.")
@click.option("--turn", default="", help="Only of this turn.")
@click.option("--status", type=click.Choice(("", "ok", "error")), default="", help="Only so.")
@click.option("--where", "q", default="", help="Only like this: 'status:error cost>0.05'.")
@click.option("--view", default="", help="Only of this saved view.")
@click.option("--before", default="", help="Go on after this cursor.")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_(ctx: click.Context, /, **asked: Any) -> None:
    """Traces, newest first."""
    found = client(ctx).get(BASE, **{name: value for name, value in asked.items() if value})
    show(ctx, found["items"], _list)


@trace.command("show")
@click.argument("trace_id")
@click.pass_context
def show_(ctx: click.Context, trace_id: str) -> None:
    """Every span of a trace, below the one that caused it."""
    show(ctx, client(ctx).get(f"{BASE}/{trace_id}"), _tree)


@trace.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.pass_context
def import_(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Bring in traces from FILES: exports of Langfuse, or lists of spans; gzip is unpacked.

    The same file again changes nothing.
    """
    import gzip
    import json

    from .errors import NotATrace
    from .foreign import bodies

    here = client(ctx)
    found: list[dict[str, Any]] = []
    for file in files:
        raw = file.read_bytes()
        try:
            document = json.loads(gzip.decompress(raw) if file.suffix == ".gz" else raw)
        except (OSError, EOFError, ValueError) as error:
            raise NotATrace(f"{file.name} is no JSON: {error}") from error
        sent, refused = 0, 0
        for request, spans in bodies(document):
            answer = here.post(BASE, request) or {}
            refused += int(answer.get("partialSuccess", {}).get("rejectedSpans", 0))
            sent += spans
        found.append({"file": file.name, "spans": sent - refused, "refused": refused})
    show(ctx, found, _imported)


def _imported(found: list[dict[str, Any]]) -> str:
    rows = [(one["file"], one["spans"], one["refused"]) for one in found]
    return table(("file", "spans", "refused"), rows, empty="nothing")


@trace.command()
@click.pass_context
def views(ctx: click.Context) -> None:
    """The saved views of the list."""
    show(ctx, client(ctx).get(f"{BASE}/views"), _views)


@trace.command("save-view")
@click.argument("name")
@click.option("--where", "q", default="", help="Like this: 'status:error cost>0.05'.")
@click.option("--agent", default="", help="With spans of this agent.")
@click.option("--tool", default="", help="With calls of this tool.")
@click.option("--model", "served_model", default="", help="Served by this model.")
@click.option("--session", default="", help="Of this session.")
@click.option("--user", default="", help="Of this user.")
@click.option("--release", default="", help="Under this release.")
@click.option("--status", type=click.Choice(("", "ok", "error")), default="", help="So.")
@click.option("--hours", default=0, help="No older than so many hours.")
@click.pass_context
def save_view(ctx: click.Context, /, name: str, q: str, hours: int, **words: str) -> None:
    """Keep what is asked of the list under NAME, for everybody in the project."""
    asked = {key: value for key, value in words.items() if value}
    body = {"name": name, "q": q, "words": asked, "hours": hours}
    made = client(ctx).post(f"{BASE}/views", body)
    show(ctx, made, lambda one: f"saved {one['name']}")


@trace.command("remove-view")
@click.argument("name")
@click.pass_context
def remove_view(ctx: click.Context, name: str) -> None:
    """Forget the view NAME."""
    client(ctx).delete(f"{BASE}/views/{quote(name, safe='')}")
    show(ctx, {"removed": name}, lambda one: f"removed {one['removed']}")


@trace.command("add-to-dataset")
@click.argument("trace_id", metavar="TRACE")
@click.argument("dataset")
@click.option("--expected", help="What should have come out [what did].")
@click.pass_context
def add_to_dataset(
    ctx: click.Context, trace_id: str, dataset: str, expected: str | None
) -> None:
    """Make the next version of DATASET, with TRACE as a candidate behind its items."""
    body = {"dataset": dataset, "expected": expected}
    show(ctx, client(ctx).post(f"{BASE}/{trace_id}/dataset", body), _taken)


@trace.command()
@click.option(
    "--by",
    type=click.Choice(("agent", "version", "tool", "served_model", "prompt", "release")),
    default="agent",
    help="What to tell apart [agent].",
)
@click.pass_context
def figures(ctx: click.Context, by: str) -> None:
    """How many spans there were in the last day, how long they took, what they cost."""
    show(ctx, client(ctx).get(f"{BASE}/figures", by=by), _figures)


def _list(found: list[dict[str, Any]]) -> str:
    columns = ("trace", "name", "agents", "errors", "spans", "took", "tokens", "cost", "began")
    rows = [
        (
            one["trace_id"],
            one["name"] or "–",
            ", ".join(one["agents"]),
            one["errors"] or "",
            one["spans"],
            span(one["duration"]),
            one["input_tokens"] + one["output_tokens"],
            one["cost"] + (" and more" if one["unpriced"] else ""),
            one["first"][:19],
        )
        for one in found
    ]
    return table(columns, rows, empty="no trace is like that")


def _views(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["name"],
            one["q"],
            " ".join(f"{name}={value}" for name, value in one["words"].items()),
            f"{one['hours']} h" if one["hours"] else "",
            one["by"],
        )
        for one in found
    ]
    columns = ("view", "filter", "with", "since", "by")
    return table(columns, rows, empty="no view is saved yet")


def _taken(taken: dict[str, Any]) -> str:
    how = "has it as a candidate" if taken["added"] else "had it before"
    return f"{taken['version']} {how}: {taken['item']}"


def _tree(spans: list[dict[str, Any]]) -> str:
    ids = {one["span_id"] for one in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    for one in spans:
        parent = one["parent_id"] if one["parent_id"] in ids else ""
        below.setdefault(parent, []).append(one)
    lines: list[str] = []
    waiting = [(one, 0) for one in reversed(below.get("", spans[:1]))]
    while waiting:
        one, depth = waiting.pop()
        mark = "✕ " if one["status"] == "error" else ""
        said = f" {one['status_message']}" if one["status_message"] else ""
        lines.append(f"{'  ' * depth}{mark}{one['name']}  {span(one['duration'])}{said}")
        waiting.extend((child, depth + 1) for child in reversed(below.pop(one["span_id"], [])))
    return "\n".join((*lines, plural(len(spans), "span")))


def _figures(found: list[dict[str, Any]]) -> str:
    columns = ("", "spans", "errors", "p50", "p95", "p99", "tokens", "cost")
    rows = [
        (
            one["key"],
            one["spans"],
            one["errors"],
            f"{one['p50']:.3g} s",
            f"{one['p95']:.3g} s",
            f"{one['p99']:.3g} s",
            one["input_tokens"] + one["output_tokens"],
            one["cost"] or "",
        )
        for one in found
    ]
    return table(columns, rows, empty="nothing in the last day")
