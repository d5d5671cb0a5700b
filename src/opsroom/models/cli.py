"""`opsroom route …`: under which names programs ask for models, and which models answer."""

from typing import Any

import click

from opsroom.registry.cli import add_looks, add_store, add_verbs
from opsroom.sdk.terminal import client, show, table


@click.group()
def route() -> None:
    """Routes: which models answer under one name, and who takes over."""


add_store(route, "route", "route lint {ref}")
add_verbs(route, "route")
add_looks(route, "route")


@route.command()
@click.pass_context
def served(ctx: click.Context) -> None:
    """Which models providers served, when that was new, and which ones rest after failures."""
    show(ctx, client(ctx).get("/v1/gateway/models"), _shown)


def _shown(found: dict[str, Any]) -> str:
    rows = [
        (one["model"], one["endpoint"], one["served"], one["fingerprint"], one["first_at"][:19])
        for one in found["served"]
    ]
    told = table(
        ("asked for", "at", "served", "fingerprint", "first seen"), rows, empty="none was asked"
    )
    resting = [
        f"{one['model']} at {one['endpoint']} rests after {one['failures']} failures"
        for one in found["resting"]
    ]
    return "\n".join([told, *resting])
