"""`opsroom security …`: what was tried on agents, and what became of it."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table


@click.group()
def security() -> None:
    """Security events: what was tried on agents."""


@security.command("list")
@click.option("--event", default="", help="Only of this kind, such as security.attack_stopped.")
@click.option("--agent", default="", help="Only of this agent.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, event: str, agent: str, limit: int) -> None:
    """What was seen, newest first."""
    found = client(ctx).get("/v1/security/events", event=event, agent=agent, limit=limit)
    show(ctx, found["items"], _list)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["at"],
            one["event"],
            one["facts"].get("agent", ""),
            one["subject"],
            one["facts"].get("where", ""),
            one["facts"].get("words") or one["facts"].get("what", ""),
        )
        for one in found
    ]
    return table(("when", "event", "agent", "subject", "where", "why"), rows, empty="none")
