"""`opsroom backup` and `opsroom restore`: everything of an installation, in one folder."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import DATA, client, say, show

MEGABYTE = 1_000_000


@click.command()
@click.pass_context
def backup(ctx: click.Context) -> None:
    """Back everything up while it goes on: state, work under way, telemetry and keys.

    The folder is made below `backups` of the installation, on the machine where it runs. Whoever
    has it can read everything, so keep it as you keep the installation.
    """
    made = client(ctx).call("POST", "/v1/backups", timeout=None)  # it takes what it takes
    show(ctx, made, _made)
    say(ctx, f"look whether it can be put back: opsroom restore {made['folder']} --verify")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--verify", is_flag=True, help="Only look: put it back in a folder that goes away."
)
@click.pass_context
def restore(ctx: click.Context, folder: Path, *, verify: bool) -> None:
    """Put the backup FOLDER back into --data, which must be empty or not there yet.

    Every file is held against its hash, the journal is walked from its first entry on and held
    against its checkpoint, and telemetry is opened. Where anything is wrong nothing is left.
    """
    import os

    from opsroom.app.backups import restoring
    from opsroom.app.settings import from_environment
    from opsroom.kit.wire import plain

    data = ctx.meta.get(DATA)
    settings = from_environment(os.environ, data=Path(data) if data else None)
    found = (restoring.verify if verify else restoring.restore)(folder, settings)
    answer = plain(found)
    show(ctx, answer, _restored)
    if not verify:
        say(ctx, "start it with opsroom up; people log in as before")


def _made(one: Any) -> str:
    return f"{one['files']:,} files, {_size(one['size'])}: {one['folder']}"


def _restored(one: Any) -> str:
    what = f"{one['files']:,} files, {_size(one['size'])}, {one['entries']:,} journal entries, {one['spans']:,} spans"
    return f"{what}: {one['data'] or 'can be put back'}"


def _size(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"
