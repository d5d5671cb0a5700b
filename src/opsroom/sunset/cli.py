"""`opsroom agent sunset …` and `opsroom agent zombies`: how agents end, and which linger."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/sunsets"


@click.group()
def sunset() -> None:
    """Sunset: end an agent, provably."""


@sunset.command()
@click.argument("agent")
@click.option("-m", "--because", required=True, help="Why; it goes into the record.")
@click.option("--successor", default="", help="The agent that takes its work over.")
@click.option("--at-100", default=14.0, show_default=True, help="Days it serves all calls.")
@click.option("--at-50", default=7.0, show_default=True, help="Days it serves 50 %.")
@click.option("--at-10", default=7.0, show_default=True, help="Days it serves 10 %.")
@click.option("--dormant", default=30.0, show_default=True, help="Days nobody may call.")
@click.pass_context
def propose(
    ctx: click.Context, /, agent: str, because: str, successor: str, **plan: float
) -> None:
    """Propose that AGENT ends. Somebody else has to approve it."""
    body = {"agent": agent, "because": because, "successor": successor, "plan": plan}
    made = client(ctx).post(BASE, body)
    show(ctx, made, _sunset)
    say(ctx, f"next, by somebody else: opsroom agent sunset approve {agent}")


@sunset.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@click.option("--before", help="Go on before this one.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, /, *, everything: bool, **wanted: Any) -> None:
    """What ends, newest first."""
    found = client(ctx).get(BASE, everything=str(everything).lower(), **wanted)
    show(ctx, found["items"], _list)


@sunset.command("show")
@click.argument("agent")
@click.pass_context
def show_(ctx: click.Context, agent: str) -> None:
    """How far the end of AGENT is: each step, and who still calls."""
    show(ctx, client(ctx).get(f"{BASE}/{agent}"), _standing)


@sunset.command()
@click.argument("agent")
@click.option("-m", "--reason", default="", help="Why; it goes into the record.")
@click.pass_context
def approve(ctx: click.Context, agent: str, reason: str) -> None:
    """Let the end of AGENT begin, as a person who did not propose it."""
    _signed(ctx, agent, "approve", reason)


@sunset.command()
@click.argument("agent")
@click.pass_context
def look(ctx: click.Context, agent: str) -> None:
    """Look now who calls AGENT, and take the next step if one is due."""
    show(ctx, client(ctx).post(f"{BASE}/{agent}/look", {}), _standing)


@sunset.command()
@click.argument("agent")
@click.option("-m", "--reason", default="", help="Why; it goes into the record.")
@click.pass_context
def decommission(ctx: click.Context, agent: str, reason: str) -> None:
    """Sign the end of AGENT, which nobody calls any more. There is no way back."""
    _signed(ctx, agent, "decommission", reason)


@sunset.command()
@click.argument("agent")
@click.option("-m", "--reason", required=True, help="Why; it goes into the record.")
@click.pass_context
def reinstate(ctx: click.Context, agent: str, reason: str) -> None:
    """Call the end of AGENT off: it serves everybody again."""
    done = client(ctx).post(f"{BASE}/{agent}/reinstate", {"reason": reason})
    show(ctx, done, _sunset)


@sunset.command()
@click.argument("agent")
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_context
def export(ctx: click.Context, agent: str, output: Any) -> None:
    """Write what AGENT held when it ended, as JSON lines."""
    count = 0
    for line in client(ctx).lines(f"{BASE}/{agent}/export"):
        output.write(line + "\n")
        count += 1
    say(ctx, f"{count:,} lines")


@click.command()
@click.option("--agent", help="Of this agent only.")
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@click.option("--look", is_flag=True, help="Look at every agent first.")
@click.option("--before", help="Go on before this one.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def zombies(ctx: click.Context, /, *, everything: bool, look: bool, **wanted: Any) -> None:
    """Agents that linger: owner gone, cost without value, credentials alive, review overdue,
    or nobody looks.
    """
    if look:
        looked = client(ctx).post("/v1/zombies/look", {})
        say(ctx, f"{looked['agents']} agents were looked at")
    found = client(ctx).get("/v1/zombies", everything=str(everything).lower(), **wanted)
    show(ctx, found["items"], _zombies)


def _signed(ctx: click.Context, agent: str, verb: str, reason: str) -> None:
    here = client(ctx)
    body = {"binding": here.get(f"{BASE}/{agent}")["binding"], "reason": reason}
    show(ctx, here.post(f"{BASE}/{agent}/{verb}", body), _sunset)


def _sunset(one: dict[str, Any]) -> str:
    after = f", then {one['successor']}" if one["successor"] else ""
    return f"{one['id']}  {one['agent']}: {one['state']}, serves {one['share']} %{after}"


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["agent"],
            one["state"],
            f"{one['share']} %",
            one["successor"] or "nobody",
            one["since"],
            one["because"],
        )
        for one in found
    ]
    columns = ("sunset", "agent", "state", "serves", "successor", "since", "why")
    return table(columns, rows, empty="no agent is being ended")


def _standing(found: dict[str, Any]) -> str:
    one = found["sunset"]
    done = [(each["step"], each["at"], each["by"], each["words"]) for each in one["done"]]
    seen = one["seen"]["callers"] if one["seen"] else []
    callers = [
        (each["caller"], each["token"], each["by"], each["where"], each["last_at"])
        for each in seen
    ]
    return "\n".join(
        (
            _sunset(one),
            table(("step", "at", "by", "what it rests on"), done, empty="nothing is done"),
            table(
                ("caller", "token", "seen by", "where", "last"),
                callers,
                empty="nobody was seen calling",
            ),
        )
    )


def _zombies(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["agent"], one["kind"].replace("_", " "), one["state"], one["because"], one["id"])
        for one in found
    ]
    columns = ("agent", "kind", "state", "why", "finding")
    return table(columns, rows, empty="no agent lingers")
