"""`opsroom alert …`: what is open, why, taking it on and ending it; and the rules."""

from typing import Any

import click

from opsroom.registry.cli import add_looks, add_store
from opsroom.sdk.terminal import client, show, table

BASE = "/v1/alerts"


@click.group()
def alert() -> None:
    """Alerts: what somebody should look at, and the rules that say so."""


add_store(alert, "alert-rule", "alert lint {ref}")
add_looks(alert, "alert-rule")


@alert.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is resolved.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, *, everything: bool, limit: int) -> None:
    """What is open, newest first."""
    found = client(ctx).get(BASE, everything=str(everything).lower(), limit=limit)
    show(ctx, found["items"], _list)


@alert.command("show")
@click.argument("alert_id")
@click.pass_context
def show_(ctx: click.Context, alert_id: str) -> None:
    """One alert, and what changed in the two hours before it."""
    show(ctx, client(ctx).get(f"{BASE}/{alert_id}"), _incident)


@alert.command()
@click.argument("alert_id")
@click.pass_context
def ack(ctx: click.Context, alert_id: str) -> None:
    """Take an alert on."""
    show(ctx, client(ctx).post(f"{BASE}/{alert_id}/acknowledge"), _one)


@alert.command()
@click.argument("alert_id")
@click.option("-m", "--note", required=True, help="What it was; it goes into the journal.")
@click.pass_context
def resolve(ctx: click.Context, alert_id: str, note: str) -> None:
    """End an alert; it opens anew where its condition still holds."""
    show(ctx, client(ctx).post(f"{BASE}/{alert_id}/resolve", {"note": note}), _one)


@alert.command()
@click.pass_context
def rules(ctx: click.Context) -> None:
    """The rules in force: the project's own, and the shipped ones it has not replaced."""
    show(ctx, client(ctx).get("/v1/alert-rules"), _rules)


@alert.command()
@click.option("--rule", default="", help="Only alerts of this rule.")
@click.option("--agent", default="", help="Only alerts about this agent.")
@click.option("--for", "hours", default=1.0, show_default=True, help="Hours that it lasts.")
@click.option("--from", "since", default="", help="When it begins, as 2026-11-30T22:00Z; now.")
@click.option("--every", type=click.Choice(("once", "day", "week")), default="once")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def mute(
    ctx: click.Context,
    *,
    rule: str,
    agent: str,
    hours: float,
    since: str,
    every: str,
    reason: str,
) -> None:
    """Tell nobody of some alerts for a while; with --every, a maintenance window."""
    wanted = {
        "rule": rule,
        "agent": agent,
        "seconds": hours * 3600,
        "starts_at": since or None,
        "every": every,
        "reason": reason,
    }
    show(ctx, [client(ctx).post("/v1/alert-mutes", wanted)], _mutes)


@alert.command()
@click.argument("mute_id")
@click.pass_context
def unmute(ctx: click.Context, mute_id: str) -> None:
    """End a mute before its time."""
    show(ctx, [client(ctx).delete(f"/v1/alert-mutes/{mute_id}")], _mutes)


@alert.command()
@click.pass_context
def mutes(ctx: click.Context) -> None:
    """Mutes and maintenance windows that are in force or to come."""
    show(ctx, client(ctx).get("/v1/alert-mutes"), _mutes)


def _mutes(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["rule"] or "every rule",
            one["agent"] or "any agent",
            one["starts_at"],
            one["ended_at"] or one["ends_at"],
            one["every"],
            f"{one['reason']} ({one['by']})",
        )
        for one in found
    ]
    head = ("mute", "rule", "agent", "from", "until", "every", "why")
    return table(head, rows, empty="nothing is muted")


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["urgency"],
            one["state"],
            one["opened_at"],
            one["agent"],
            one["because"],
        )
        for one in found
    ]
    return table(("alert", "urgency", "state", "opened", "agent", "why"), rows, empty="none")


def _incident(found: dict[str, Any]) -> str:
    lines = [_one(found["alert"]), "", "changed in the two hours before:"]
    lines += [
        f"{entry['at']}  {entry['event']}  {entry['subject']}  by {entry['actor']}"
        for entry in found["changes"]
    ]
    lines += [
        f"{one['first']}  the model {one['model']} began to serve it" for one in found["models"]
    ]
    if not found["changes"] and not found["models"]:
        lines.append("nothing that we know of")
    return "\n".join(lines)


def _one(one: dict[str, Any]) -> str:
    whose = f" by {one['acknowledged_by']}" if one["state"] == "acknowledged" else ""
    head = f"{one['id']}  {one['urgency']}, {one['state']}{whose}  {one['ref']}"
    return f"{head}\n{one['agent'] or 'the project'}: {one['because']}"


def _rules(found: dict[str, Any]) -> str:
    rows = [
        (
            rule["name"],
            rule["ref"],
            rule["spec"]["urgency"] if rule["spec"]["enabled"] else "off",
            found["problems"].get(rule["name"], rule["spec"]["description"]),
            rule["spec"]["when"],
        )
        for rule in found["items"]
    ]
    return table(("rule", "version", "urgency", "about", "when"), rows, empty="none")
