"""The journal at the terminal: `opsroom audit`."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.errors import RemoteError
from opsroom.sdk.terminal import client, say, show, table, wants_json

from . import bundles
from .verify_journal import Checkpoint

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
@click.option(
    "--checkpoint", type=READABLE, help="A signed checkpoint that was kept elsewhere."
)
@click.option("--key", help="The key that signed it, or a file that holds the key.")
@click.pass_context
def verify(
    ctx: click.Context,
    file: Path | None,
    head: str | None,
    checkpoint: Path | None,
    key: str | None,
) -> None:
    """Walk the chain and find any entry that was edited, dropped, inserted or moved.

    FILE is an export or an opsroom.db, verified here and without a server. Without it the
    chain of the installation is fetched and verified here, too. Either is held against the
    newest signed checkpoint where there is one, and against the one that you kept: both find
    an end that was cut off and an older backup that was put back. Exit code 3 if it is broken.
    """
    from .files import parse, verify_file
    from .model import read_head
    from .model import verify as walk
    from .tree import held

    if checkpoint and not key:
        raise click.UsageError("a checkpoint is worth as much as the key: give --key as well")
    older = read_head(head) if head else None
    against = [bundles.read(checkpoint, key)] if checkpoint and key else []
    if file:
        against += bundles.beside(file)
        found = verify_file(file, older=older, against=against)
    else:
        against += _newest(ctx)
        lines = client(ctx).lines("/v1/journal/export")
        found = walk(held(parse(lines, "the server"), against), older=older)
    until = max((one.size for one in against), default=0)
    answer = {
        "seq": found.seq,
        "hash": found.hash,
        "head": str(found),
        "checkpoint": until,
    }
    show(ctx, answer, lambda one: f"{one['seq']:,} entries verified; head {one['head']}")
    if until:
        say(ctx, f"the first {until:,} of them are those that were signed")
    elif older is None:
        say(
            ctx, "keep the head elsewhere; with --head it proves later that nothing was cut off"
        )


@audit.command()
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Put it there with its checkpoint, the key and the program that verifies it.",
)
@click.pass_context
def export(ctx: click.Context, output: Any, folder: Path | None) -> None:
    """Write the whole chain as JSON lines, for verifying it on any machine."""
    if folder:
        signed = client(ctx).post("/v1/journal/checkpoint")
        bundles.lay_out(folder, signed)
        output = click.open_file(str(folder / bundles.JOURNAL), "w", encoding="utf-8")
    count = 0
    with output:
        for count, line in enumerate(client(ctx).lines("/v1/journal/export")):  # noqa: B007  # the last line is the head
            output.write(line + "\n")
    if folder:
        say(ctx, f"{count:,} entries; anybody can verify them with Python alone:")
        say(ctx, f"cd {folder} && {bundles.COMMAND}")
    else:
        say(ctx, f"{count:,} entries; verify them with `opsroom audit verify FILE`")


@audit.command()
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_context
def checkpoint(ctx: click.Context, output: Any) -> None:
    """Sign what the journal is now, and print the signed checkpoint to keep elsewhere.

    One is made every minute by itself, too, where something happened.
    """
    signed = client(ctx).post("/v1/journal/checkpoint")
    if wants_json(ctx):
        show(ctx, signed, str)
    else:
        output.write(signed["note"])


@audit.command()
@click.pass_context
def key(ctx: click.Context) -> None:
    """Print the public key that checkpoints are signed with. Keep it with them."""
    found = client(ctx).get("/v1/journal/key")
    show(ctx, found, lambda one: one["key"] or "none yet: opsroom audit checkpoint makes one")


@audit.command("new-key")
@click.option("-m", "--reason", required=True, help="Why: it is put on record.")
@click.pass_context
def new_key(ctx: click.Context, reason: str) -> None:
    """Sign with another key from now on: the old one was lost or got out, or an older backup
    had to be put back. What no longer fits the old checkpoint is put on record.
    """
    signed = client(ctx).post("/v1/journal/key", {"reason": reason})
    show(ctx, signed, lambda one: one["key"])


@audit.command()
@click.argument("seq", type=click.IntRange(min=1))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Put it there with its checkpoint, the key and the program that verifies it.",
)
@click.pass_context
def prove(ctx: click.Context, seq: int, folder: Path | None) -> None:
    """Prove that entry SEQ is in the journal, to somebody who does not get the rest of it."""
    proof = client(ctx).get("/v1/journal/proofs/entry", seq=seq)
    if folder is None:
        show(ctx, proof, bundles.written)
        return
    bundles.lay_out(folder, {"note": proof["checkpoint"], **client(ctx).get("/v1/journal/key")})
    (folder / bundles.PROOF).write_text(bundles.written(proof), encoding="utf-8")
    say(ctx, f"cd {folder} && {bundles.ENTRY_COMMAND}")


@audit.command()
@click.argument("older", type=READABLE)
@click.option("--key", help="The key that signed it, or a file; else the server's, unproven.")
@click.pass_context
def grown(ctx: click.Context, older: Path, key: str | None) -> None:
    """Prove that the journal only grew since OLDER, a checkpoint that was kept elsewhere.

    The proof is a few hashes, and is checked here. Exit code 3 where it does not come out.
    """
    server = client(ctx)
    trusted = key or server.get("/v1/journal/key")["key"]
    now = server.get("/v1/journal/checkpoint")
    was = bundles.read(older, trusted)
    proof = server.get("/v1/journal/proofs/growth", first=was.size, second=now["size"])
    bundles.check_growth(was, bundles.opened(now["note"], trusted, "the server"), proof)
    answer = {"from": was.size, "to": now["size"]}
    show(
        ctx, answer, lambda one: f"grew from {one['from']:,} to {one['to']:,}, nothing changed"
    )


@audit.command()
@click.pass_context
def head(ctx: click.Context) -> None:
    """Print the number and hash that cover the whole journal."""
    found = client(ctx).get("/v1/journal/head")
    show(ctx, found, lambda one: f"{one['seq']}:{one['hash']}")


def _newest(ctx: click.Context) -> list[Checkpoint]:
    """The newest checkpoint of the installation, if there is one. It is refused there where the
    journal is not what was signed.
    """
    from .errors import NoCheckpoint

    try:
        signed = client(ctx).get("/v1/journal/checkpoint")
    except RemoteError as error:
        if error.as_dict()["code"] == NoCheckpoint.code:
            return []
        raise
    return [bundles.opened(signed["note"], signed["key"], "the server")]


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
