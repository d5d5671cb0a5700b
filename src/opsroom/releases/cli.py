"""`opsroom release …`: start, watch, feed and steer releases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, say, show, table

BASE = "/v1/releases"
BATCH = 500
OVER = {"promoted": 0, "superseded": 0, "aborted": 3, "rolled_back": 3}
PENDING = 5
reason = click.option("-m", "--reason", required=True, help="Why; it goes into the record.")


@click.group()
def release() -> None:
    """Releases: take a version to where it serves, step by step, or back."""


@release.command()
@click.argument("version", metavar="NAME@AT")
@click.option(
    "--environment",
    envvar="OPSROOM_ENVIRONMENT",
    default="production",
    help="Where to [OPSROOM_ENVIRONMENT, production].",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or JSON file with what the plan states differently from the defaults.",
)
@click.pass_context
def start(ctx: click.Context, version: str, environment: str, plan: Path | None) -> None:
    """Begin to release a version: gate, shadow, sample, canary, promoted."""
    import yaml

    stated = yaml.safe_load(plan.read_text(encoding="utf-8")) if plan else {}
    draft = {"version": version, "environment": environment, "plan": stated or {}}
    made = client(ctx).post(BASE, draft)
    show(ctx, made, _line)
    if made["plan"]["gate"] is None:
        say(ctx, "mind: this plan has no gate; nothing was proven before the shadow run")
    say(ctx, f"next: opsroom release watch {made['id']}")


@release.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option("--environment", help="Those to one environment only.")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_(ctx: click.Context, *, every: bool, environment: str | None, limit: int) -> None:
    """Releases under way, newest first."""
    active = None if every else True
    found = client(ctx).get(BASE, active=active, environment=environment, limit=limit)
    show(ctx, found["items"], _list)


@release.command()
@click.argument("release_id")
@click.pass_context
def status(ctx: click.Context, release_id: str) -> None:
    """Where a release stands, what is known, and what happens next by itself."""
    show(ctx, client(ctx).get(f"{BASE}/{release_id}"), _standing)


@release.command()
@click.argument("release_id")
@click.option("--timeout", type=float, help="Give up after so many seconds (exit 5).")
@click.option("--every", default=1.0, hidden=True)
@click.pass_context
def watch(ctx: click.Context, release_id: str, timeout: float | None, every: float) -> None:
    """Follow a release to its end. Exit 0 promoted, 3 aborted or rolled back, 5 paused."""
    import time

    here, began, last = client(ctx), time.monotonic(), ""
    while True:
        found = here.get(f"{BASE}/{release_id}")
        now = found["release"]
        line = f"{now['state']} · {found['next']['because']}"
        if line != last:
            say(ctx, line)
            last = line
        waited = time.monotonic() - began
        if now["state"] in {*OVER, "paused"} or (timeout is not None and waited >= timeout):
            show(ctx, found, _standing)
            ctx.exit(OVER.get(now["state"], PENDING))
        time.sleep(every)


@release.command()
@click.argument("release_id")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.pass_context
def observe(ctx: click.Context, release_id: str, file: Any) -> None:
    """Report shadow pairs or live outcomes, one JSON object a line (- is standard input).

    A line with `subject` is an outcome, one with `champion` and `challenger` a pair. What was
    reported before counts once, so an interrupted report may simply be repeated.
    """
    total = {"counted": 0, "repeated": 0, "ignored": 0}
    for path, body in _batches(file):
        answer = client(ctx).post(f"{BASE}/{release_id}/{path}", body)
        total = {name: count + answer[name] for name, count in total.items()}
    show(ctx, total, lambda t: ", ".join(f"{count:,} {name}" for name, count in t.items()))


@release.command()
@click.argument("release_id")
@click.argument("key", required=False)
@click.option("--good/--bad", default=None, help="Judge the pair KEY.")
@click.option("-m", "--reason", "why", default="", help="Why.")
@click.pass_context
def sample(
    ctx: click.Context, release_id: str, key: str | None, *, good: bool | None, why: str
) -> None:
    """The random shadow pairs that people judge; with KEY and --good or --bad, judge one."""
    here, path = client(ctx), f"{BASE}/{release_id}/sample"
    if key is None or good is None:
        show(ctx, here.get(path), _sample)
        return
    said = here.post(path, {"key": key, "good": good, "reason": why})
    show(ctx, said, lambda _: f"{key} is {'good' if good else 'bad'}")


@release.command()
@click.argument("release_id")
@click.option("--changes", is_flag=True, help="Ask for changes instead.")
@click.option("-m", "--reason", "why", default="", help="Why.")
@click.pass_context
def approve(ctx: click.Context, release_id: str, *, changes: bool, why: str) -> None:
    """Approve a release exactly as it stands. Only people do."""
    answer = "request_changes" if changes else "approve"
    here, path = client(ctx), f"{BASE}/{release_id}"
    seen = here.get(path)
    say(ctx, f"{release_id}: {_way(seen['release'])}")
    body = {"answer": answer, "reason": why, "binding": seen["binding"]}
    given = here.post(f"{path}/reviews", body)
    show(ctx, given, lambda a: f"{a['approver']} says {a['answer']} to {a['digest'][:16]}")


@release.command()
@click.argument("release_id")
@reason
@click.pass_context
def pause(ctx: click.Context, release_id: str, reason: str) -> None:
    """Stop a release where it is: everybody gets the champion."""
    _steer(ctx, release_id, "pause", reason)


@release.command()
@click.argument("release_id")
@reason
@click.pass_context
def resume(ctx: click.Context, release_id: str, reason: str) -> None:
    """Let a paused release go on where it was."""
    _steer(ctx, release_id, "resume", reason)


@release.command()
@click.argument("release_id")
@reason
@click.pass_context
def abort(ctx: click.Context, release_id: str, reason: str) -> None:
    """End a release that nobody was served from."""
    _steer(ctx, release_id, "abort", reason)


@release.command()
@click.argument("release_id")
@reason
@click.pass_context
def rollback(ctx: click.Context, release_id: str, reason: str) -> None:
    """Serve everybody the champion again; also after the promotion."""
    _steer(ctx, release_id, "rollback", reason)


def _steer(ctx: click.Context, release_id: str, verb: str, why: str) -> None:
    show(ctx, client(ctx).post(f"{BASE}/{release_id}/{verb}", {"reason": why}), _line)


def _batches(lines: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of one sort after the other, in requests of a bearable size."""
    waiting: list[Any] = []
    path = ""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except ValueError as error:
            message = f"line {number} is no JSON: {error}"
            raise click.UsageError(message) from error
        sort = "outcomes" if isinstance(one, dict) and "subject" in one else "shadow"
        if waiting and (sort != path or len(waiting) == BATCH):
            yield path, _body(path, waiting)
            waiting = []
        path = sort
        waiting.append(one)
    if waiting:
        yield path, _body(path, waiting)


