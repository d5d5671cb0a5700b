"""`opsroom override …`: where people decided otherwise than agents."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

from .cli import read_value, reason

OVERRIDES = "/v1/overrides"


@click.group()
def override() -> None:
    """Overrides: where people decided otherwise than agents, and why."""


@override.command("list")
@click.option("--agent", help="Only of this agent.")
@click.option("--category", help="Only of this kind.")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_overrides(
    ctx: click.Context, agent: str | None, category: str | None, limit: int
) -> None:
    """What people decided otherwise, newest first."""
    found = client(ctx).get(OVERRIDES, agent=agent, category=category, limit=limit)
    show(ctx, found["items"], _overrides)


@override.command()
@click.argument("subject", metavar="turn/ID|action/ID|trace/ID")
@click.option("--agent-said", required=True, help="What the agent decided.")
@click.option("--human-said", required=True, help="What was right.")
@reason
@click.option("--agent", default="", help="Which agent.")
@click.option("--tool", default="", help="With which tool.")
@click.option("--category", default="", help="What kind of disagreement; suggested otherwise.")
@click.option("--asked", help="What the agent was asked, where its turn or trace does not say.")
@click.pass_context
def add(
    ctx: click.Context,
    subject: str,
    agent_said: str,
    human_said: str,
    reason: str,
    agent: str,
    tool: str,
    category: str,
    asked: str | None,
) -> None:
    """Record that a person decided otherwise than an agent did."""
    body = {
        "subject": subject,
        "agent_decision": read_value(agent_said),
        "human_decision": read_value(human_said),
        "reasoning": reason,
        "agent": agent,
        "tool": tool,
        "category": category,
        "asked": asked,
        "trace": subject.partition("/")[2] if subject.startswith("trace/") else "",
    }
    made = client(ctx).post(OVERRIDES, body)
    show(ctx, made, lambda one: f"{one['id']}  sorted as {one['category']}")


def _overrides(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], one["agent"], one["say"], one["reasoning"], one["category"], one["by"])
        for one in found
    ]
    columns = ("override", "agent", "said", "why", "sorted as", "by")
    return table(columns, rows, empty="nobody has disagreed yet")
