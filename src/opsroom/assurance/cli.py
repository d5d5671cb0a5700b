"""Evidence at the terminal: `opsroom evidence`."""

import json
from typing import Any
from urllib.parse import urlencode

import click

from opsroom.sdk.terminal import client, say, show, table, wants_json

NAMES = ("aiact", "soc2", "iso42001", "nist", "owasp-asi", "aarm")


@click.group()
def evidence() -> None:
    """What auditors ask for, answered from the records."""


@evidence.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """The frameworks that records are held against."""
    show(ctx, client(ctx).get("/v1/evidence"), _frameworks)


@evidence.command()
@click.option("--framework", required=True, type=click.Choice(NAMES))
@click.option("--since", default="", help="Beginning of the period; without it, 90 days.")
@click.option("--until", default="", help="End of the period; without it, now.")
@click.option("--format", "form", type=click.Choice(("html", "json")), default="html")
@click.option("-o", "--output", type=click.File("w", encoding="utf-8"), default="-")
@click.pass_context
def export(
    ctx: click.Context, framework: str, since: str, until: str, form: str, output: Any
) -> None:
    """Write a report: each control with what was found, every change, and that none is missing.

    As a page that stands by itself and prints, or as JSON. To check it without opsroom, hand
    over `opsroom audit export --folder FOLDER` with it.
    """
    asked = {"since": since, "until": until}
    if form == "json" or wants_json(ctx):
        found = client(ctx).get(f"/v1/evidence/{framework}", **asked)
        output.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        query = urlencode({**asked, "format": "html"})
        for line in client(ctx).lines(f"/v1/evidence/{framework}?{query}"):
            output.write(line + "\n")
    say(ctx, "a control is not met because there are records for it; read what they say")


def _frameworks(rows: list[dict[str, Any]]) -> str:
    cells = [(one["name"], one["controls"], one["title"]) for one in rows]
    return table(("name", "controls", "framework"), cells, empty="none")