def _body(path: str, batch: list[Any]) -> dict[str, Any]:
    return {"outcomes" if path == "outcomes" else "pairs": batch}


def _line(one: dict[str, Any]) -> str:
    cited = f"{one['kind']}/{one['name']}@{one['number']}"
    return f"{one['id']}  {cited} → {one['environment']}: {one['state']} ({one['because']})"


def _way(release: dict[str, Any]) -> str:
    """What a release would put in place of what, so that nobody answers to something else."""
    name = f"{release['kind']}/{release['name']}"
    return (
        f"{name} from {release['baseline']} to {release['number']} in {release['environment']}"
    )


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            f"{one['kind']}/{one['name']}@{one['number']}",
            one["environment"],
            one["state"],
            one["because"],
        )
        for one in found
    ]
    columns = ("release", "version", "to", "state", "because")
    return table(
        columns, rows, empty="no release is under way; begin one: opsroom release start"
    )


def _standing(found: dict[str, Any]) -> str:
    lines = [_line(found["release"]), f"next: {found['next']['because']}"]
    rows = [_reading(one) for one in found["readings"]]
    if found["evidence"]["legs"]:
        columns = ("metric", "role", "champion", "candidate", "difference", "holds", "evidence")
        lines.append(table(columns, rows, empty=""))
    return "\n".join(lines)


def _reading(one: dict[str, Any]) -> tuple[object, ...]:
    estimate = one["estimate"]
    interval = estimate["interval"]
    difference = ""
    if estimate["difference"] is not None and interval:
        low, high = interval["low"], interval["high"]
        difference = f"{estimate['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
    harm = "" if one["e"] is None else f"e {one['e']:.3g} of {one['limit']:.0f}"
    rule = one["rule"]
    holds = ("yes" if one["holds"] else "not yet") if rule["role"] == "primary" else ""
    return (
        rule["metric"],
        rule["role"],
        f"{one['champion']:,}",
        f"{one['challenger']:,}",
        difference,
        holds,
        harm,
    )


def _sample(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["pair"]["key"],
            {True: "good", False: "bad", None: ""}[one["good"]],
            one["judged_by"],
        )
        for one in found
    ]
    left = sum(one["good"] is None for one in found)
    shown = table(("pair", "judged", "by"), rows, empty="nothing is up for review")
    return f"{shown}\n{plural(left, 'pair')} to judge" if found else shown
