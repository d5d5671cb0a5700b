"""`opsroom drift …`: what moved, by how much, looking now, and accepting the new normal."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

BASE = "/v1/drift"


@click.group()
def drift() -> None:
    """Drift: what agents are asked, and what they do, against the days before."""


@drift.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what settled or was accepted.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, *, everything: bool, limit: int) -> None:
    """What is open, newest first."""
    found = client(ctx).get(BASE, everything=str(everything).lower(), limit=limit)
    show(ctx, found["items"], _list)


@drift.command("show")
@click.argument("drift_id")
@click.pass_context
def show_(ctx: click.Context, drift_id: str) -> None:
    """One drift: what moved, by how much, and traces that show it."""
    show(ctx, client(ctx).get(f"{BASE}/{drift_id}"), _one)


@drift.command()
@click.argument("agent")
@click.pass_context
def look(ctx: click.Context, agent: str) -> None:
    """Look at an agent now; later looks ask for more, so do not look all the time."""
    show(ctx, client(ctx).post(f"{BASE}/look", {"agent": agent})["items"], _list)


@drift.command()
@click.argument("drift_id")
@click.option("-m", "--note", required=True, help="Why; it goes into the journal.")
@click.pass_context
def accept(ctx: click.Context, drift_id: str, note: str) -> None:
    """Call what is seen now the new normal."""
    show(ctx, client(ctx).post(f"{BASE}/{drift_id}/accept", {"note": note}), _one)


@drift.command()
@click.pass_context
def watches(ctx: click.Context) -> None:
    """How every aspect of every agent stood at its last look."""
    show(ctx, client(ctx).get(f"{BASE}/watches")["items"], _watches)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], one["state"], one["opened_at"], one["agent"], one["aspect"], one["because"])
        for one in found
    ]
    return table(("drift", "state", "opened", "agent", "aspect", "what"), rows, empty="none")


def _one(one: dict[str, Any]) -> str:
    compared = one["compared"]
    lines = [
        f"{one['id']}  {one['agent']}: {one['aspect']}, {one['state']}",
        one["because"],
        f"{compared['current']} runs against {compared['reference']} of {compared['days']} days",
        f"p {compared['p']:.1g}, allowed {one['allowed']:.1g}, effect {compared['effect']:.2f}",
    ]
    lines += [f"  {_share(share)}" for share in compared["shares"]]
    for when in ("before", "now"):
        if level := compared[when]:
            lines.append(f"  {when}: median {_within(level['median'], level['interval'])}")
    for when in ("before", "now"):
        if traces := one[f"traces_{when}"]:
            lines.append(f"{when}: {' '.join(traces)}")
    return "\n".join(lines)


def _share(share: dict[str, Any]) -> str:
    was, now = (share[when]["hits"] / share[when]["n"] for when in ("before", "now"))
    before = _within(was, share["before_interval"])
    return f"{share['name']}: {before} before, {_within(now, share['now_interval'])} now"


def _within(value: float, interval: dict[str, Any]) -> str:
    return f"{value:.4g} [{interval['low']:.4g}, {interval['high']:.4g}]"


def _watches(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["agent"],
            one["aspect"],
            str(one["looks"]),
            f"{one['current']} / {one['reference']}",
            "too little" if one["p"] is None else f"{one['p']:.1g}",
            one["looked_at"] or "",
        )
        for one in found
    ]
    return table(
        ("agent", "aspect", "looks", "now / before", "p", "looked at"), rows, empty="none"
    )
