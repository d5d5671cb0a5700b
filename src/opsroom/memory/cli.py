"""Decision memory at the terminal."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

SHOWN = 60


@click.group()
def memory() -> None:
    """Memory: what agents decided before, and what came of it."""


@memory.command()
@click.argument("agent")
@click.argument("context")
@click.option("--contract", default="", help="Only decisions under this contract.")
@click.option("-k", default=5, show_default=True, help="How many.")
@click.option("--unverified", is_flag=True, help="Also those whose outcome nobody verified.")
@click.pass_context
def recall(
    ctx: click.Context, agent: str, context: str, contract: str, k: int, unverified: bool
) -> None:
    """Show what AGENT decided in situations like CONTEXT, most alike first."""
    found = client(ctx).get(
        "/v1/memory/recall",
        agent=agent,
        context=context,
        contract=contract,
        k=k,
        verified_only=not unverified,
    )
    show(ctx, found, _recalled)


@memory.command("list")
@click.argument("agent")
@click.pass_context
def list_(ctx: click.Context, agent: str) -> None:
    """List what AGENT remembers, newest first."""
    found = list(client(ctx).every("/v1/memory", "before", agent=agent))
    show(ctx, found, _listed)


@memory.command()
@click.argument("memory_id", metavar="MEMORY")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def forget(ctx: click.Context, memory_id: str, reason: str) -> None:
    """Take a memory out of use for good; its texts are deleted."""
    client(ctx).post(f"/v1/memory/{memory_id}/forget", {"reason": reason})
    show(ctx, {"id": memory_id}, lambda _: f"{memory_id} is forgotten")


def _recalled(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            f"{one['similarity']:.0%}",
            str(one["times"]),
            one["memory"]["outcome"],
            "corrected" if one["memory"]["correction"] else "",
            one["memory"]["contract"],
            _short(one["memory"]["context"]),
        )
        for one in rows
    ]
    columns = ("alike", "times", "outcome", "", "contract", "context")
    return table(columns, cells, empty="nothing like it is known to have ended")


def _listed(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["id"],
            "forgotten" if one["forgotten_at"] else one["outcome"] or "open",
            "verified" if one["verified"] else "",
            one["contract"],
            _short(one["context"]),
        )
        for one in rows
    ]
    columns = ("id", "outcome", "", "contract", "context")
    return table(columns, cells, empty="it remembers nothing yet")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
