"""Datasets at the terminal: bring items in, look at them, take them out."""

from pathlib import Path

import click

from opsroom.registry.cli import add_verbs, split
from opsroom.sdk.terminal import client, plural, say, show


@click.group()
def dataset() -> None:
    """Datasets: what agents are measured on."""


add_verbs(dataset, "dataset")


@dataset.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--evaluator", "evaluators", multiple=True, help="Judges these items; may repeat."
)
@click.option("--description", default="", help="What the items are.")
@click.option("-m", "--message", default="", help="What changed and why.")
@click.pass_context
def import_(
    ctx: click.Context,
    name: str,
    file: Path,
    evaluators: tuple[str, ...],
    description: str,
    message: str,
) -> None:
    """Store the items in FILE (JSON lines or CSV, plain or gzip) as the next version.

    A line or row has an `input`, and where they are known `expected`, `id`, `split`, `tags`
    and `metadata`. Importing the same file again changes nothing.
    """
    import hashlib

    from .reading import read_items

    body = {
        "items": list(read_items(file)),
        "description": description,
        "message": message or f"imported from {file.name}",
        "evaluators": list(evaluators),
        "source": file.name,
        "source_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    made = client(ctx).post(f"/v1/datasets/{name}/versions", body)
    count = len(made["spec"]["items"])
    show(ctx, made, lambda one: f"{name}@{one['number']} has {plural(count, 'item')}")
    say(ctx, f"next: opsroom eval run SUBJECT --dataset {name}@{made['number']}")


@dataset.command()
@click.argument("reference", metavar="DATASET[@AT]")
@click.option("--split", "part", help="Only this split.")
@click.pass_context
def items(ctx: click.Context, reference: str, part: str | None) -> None:
    """Print the items of a version as JSON lines."""
    import json

    name, at = split(reference)
    for one in client(ctx).every(f"/v1/datasets/{name}/items", "start", at=at, split=part):
        click.echo(json.dumps(one, ensure_ascii=False))
