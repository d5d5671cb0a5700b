"""`opsroom secret …`: keeping credentials, rotating them, and seeing who uses them.

A value is read from standard input or asked for without echo, never taken as an argument:
those are seen by everybody on the machine, and kept by the shell.
"""

import sys
from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/secrets"


@click.group()
def secret() -> None:
    """Secrets: credentials that are sealed, bound to where they may go, and never shown."""


@secret.command("set")
@click.argument("name")
@click.option(
    "--for",
    "places",
    multiple=True,
    required=True,
    help="Where it may go: https://HOST, or slack:// for the address of a service.",
)
@click.option("--description", default="", help="What it is for.")
@click.pass_context
def set_(ctx: click.Context, name: str, places: tuple[str, ...], description: str) -> None:
    """Keep a value, from standard input or a prompt, for the places it may go to."""
    wanted = {"value": _value(), "places": list(places), "description": description}
    show(ctx, client(ctx).put(f"{BASE}/{name}", wanted), _known)
    say(ctx, f"next: cite it as secret:{name}")


@secret.command()
@click.argument("name")
@click.pass_context
def rotate(ctx: click.Context, name: str) -> None:
    """Replace its value, for the same places."""
    show(ctx, client(ctx).post(f"{BASE}/{name}/rotate", {"value": _value()}), _known)


@secret.command("list")
@click.option("--after", default="", help="Only names after this one.")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, after: str, limit: int) -> None:
    """What there is, where it may go, and who cites it."""
    show(ctx, client(ctx).get(BASE, after=after, limit=limit)["items"], _list)


@secret.command("show")
@click.argument("name")
@click.pass_context
def show_(ctx: click.Context, name: str) -> None:
    """One secret, without its value."""
    show(ctx, client(ctx).get(f"{BASE}/{name}"), _one)


@secret.command()
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget it, at once; what cites it is refused from then on."""
    client(ctx).delete(f"{BASE}/{name}")
    say(ctx, f"the secret {name} is gone")


def _value() -> str:
    if sys.stdin.isatty():
        told: str = click.prompt("value", hide_input=True, confirmation_prompt=True, err=True)
        return told
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["secret"]["name"],
            ", ".join(one["secret"]["places"]),
            one["secret"]["set_at"][:16],
            (one["secret"]["last_used_at"] or "never")[:16],
            ", ".join(used["ref"] for used in one["used_by"]) or "nobody",
        )
        for one in found
    ]
    return table(("secret", "may go to", "set", "last used", "cited by"), rows, empty="none")


def _one(view: dict[str, Any]) -> str:
    cited = ", ".join(one["ref"] for one in view["used_by"]) or "nobody"
    return f"{_known(view['secret'])}\ncited by {cited}"


def _known(one: dict[str, Any]) -> str:
    used = (one["last_used_at"] or "never")[:16]
    return f"{one['name']}  for {', '.join(one['places'])}  set {one['set_at'][:16]} by {one['set_by']}  last used {used}"
