"""Environments at the terminal."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

BASE = "/v1/environments"


@click.group()
def environment() -> None:
    """Environments: where programs run, and what changes there take."""


@environment.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """List the environments of this project, in their order."""
    show(ctx, client(ctx).get(BASE), _table)


@environment.command("set")
@click.argument("name")
@click.option("--position", type=int, help="Where it stands on the way, small before large.")
@click.option("--reviewed/--free", default=None, help="Whether its label moves by review only.")
@click.option(
    "--criticality",
    type=click.Choice(["advisory", "assistive", "autonomous"]),
    help="How much proof a change takes at least.",
)
@click.option("--mover", "movers", multiple=True, help="A role that may move it; may repeat.")
@click.option("--anybody", is_flag=True, help="Let everybody move it whose role says so.")
@click.option("--after", help="A version must have been in this one first; '' for none.")
@click.option("--note", help="What it is for.")
@click.pass_context
def set_(
    ctx: click.Context, /, *, name: str, anybody: bool, movers: tuple[str, ...], **given: Any
) -> None:
    """Make an environment, or change what it asks for; what is not said stays."""
    here = client(ctx)
    there: dict[str, Any] = next((one for one in here.get(BASE) if one["name"] == name), {})
    kept = ("position", "reviewed", "criticality", "movers", "after", "note")
    body = {key: there[key] for key in kept if key in there}
    body |= {key: value for key, value in given.items() if value is not None}
    if movers or anybody:
        body["movers"] = list(movers)
    show(ctx, here.put(f"{BASE}/{name}", body), lambda one: _table([one]))


@environment.command("remove")
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget an environment; its label stays where it is."""
    client(ctx).delete(f"{BASE}/{name}")
    show(ctx, {"name": name}, lambda _: f"{name} is a free label now")


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["name"],
            "reviewed" if one["reviewed"] else "free",
            one["criticality"],
            ", ".join(one["movers"]) or "as roles say",
            one["after"] or "–",
            one["note"],
        )
        for one in rows
    ]
    return table(("name", "changes", "at least", "moved by", "after", "note"), cells, empty="")
