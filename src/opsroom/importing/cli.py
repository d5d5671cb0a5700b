"""`opsroom import FORMAT PATH`: bring in recorded runs, histories and datasets."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, show


@click.command("import")
@click.argument("format_", metavar="FORMAT")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check the files; store nothing.")
@click.pass_context
def import_(ctx: click.Context, format_: str, path: Path, dry_run: bool) -> None:
    """Import PATH (a file or a folder): all of it or nothing; again changes nothing.

    FORMAT is one of langfuse, mlflow, phoenix, langsmith, openai-evals, inspect, promptfoo, tau,
    git-prompts, prompt-history, ticket-prompts, llmdrift, agentdojo, who-and-when, pandalm; or
    workspace, for what `opsroom export` wrote.
    """
    if format_ == "workspace":
        from opsroom.workspace.cli import take_in

        take_in(ctx, path, dry_run=dry_run)
        return
    from opsroom.kit.wire import plain

    from .readers import read

    bundle = read(format_, path)
    if dry_run:
        counts = {
            "versions": len(bundle.versions),
            "items": sum(len(one.items) for one in bundle.datasets),
            "recordings": len(bundle.recordings),
        }
        left_out = plain(bundle)["left_out"]
        told = {"format": format_, "would_import": counts, "left_out": left_out}
        show(ctx, told, _dry)
        return
    show(ctx, client(ctx).post("/v1/imports", plain(bundle)), _done)


def _dry(found: dict[str, Any]) -> str:
    parts = [plural(count, what[:-1]) for what, count in found["would_import"].items()]
    return "\n".join((f"would import {', '.join(parts)}", *_left_out(found)))


def _done(report: dict[str, Any]) -> str:
    new = {what: count for what, count in report["new"].items() if count}
    if not new:
        return "\n".join(("everything is here already; nothing changed", *_left_out(report)))
    said = ", ".join(plural(count, what) for what, count in new.items())
    reverts = f"; {plural(report['reverts'], 'revert')}" if report["reverts"] else ""
    return "\n".join((f"imported {said}{reverts}", *_left_out(report)))


def _left_out(found: dict[str, Any]) -> list[str]:
    return [
        f"left out {plural(one['count'], one['what'])}: {one['why']}"
        for one in found["left_out"]
    ]
