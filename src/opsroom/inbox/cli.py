"""`opsroom inbox …`: answer what waits, from a terminal.

An answer carries the digest of what was shown a moment before, so nobody approves what they
have not read. What is risky asks for a word to be typed, as the page does.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from opsroom.kit.clock import SystemClock
from opsroom.sdk.terminal import client, plural, say, show, table, wants_json

BASE = "/v1/inbox"
PENDING = 5
SPANS = {"m": 60, "h": 3600, "d": 86_400}

reason = click.option(
    "-m", "--reason", required=True, help="Why; the next version learns from it."
)
optional_reason = click.option("-m", "--reason", default="", help="Why.")
typed = click.option(
    "--type", "typed", default="", help="The word that something risky asks for."
)
yes = click.option("-y", "--yes", is_flag=True, help="Do not ask again; not for high risk.")


@click.group()
def inbox() -> None:
    """The inbox: what agents may not do until a person says so."""


@inbox.command("list")
@click.option("--all", "every", is_flag=True, help="Also what waits for others.")
@click.option(
    "--state",
    default="pending",
    help="pending, approved, edited, rejected, responded, expired, cancelled or consumed.",
)
@click.option("--agent", help="Only of this agent.")
@click.option("--tool", help="Only for this tool.")
@click.option("--under", help="What stands under this request.")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_(
    ctx: click.Context,
    *,
    every: bool,
    state: str,
    agent: str | None,
    tool: str | None,
    under: str | None,
    limit: int,
) -> None:
    """What waits for you, the first that is due on top."""
    mine = None if every or state != "pending" else True
    found = client(ctx).get(
        BASE, mine=mine, state=state, agent=agent, tool=tool, under=under, limit=limit
    )
    show(ctx, found["items"], _list)
    if found["items"]:
        say(ctx, f"next: opsroom inbox show {found['items'][0]['request']['id']}")


@inbox.command("show")
@click.argument("request_id")
@click.pass_context
def show_(ctx: click.Context, request_id: str) -> None:
    """One request with everything its decision needs. That you have seen it is noted."""
    show(ctx, _open(ctx, request_id), _shown)


@inbox.command()
@click.argument("request_id")
@optional_reason
@typed
@yes
@click.pass_context
def approve(ctx: click.Context, request_id: str, reason: str, typed: str, *, yes: bool) -> None:
    """Approve a request, exactly as it is shown to you first."""
    seen = _open(ctx, request_id)
    typed = _deliberate(ctx, seen, typed, "approve", yes=yes)
    body = {"binding": seen["shown"], "reason": reason, "typed": typed}
    _answer(ctx, request_id, "approve", body)


@inbox.command()
@click.argument("request_id")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="One argument; JSON or text."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with all arguments.",
)
@reason
@typed
@yes
@click.pass_context
def edit(
    ctx: click.Context,
    request_id: str,
    changes: tuple[str, ...],
    file: Path | None,
    reason: str,
    typed: str,
    *,
    yes: bool,
) -> None:
    """Approve a request with other arguments."""
    seen = _open(ctx, request_id)
    request = seen["request"]
    arguments = dict(request["edited"] or request["arguments"])
    if file is not None:
        arguments = _read(file.read_text(encoding="utf-8"))
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise click.UsageError(f"{change!r} is not NAME=VALUE")
        arguments[name] = read_value(value)
    typed = _deliberate(ctx, seen, typed, "approve with these changes", yes=yes)
    body = {"binding": seen["shown"], "arguments": arguments, "reason": reason, "typed": typed}
    _answer(ctx, request_id, "edit", body)


@inbox.command()
@click.argument("request_id")
@reason
@click.pass_context
def reject(ctx: click.Context, request_id: str, reason: str) -> None:
    """Refuse a request."""
    seen = _open(ctx, request_id)
    _answer(ctx, request_id, "reject", {"binding": seen["shown"], "reason": reason})


@inbox.command()
@click.argument("request_id")
@click.argument("text")
@click.pass_context
def respond(ctx: click.Context, request_id: str, text: str) -> None:
    """Answer with a message, in place of what was asked for."""
    seen = _open(ctx, request_id)
    _answer(ctx, request_id, "respond", {"binding": seen["shown"], "text": text})


@inbox.command()
@click.argument("request_id")
@click.argument("to")
@optional_reason
@click.pass_context
def handover(ctx: click.Context, request_id: str, to: str, reason: str) -> None:
    """Pass a request on to a person or a role."""
    _answer(ctx, request_id, "hand-over", {"to": to, "reason": reason})


@inbox.command()
@click.argument("request_id")
@click.argument("span", metavar="30m|4h|1d")
@click.pass_context
def snooze(ctx: click.Context, request_id: str, span: str) -> None:
    """Put a request out of sight for a while. Its clock goes on."""
    number, unit = span[:-1], span[-1:]
    if unit not in SPANS or not number.isdecimal():
        raise click.UsageError(f"{span!r} is no span; write 30m, 4h or 1d")
    until = SystemClock().now() + timedelta(seconds=int(number) * SPANS[unit])
    _answer(ctx, request_id, "snooze", {"until": until.isoformat()})


@inbox.command()
@click.argument("request_id")
@click.pass_context
def undo(ctx: click.Context, request_id: str) -> None:
    """Take your answer back, before its effect is released."""
    _answer(ctx, request_id, "undo", None)


@inbox.command()
@click.argument("request_id", required=False)
@click.option("--timeout", type=float, help="Give up after so many seconds (exit 5).")
@click.pass_context
def watch(ctx: click.Context, request_id: str | None, timeout: float | None) -> None:
    """Wait until a request is answered; without one, show what waits for you as it comes."""
    import time

    here, began = client(ctx), time.monotonic()
    seen: set[str] = set()
    while True:
        left = 20.0 if timeout is None else min(20.0, timeout - (time.monotonic() - began))
        if request_id is not None:
            found = here.get(f"{BASE}/{request_id}", wait=max(left, 0))
            if found["request"]["state"] != "pending" or left <= 0:
                show(ctx, found, _shown)
                ctx.exit(0 if found["request"]["state"] != "pending" else PENDING)
            continue
        for one in here.get(BASE, mine=True, limit=100)["items"]:
            if one["request"]["id"] not in seen:
                seen.add(one["request"]["id"])
                show(ctx, [one], _list)
        if left <= 0:
            ctx.exit(PENDING if not seen else 0)
        time.sleep(min(1.0, left))


@inbox.command()
@click.option("--days", default=30, help="Of the last so many days [30].")
@click.pass_context
def stats(ctx: click.Context, days: int) -> None:
    """How well people watch over agents: tests they missed, second looks, how long they took."""
    show(ctx, client(ctx).get(f"{BASE}/oversight", days=days), _stats)


def _open(ctx: click.Context, request_id: str) -> dict[str, Any]:
    """The request, with a note that this person has it and its evidence before them."""
    found: dict[str, Any] = client(ctx).post(f"{BASE}/{request_id}/open", {"evidence": True})
    return found


def _deliberate(
    ctx: click.Context, seen: dict[str, Any], typed: str, what: str, *, yes: bool
) -> str:
    """Show what is about to be answered and ask again, in the way its risk demands."""
    word: str = seen["word"]
    if typed or (yes and not word):
        return typed
    amount = seen["request"]["amount"] is not None
    asks = "type the last three digits of the amount" if amount else f"type {word!r}"
    if not sys.stdin.isatty():
        wanted = f"high risk: {asks}, with --type" if word else "say --yes"
        raise click.UsageError(f"nobody is at this terminal to {what} it; {wanted}")
    if not wants_json(ctx):
        click.echo(_shown(seen), err=True)
    if not word:
        click.confirm(f"{what} it?", abort=True, err=True)
        return ""
    answer: str = click.prompt(f"high risk: {asks} to {what}", err=True)
    return answer


def _answer(ctx: click.Context, request_id: str, verb: str, body: Any) -> None:
    show(ctx, client(ctx).post(f"{BASE}/{request_id}/{verb}", body), _line)


def _line(seen: dict[str, Any]) -> str:
    request = seen["request"]
    parts = [f"{request['id']}  {request['title']}: {request['state']}"]
    if request["release_at"] and request["state"] in {"approved", "edited"}:
        parts.append(
            f"it goes out at {request['release_at']}; opsroom inbox undo {request['id']}"
        )
    elif request["state"] == "pending" and request["assignee"]:
        parts.append(f"waits for {request['assignee']}")
    elif seen["approved_by"] and request["state"] == "pending":
        parts.append(f"{len(seen['approved_by'])} of {request['quorum']} approvals")
    return ", ".join(parts)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["request"]["id"],
            one["request"]["risk"],
            one["request"]["agent"],
            one["request"]["title"] + (f" (+{one['more']})" if one["more"] else ""),
            one["request"]["state"]
            if one["request"]["state"] != "pending"
            else one["request"]["due_at"],
        )
        for one in found
    ]
    columns = ("request", "risk", "agent", "what", "due")
    return table(columns, rows, empty="nothing waits for you; look at --all")


def _shown(seen: dict[str, Any]) -> str:
    request = seen["request"]
    arguments = request["arguments"] if request["edited"] is None else request["edited"]
    lines = [
        f"{request['id']}  {request['title']}  ({request['risk']} risk, {request['state']})",
        f"why: {request['why']}",
        f"agent: {request['agent']} for {request['requester']}, tool {request['tool']}",
        f"reversible: {request['reversible'] or 'no'}",
        "will happen:",
        *(
            f"  {name}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in arguments.items()
        ),
        *(
            f"evidence, as text · {name}: {json.dumps(value, ensure_ascii=False)}"
            for name, value in request["evidence"].items()
        ),
        *(
            f"{one['by']}: {one['say']} {one['reason'] or one['text']}"
            for one in request["answers"]
        ),
        f"due {request['due_at']}, expires {request['expires_at']}",
        f"bound to {seen['shown']}",
    ]
    if seen["why_not"]:
        lines.append(f"you cannot approve it: {seen['why_not']}")
    return "\n".join(_plain(one) for one in lines)


def _stats(found: dict[str, Any]) -> str:
    columns = ("who", "answers", "approved", "tests missed", "second look differs", "under 2 s")
    rows = [
        (
            one["name"],
            one["answers"],
            *(_share(one[n]) for n in ("approved", "missed", "disagreed", "glanced")),
        )
        for one in (found["everybody"], *found["people"], *found["tools"])
    ]
    return f"{table(columns, rows, empty='')}\n{plural(found['days'], 'day')}"


def _share(one: dict[str, Any]) -> str:
    if one["interval"] is None:
        return "–"
    low, high = one["interval"]["low"], one["interval"]["high"]
    return f"{one['hits']} of {one['n']} [{low:.1%}, {high:.1%}]"


def _plain(line: str) -> str:
    """A line that moves no cursor and turns no text, whatever an agent wrote."""
    return "".join(one if one.isprintable() else " " for one in line)


def read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"the file is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.UsageError("the file holds no JSON object")
    return found
