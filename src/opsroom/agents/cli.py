"""Agents at the terminal: their manifests, which version serves whom, and their end."""

from typing import Any

import click

from opsroom.registry.cli import add_store, add_verbs
from opsroom.sdk.terminal import client, show, table

environment = click.option(
    "--environment",
    envvar="OPSROOM_ENVIRONMENT",
    default="production",
    help="Where [OPSROOM_ENVIRONMENT, production].",
)


@click.group()
def agent() -> None:
    """Agents: what they run on, and which version serves."""


add_verbs(agent, "agent")
add_store(agent, "agent", "release start agent/{ref}")


@agent.command()
@click.argument("name")
@click.argument("subject")
@environment
@click.pass_context
def resolve(ctx: click.Context, name: str, subject: str, environment: str) -> None:
    """Say which version serves SUBJECT (a customer, a session, a ticket) now."""
    found = client(ctx).get(
        "/v1/resolve", kind="agent", name=name, subject=subject, environment=environment
    )
    show(ctx, found, lambda one: f"{one['version']}  {one['arm']}  digest {one['digest'][:12]}")


@agent.command()
@click.argument("name")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def retire(ctx: click.Context, name: str, reason: str) -> None:
    """End an agent: none of its tokens works from the next request on.

    What it did and what it was stay on record.
    """
    done = client(ctx).post(f"/v1/agents/{name}/retire", {"reason": reason})
    show(ctx, done, lambda _: f"{name} is retired and its tokens are dead")


@agent.command()
@click.argument("name")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def reinstate(ctx: click.Context, name: str, reason: str) -> None:
    """Let a retired agent act again. Its old tokens stay dead: make it new ones."""
    client(ctx).post(f"/v1/agents/{name}/reinstate", {"reason": reason})
    show(ctx, {"agent": name}, lambda _: f"{name} may act again, with a new token")


@agent.command()
@click.argument("name")
@environment
@click.pass_context
def tools(ctx: click.Context, name: str, environment: str) -> None:
    """List what an agent may call, by the contracts of the version that serves."""
    found = client(ctx).get(f"/v1/agents/{name}/tools", environment=environment)
    show(ctx, found, _tools)


def _tools(found: dict[str, Any]) -> str:
    rows = [(one["name"], one["risk"], one["contract"]) for one in found["tools"]]
    return table(("tool", "risk", "contract"), rows, empty="nothing: it cites no contract")
