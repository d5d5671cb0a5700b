"""`opsroom channel …`: where people are told, whether that arrives, and trying it."""

from typing import Any

import click

from opsroom.registry.cli import add_looks, add_store, add_verbs
from opsroom.sdk.terminal import client, show, table

BASE = "/v1/channels"


@click.group()
def channel() -> None:
    """Channels: where people are told of what happened."""


add_store(channel, "channel", "channel lint {ref}")
add_verbs(channel, "channel")
add_looks(channel, "channel")


@channel.command()
@click.argument("name")
@click.pass_context
def test(ctx: click.Context, name: str) -> None:
    """Say through it that this is a test."""
    show(ctx, client(ctx).post(f"{BASE}/{name}/test"), _one)


@channel.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, help="How many at most.")
@click.pass_context
def deliveries(ctx: click.Context, name: str, limit: int) -> None:
    """What went through it, newest first."""
    show(ctx, client(ctx).get(f"{BASE}/{name}/deliveries", limit=limit)["items"], _list)


@channel.command()
@click.argument("name")
@click.argument("delivery_id")
@click.pass_context
def repeat(ctx: click.Context, name: str, delivery_id: str) -> None:
    """Try a delivery that was settled once more, under its old id."""
    show(ctx, client(ctx).post(f"{BASE}/{name}/deliveries/{delivery_id}/repeat"), _one)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], one["state"], one["attempts"], one["notice"]["title"], one["said"])
        for one in found
    ]
    return table(
        ("delivery", "state", "attempts", "what", "what came of it"), rows, empty="none"
    )


def _one(one: dict[str, Any]) -> str:
    return f"{one['id']}  {one['state']}  {one['notice']['title']}"
