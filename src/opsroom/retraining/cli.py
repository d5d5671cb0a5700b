"""`opsroom retraining …`: what should be made better and why, and examples to train on."""

from typing import Any
from urllib.parse import urlencode

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/retraining"
MODES = ("off", "candidate", "release")
METHODS = ("examples", "reflect")
FORMATS = ("openai-chat", "dpo")


@click.group()
def retraining() -> None:
    """Retraining: which agents should be made better, why, and how far that is."""


@retraining.command("list")
@click.option("--agent", help="Of this agent only.")
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@click.option("--before", help="Go on before this one.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, /, *, everything: bool, **wanted: Any) -> None:
    """The queue, newest first."""
    found = client(ctx).get(BASE, everything=str(everything).lower(), **wanted)
    show(ctx, found["items"], _list)


@retraining.command("show")
@click.argument("entry_id")
@click.pass_context
def show_(ctx: click.Context, entry_id: str) -> None:
    """One entry: every reason, what it would cost, and what it waits for."""
    show(ctx, client(ctx).get(f"{BASE}/{entry_id}"), _one)


@retraining.command()
@click.argument("agent")
@click.option("-m", "--because", required=True, help="Why; it goes into the record.")
@click.pass_context
def add(ctx: click.Context, agent: str, because: str) -> None:
    """Put an agent into the queue."""
    made = client(ctx).post(BASE, {"agent": agent, "because": because})
    show(ctx, made, _one)
    if made["state"] == "queued":
        say(ctx, f"next: opsroom retraining start {made['id']}")


@retraining.command()
@click.argument("entry_id")
@click.pass_context
def start(ctx: click.Context, entry_id: str) -> None:
    """Begin the search for something better."""
    made = client(ctx).post(f"{BASE}/{entry_id}/start", {})
    show(ctx, made, _one)
    say(ctx, f"the server carries it out; see `opsroom improve show {made['improvement']}`")


@retraining.command()
@click.argument("entry_id")
@click.pass_context
def release(ctx: click.Context, entry_id: str) -> None:
    """Start the release of the agent with what was found, as its last release went."""
    made = client(ctx).post(f"{BASE}/{entry_id}/release", {})
    show(ctx, made, _one)
    say(ctx, f"next: opsroom release status {made['release']}")


@retraining.command()
@click.argument("entry_id")
@click.option("-m", "--reason", required=True, help="Why; it goes into the record.")
@click.pass_context
def dismiss(ctx: click.Context, entry_id: str, reason: str) -> None:
    """End an entry without a release."""
    show(ctx, client(ctx).post(f"{BASE}/{entry_id}/dismiss", {"reason": reason}), _one)


@retraining.command()
@click.argument("agent")
@click.option("--mode", type=click.Choice(MODES), help="How far it goes by itself.")
@click.option("--share", type=float, help="Turns corrected in 30 days, more than (0 to 1).")
@click.option("--accepted", type=int, help="Corrections since the last search, at least.")
@click.option("--every-days", type=int, help="Schedule in days; 0 is none.")
@click.option("--role", help="The prompt of the manifest to improve; '' is system.")
@click.option("--method", type=click.Choice(METHODS), help="How to search.")
@click.option("--model", help="The model to ask; '' is that of the manifest.")
@click.option("--reflection-model", help="reflect: who rewrites.")
@click.option("--max-calls", type=int, help="Calls of models at most.")
@click.option("--max-usd", help="US dollars at most; '' is no limit.")
@click.pass_context
def settings(
    ctx: click.Context,
    /,
    agent: str,
    max_calls: int | None,
    max_usd: str | None,
    **given: Any,
) -> None:
    """What is set for an agent; with options, set it."""
    here, path = client(ctx), f"{BASE}/settings/{agent}"
    now = here.get(path)
    new = {name: value for name, value in given.items() if value is not None}
    budget = dict(now["budget"])
    if max_calls is not None:
        budget["max_calls"] = max_calls
    if max_usd is not None:
        budget["max_usd"] = max_usd or None
    if new or budget != now["budget"]:
        now = here.put(path, {**now, **new, "budget": budget})
    show(ctx, now, _settings)


@retraining.command()
@click.argument("agent")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="openai-chat")
@click.option("--split", default="train", show_default=True, help="train, selection or both.")
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_context
def export(ctx: click.Context, agent: str, format_: str, split: str, output: Any) -> None:
    """Write accepted corrections as JSON lines to train a model on."""
    here, path = client(ctx), f"{BASE}/export/{agent}"
    counted = here.get(f"{path}/count", format=format_, split=split)
    for line in here.lines(f"{path}?{urlencode({'format': format_, 'split': split})}"):
        output.write(line + "\n")
    say(ctx, f"{counted['lines']:,} examples, asked as {counted['version']} would")
    for why, many in counted["left_out"].items():
        say(ctx, f"{many:,} left out: {why}")


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["state"],
            one["agent"],
            _usd(one),
            one["times"],
            one["reasons"][-1]["because"],
            one["note"] or one["waits"],
        )
        for one in found
    ]
    columns = ("entry", "state", "agent", "usd at most", "reasons", "why", "waits")
    return table(columns, rows, empty="nothing has to get better now")


def _one(one: dict[str, Any]) -> str:
    rows = [
        (reason["at"], reason["trigger"], reason["because"], " ".join(reason["evidence"]))
        for reason in one["reasons"]
    ]
    lines = [
        f"{one['id']}  {one['agent']}: {one['state']}",
        one["note"] or one["waits"],
        f"{one['prompt'] or 'no prompt'}; at most {_usd(one)} USD: {one['cost']['because']}",
        *(
            f"{name}: {one[name]}"
            for name in ("improvement", "version", "proposal", "release")
            if one[name]
        ),
        table(("at", "trigger", "why", "evidence"), rows, empty="none"),
    ]
    return "\n".join(line for line in lines if line)


def _usd(one: dict[str, Any]) -> str:
    usd = one["cost"]["usd"]
    return "not known" if usd is None else str(usd)


def _settings(one: dict[str, Any]) -> str:
    budget = one["budget"]
    schedule = f"every {one['every_days']} days" if one["every_days"] else "none"
    return "\n".join(
        (
            f"by itself: {one['mode']}",
            f"corrections speak from {one['accepted']} on, above {one['share']:.1%} of turns",
            f"schedule: {schedule}",
            f"search: {one['method']}, model {one['model'] or 'of the manifest'}",
            f"at most {budget['max_calls']:,} calls, {budget['max_usd'] or 'any'} USD",
        )
    )
