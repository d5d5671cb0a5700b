"""`opsroom autonomy …`: what agents may do alone, less, more, and the kill switch."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE, WIDENINGS, SWITCH = "/v1/autonomy", "/v1/widenings", "/v1/kill-switch"
LEVELS = ("suspended", "shadow", "approve_each", "bounded", "expanded")
ALL = "*"
reason = click.option("-m", "--reason", required=True, help="Why; it goes into the record.")
environment = click.option(
    "--environment",
    envvar="OPSROOM_ENVIRONMENT",
    default="production",
    help="Where [OPSROOM_ENVIRONMENT, production].",
)
amount = click.option("--max-amount", help="At most so many US dollars an action.")
a_day = click.option("--max-per-day", type=int, help="At most so many actions a day.")
spot = click.option("--spot-share", type=float, help="Ask about this share anyway (0 to 1).")
sure = click.option("--min-confidence", type=float, help="Only when at least so sure (0 to 1).")
everybody = click.option("--all", "everybody", is_flag=True, help="All agents.")


@click.group()
def autonomy() -> None:
    """Autonomy: how much agents may do alone, and the switch that stops them."""


@autonomy.command("show")
@click.argument("agent", required=False)
@environment
@click.option("--after", default="", help="Go on after this agent.")
@click.pass_context
def show_(ctx: click.Context, agent: str | None, environment: str, after: str) -> None:
    """Every agent, or the ladder of one: what it may, and what is missing for more."""
    here = client(ctx)
    if agent is None:
        found = here.get(BASE, environment=environment, after=after or None)
        if found["all_stopped"]:
            say(ctx, f"all agents are stopped: {found['all_stopped']['reason']}")
        show(ctx, found, _list)
    else:
        show(ctx, here.get(f"{BASE}/{agent}", environment=environment), _ladder)


@autonomy.command()
@click.argument("agent")
@click.argument("scope", metavar="SCOPE")
@click.argument("level", type=click.Choice(LEVELS))
@environment
@amount
@a_day
@sure
@spot
@reason
@click.pass_context
def narrow(ctx: click.Context, /, agent: str, scope: str, level: str, **given: Any) -> None:
    """Let an agent do less, at once. SCOPE is contract/NAME or tier/write, tier/read …"""
    body = {
        "scope": scope,
        "level": level,
        "reason": given["reason"],
        "environment": given["environment"],
    }
    bounds = _envelope(given)
    if any(one is not None for one in bounds.values()):
        body["envelope"] = bounds
    show(ctx, client(ctx).post(f"{BASE}/{agent}/narrow", body), _grant)


@autonomy.command()
@click.argument("agent")
@click.argument("scope", metavar="SCOPE")
@click.argument("level", type=click.Choice(LEVELS))
@environment
@amount
@a_day
@sure
@spot
@reason
@click.pass_context
def propose(ctx: click.Context, /, agent: str, scope: str, level: str, **given: Any) -> None:
    """Ask for more, with the evidence as it is. Somebody else approves."""
    body = {
        "agent": agent,
        "scope": scope,
        "level": level,
        "reason": given["reason"],
        "environment": given["environment"],
        "envelope": _envelope(given),
    }
    made = client(ctx).post(WIDENINGS, body)
    show(ctx, made, _widening)
    say(ctx, f"next, somebody else: opsroom autonomy widen {made['widening']['id']}")


@autonomy.command()
@click.argument("widening_id")
@click.option("--decline", is_flag=True, help="Answer no instead.")
@click.option("-m", "--reason", "why", default="", help="Why.")
@click.pass_context
def widen(ctx: click.Context, widening_id: str, *, decline: bool, why: str) -> None:
    """Approve a widening exactly as it stands. Only people do, and not who asked."""
    here, path = client(ctx), f"{WIDENINGS}/{widening_id}"
    seen = here.get(path)
    say(ctx, _widening(seen))
    if decline:
        show(ctx, here.post(f"{path}/decline", {"reason": why}), lambda _: "declined")
        return
    body = {"binding": seen["binding"], "reason": why}
    show(ctx, here.post(f"{path}/approve", body), _grant)


@autonomy.command()
@click.argument("agent", required=False)
@everybody
@reason
@click.pass_context
def kill(ctx: click.Context, agent: str | None, *, everybody: bool, reason: str) -> None:
    """Stop an agent, or --all. What is under way ends within two seconds."""
    body = {"agent": _which(agent, everybody), "reason": reason}
    show(ctx, client(ctx).post(SWITCH, body), _stopped)


@autonomy.command()
@click.argument("agent", required=False)
@everybody
@reason
@click.pass_context
def revive(ctx: click.Context, agent: str | None, *, everybody: bool, reason: str) -> None:
    """Let an agent act again, or --all, as far as grants go."""
    body = {"agent": _which(agent, everybody), "reason": reason}
    show(ctx, client(ctx).post(f"{SWITCH}/revive", body), _stopped)


def _which(agent: str | None, everybody: bool) -> str:
    if (agent is None) is not everybody:
        raise click.UsageError("name an agent, or say --all")
    return agent or ALL


def _envelope(given: dict[str, Any]) -> dict[str, Any]:
    names = ("max_amount", "max_per_day", "min_confidence", "spot_share")
    return {name: given[name] for name in names}


def _list(found: dict[str, Any]) -> str:
    rows = [
        (
            one["agent"],
            ", ".join(f"{grant['scope']} {grant['level']}" for grant in one["grants"]),
            "stopped" if one["stopped"] or found["all_stopped"] else "may act",
            one["waiting"] or "",
        )
        for one in found["items"]
    ]
    columns = ("agent", "granted", "state", "widenings")
    return table(columns, rows, empty="there is no agent: opsroom agent store NAME FILE.yaml")


def _ladder(found: dict[str, Any]) -> str:
    rows = [
        (
            one["grant"]["scope"],
            one["level"],
            f"{one['record']['agreed']}/{one['record']['agreed'] + one['record']['corrected']}",
            f"{one['agreement']['low']:.1%}" if one["agreement"] else "",
            one["record"]["incidents"],
            one["next"],
            "earned" if one["ready"] else one["because"],
        )
        for one in found["rungs"]
    ]
    columns = ("what", "level", "agreed", "at least", "incidents", "next", "missing")
    lines = [table(columns, rows, empty="")]
    if on := found["stopped"] or found["all_stopped"]:
        lines.insert(0, f"stopped by {on['by']}: {on['reason']}")
    lines += [_asked(one) for one in found["widenings"]]
    return "\n".join(lines)


def _grant(one: dict[str, Any]) -> str:
    return f"{one['agent']}, {one['scope']} in {one['environment']}: {one['level']}"


def _widening(found: dict[str, Any]) -> str:
    return _asked(found["widening"])


def _asked(one: dict[str, Any]) -> str:
    grant = one["grant"]
    return (
        f"{one['id']}  {grant['agent']}, {grant['scope']} in {grant['environment']}:"
        f" {grant['level']} to {one['level']} ({one['because']})"
    )


def _stopped(found: dict[str, Any]) -> str:
    who = "all agents" if found["agent"] == ALL else found["agent"]
    if found["because"] is None:
        return f"{who}: may act, as far as grants go"
    return f"{who}: stopped ({found['because']})"
