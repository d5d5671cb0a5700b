"""`opsroom integration …` and `opsroom openapi diff`: what systems promise, and what changed."""

import json
from pathlib import Path
from typing import Any

import click

from opsroom.registry.cli import add_looks, add_store
from opsroom.sdk.terminal import client, plural, say, show, table

BASE = "/v1/integrations"
BREAKING = 3
MOST = 50


@click.group()
def integration() -> None:
    """Integrations: the systems that agents reach, and whether they keep their word."""


add_store(integration, "integration", "integration lint {ref}")
add_looks(integration, "integration")


@integration.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """How every integration stands, and why."""
    found = list(client(ctx).every(BASE, "after"))
    show(ctx, found, _list)


@integration.command("show")
@click.argument("name")
@click.pass_context
def show_(ctx: click.Context, name: str) -> None:
    """One integration: how it stands, what changed, and whom it hurts."""
    show(ctx, client(ctx).get(f"{BASE}/{name}"), _detail)


@integration.command()
@click.argument("name")
@click.pass_context
def check(ctx: click.Context, name: str) -> None:
    """Check it now. Ends with 3 where it failed or promises something that breaks callers."""
    run = client(ctx).post(f"{BASE}/{name}/check")
    show(ctx, run, _run)
    if run["outcome"] == "failed" or run["level"] == "breaking":
        ctx.exit(BREAKING)


@integration.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, help="How many at most.")
@click.pass_context
def history(ctx: click.Context, name: str, limit: int) -> None:
    """The checks of an integration, newest first."""
    found = client(ctx).get(f"{BASE}/{name}/runs", limit=limit)
    show(ctx, found["items"], _history)


@integration.command()
@click.argument("name")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def accept(ctx: click.Context, name: str, reason: str) -> None:
    """Hold it to what it promises now, as its last check found it."""
    here = client(ctx)
    document = here.get(f"{BASE}/{name}")["standing"]["document"]
    now = here.post(f"{BASE}/{name}/accept", {"document": document, "reason": reason})
    show(ctx, now, lambda one: f"{name} is {one['state']}: {one['because']}")


@click.group()
def openapi() -> None:
    """OpenAPI documents: what changed between two of them, and whom it hurts."""


@openapi.command("diff")
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "every", is_flag=True, help="Also what nobody has to change for.")
@click.pass_context
def openapi_diff(ctx: click.Context, before: Path, after: Path, *, every: bool) -> None:
    """Compare two documents, as JSON or YAML; needs no server. Ends with 3 where callers or
    readers of the first break.
    """
    from opsroom.kit.wire import plain

    from .differ import compare, worst
    from .reading import read_document

    was, now = (read_document(one.read_text(encoding="utf-8")) for one in (before, after))
    changes = compare(was, now)
    shown = [plain(one) for one in changes if every or one.level.value != "compatible"]
    answer = {"level": worst(changes), "changes": shown}
    show(ctx, json.loads(json.dumps(answer)), _changes_found)
    left = len(changes) - len(shown)
    if left:
        say(ctx, f"{plural(left, 'change')} that nobody has to change for: --all shows them")
    if answer["level"] == "breaking":
        ctx.exit(BREAKING)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["standing"]["name"],
            one["standing"]["state"],
            _rate(one["health"]),
            _seconds(one["health"]["p99"]),
            one["health"]["calls"],
            one["standing"]["because"],
        )
        for one in found
    ]
    columns = ("integration", "state", "succeeded", "p99", "calls", "why")
    return table(
        columns, rows, empty="none yet; begin: opsroom integration store NAME integration.yaml"
    )


def _detail(found: dict[str, Any]) -> str:
    standing, health, last = found["standing"], found["health"], found["last"]
    share, p99 = _rate(health), _seconds(health["p99"])
    lines = [
        f"{standing['name']}@{found['version']}  {standing['state']}: {standing['because']}",
        f"{share} of {health['calls']:,} calls succeeded in the last 24 hours, p99 {p99}",
    ]
    lines += [f"failed, {fault}: {count:,}" for fault, count in health["faults"].items()]
    for one in found["affected"]:
        labels = f" ({', '.join(one['labels'])})" if one["labels"] else ""
        tools = ", ".join(one["tools"])
        lines.append(f"reaches it: {one['agent']}@{one['version']}{labels} through {tools}")
    if last is not None:
        lines += ["", _run(last)]
    return "\n".join(lines)


def _run(run: dict[str, Any]) -> str:
    lines = [f"{run['id']}  {run['at']}  {run['outcome']}"]
    if run["words"]:
        lines.append(run["words"])
    for one in run["tests"]:
        mark = "passed" if one["passed"] else f"{one['fault']}: {one['words']}"
        lines.append(f"test {one['name']}: {mark}")
    lines += _words(run["changes"])
    return "\n".join(lines)


def _words(changes: list[dict[str, Any]]) -> list[str]:
    lines = [f"{one['level']}: {_sentence(one)}" for one in changes[:MOST]]
    if len(changes) > MOST:
        lines.append(f"and {len(changes) - MOST:,} more; --json shows all")
    return lines


def _sentence(change: dict[str, Any]) -> str:
    operation, words = change["operation"], change["words"]
    return words if words.startswith(operation) else f"{operation}, {words}"


def _changes_found(found: dict[str, Any]) -> str:
    return "\n".join(_words(found["changes"])) or "nothing that anybody has to change for"


def _history(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["at"],
            one["outcome"],
            one["level"],
            f"{sum(test['passed'] for test in one['tests'])}/{len(one['tests'])}",
            one["by"],
        )
        for one in found
    ]
    return table(("run", "at", "outcome", "changes", "tests", "by"), rows, empty="no check yet")


def _rate(health: dict[str, Any]) -> str:
    calls = health["calls"]
    return f"{(calls - health['failures']) / calls:.1%}" if calls else "–"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g} s"
