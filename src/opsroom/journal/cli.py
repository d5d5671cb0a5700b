"""The journal at the terminal: `opsroom audit`."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table


@click.group()
def audit() -> None:
    """The journal: who did what, when, in an order that nobody can change unnoticed."""


@audit.command()
@click.option("--subject", help="Only entries about this, for example prompt/refund-triage.")
@click.option("--event", help="Only this event, for example label.moved.")
@click.option("--actor", help="Only what this person or token did.")
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.pass_context
def tail(
    ctx: click.Context, subject: str | None, event: str | None, actor: str | None, limit: int
) -> None:
    """Show the newest entries, the last one at the end."""
    page = client(ctx).get(
        "/v1/journal", subject=subject, event=event, actor=actor, limit=limit
    )
    show(ctx, page["items"][::-1], _entries)


@audit.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--head", help="A head that was kept elsewhere: also finds a cut-off end.")
@click.pass_context
def verify(ctx: click.Context, file: Path | None, head: str | None) -> None:
    """Walk the chain and find any entry that was edited, dropped, inserted or moved.

    FILE is an export or an opsroom.db, verified here and without a server. Without it the
    chain of the installation is fetched and verified here, too. Exit code 3 if it is broken.
    """
    from .files import parse, verify_file
    from .model import read_head
    from .model import verify as walk

    older = read_head(head) if head else None
    if file:
        found = verify_file(file, older=older)
    else:
        lines = client(ctx).lines("/v1/journal/export")
        found = walk(parse(lines, "the server"), older=older)
    answer = {"seq": found.seq, "hash": found.hash, "head": str(found)}
    show(ctx, answer, lambda one: f"{one['seq']:,} entries verified; head {one['head']}")
    if older is None:
        say(
            ctx, "keep the head elsewhere; with --head it proves later that nothing was cut off"
        )


@audit.command()
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_context
def export(ctx: click.Context, output: Any) -> None:
    """Write the whole chain as JSON lines."""
    count = 0
    for count, line in enumerate(client(ctx).lines("/v1/journal/export")):  # noqa: B007  # the last line is the head
        output.write(line + "\n")
    say(ctx, f"{count:,} entries; verify them with `opsroom audit verify FILE`")


@audit.command()
@click.pass_context
def head(ctx: click.Context) -> None:
    """Print the number and hash that cover the whole journal."""
    found = client(ctx).get("/v1/journal/head")
    show(ctx, found, lambda one: f"{one['seq']}:{one['hash']}")


def _entries(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["entry"]["seq"],
            one["entry"]["at"],
            one["entry"]["actor"],
            one["entry"]["event"],
            one["entry"]["subject"],
            " ".join(f"{key}={value}" for key, value in one["entry"]["facts"].items())[:80],
        )
        for one in rows
    ]
    return table(
        ("seq", "at", "actor", "event", "subject", "facts"), cells, empty="nothing yet"
    )
