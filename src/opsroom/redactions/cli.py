"""`opsroom redaction …`: what was taken out before it was kept or sent."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table


@click.group()
def redaction() -> None:
    """Redaction: how much was taken out, by which rule, and where. Never what it was."""


@redaction.command("list")
@click.option("--days", default=30, show_default=True, help="How far back.")
@click.pass_context
def list_(ctx: click.Context, days: int) -> None:
    """Counts by rule and door, most first."""
    show(ctx, client(ctx).get("/v1/redactions", days=days)["items"], _list)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["rule"], one["door"], one["count"], one["first"], one["last"]) for one in found
    ]
    return table(("rule", "where", "taken out", "first day", "last day"), rows, empty="nothing")
