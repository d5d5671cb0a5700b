"""`opsroom contract push`: store the contracts of a program's own actions."""

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsroom.contracts.cli import contract
from opsroom.kit.errors import Invalid
from opsroom.sdk.terminal import client, plural, say, show, table

if TYPE_CHECKING:
    from opsroom.sdk.acting import AnyAction

__all__ = ["contract"]


@dataclass(eq=False)
class NoActionsThere(Invalid):
    code = "no_actions_there"
    text = "there is no action at {0.place!r}: {0.why}"
    hint = "name a module that `python -c 'import …'` finds here, with @opsroom.action in it"
    place: str
    why: str


@contract.command()
@click.argument("places", metavar="MODULE[:ACTION]…", nargs=-1, required=True)
@click.option("-m", "--message", default="", help="Why; it goes into the history.")
@click.pass_context
def push(ctx: click.Context, places: tuple[str, ...], message: str) -> None:
    """Store the contracts of the actions in MODULE (or of one of them) as versions.

    The module is imported, as Python would from this folder. A contract that is as it was
    makes no new version.
    """
    from opsroom.sdk.acting import push as store

    found = {one.tool: one for place in places for one in _actions(place)}
    stored = store(client(ctx), *found.values(), message=message)
    rows = [
        {"tool": one.tool, "risk": one.risk, "contract": cited}
        for one, cited in zip(found.values(), stored, strict=True)
    ]
    show(ctx, rows, _words)
    say(ctx, f"{plural(len(rows), 'contract')}; cite them in an agent's manifest")


def _actions(place: str) -> "list[AnyAction]":
    from opsroom.sdk.acting import Action

    name, _, attribute = place.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        raise NoActionsThere(place, str(error).lower()) from error
    offered: dict[str, Any] = vars(module)
    if attribute:
        offered = {attribute: offered.get(attribute)}
    found: list[AnyAction] = [one for one in offered.values() if isinstance(one, Action)]
    if not found:
        raise NoActionsThere(place, "it has no function with @opsroom.action")
    return found


def _words(rows: list[dict[str, str]]) -> str:
    cells = [(one["tool"], one["risk"], one["contract"]) for one in rows]
    return table(("tool", "risk", "contract"), cells, empty="nothing to store")
