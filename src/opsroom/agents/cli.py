"""Agents at the terminal: their manifests, and which version serves whom."""

import click

from opsroom.registry.cli import add_store, add_verbs
from opsroom.sdk.terminal import client, show


@click.group()
def agent() -> None:
    """Agents: what they run on, and which version serves."""


add_verbs(agent, "agent")
add_store(agent, "agent", "release start agent/{ref}")


@agent.command()
@click.argument("name")
@click.argument("subject")
@click.option("--environment", default="production", show_default=True)
@click.pass_context
def resolve(ctx: click.Context, name: str, subject: str, environment: str) -> None:
    """Say which version serves SUBJECT (a customer, a session, a ticket) now."""
    found = client(ctx).get(
        "/v1/resolve", kind="agent", name=name, subject=subject, environment=environment
    )
    show(ctx, found, lambda one: f"{one['version']}  {one['arm']}  digest {one['digest'][:12]}")
