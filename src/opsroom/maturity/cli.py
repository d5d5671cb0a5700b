"""`opsroom report maturity`: how far everything has come, for reading or as a file."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table


@click.command()
@click.argument("subject", required=False)
@click.option(
    "--html",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report to this file, to print or pass on.",
)
@click.pass_context
def maturity(ctx: click.Context, subject: str | None, file: Path | None) -> None:
    """How far the project, its agents and its prompts have come, L1 to L5.

    With a SUBJECT (agent/NAME or prompt/NAME): each criterion, and how its level moved.
    """
    from .report import page

    server = client(ctx)
    if subject is not None:
        show(ctx, server.get("/v1/maturity/of", subject=subject), _one)
        return
    found = server.get("/v1/maturity")
    if file is not None:
        project = found["project"]["subject"].partition("/")[2]
        file.write_text(page(found, project=project), encoding="utf-8")
        say(ctx, f"written to {file}")
        return
    show(ctx, found, _summary)


def _summary(found: dict[str, Any]) -> str:
    from .report import next_step

    some = [found["project"], *found["agents"], *found["prompts"]]
    rows = [
        (one["subject"], f"L{one['level']}", "█" * one["level"], one["title"], next_step(one))
        for one in some
    ]
    return table(("what", "level", "", "is", "next step"), rows, empty="none")


def _one(found: dict[str, Any]) -> str:
    one = found["assessment"]
    lines = [f"{one['subject']}  L{one['level']} {one['title']}"]
    for each in one["criteria"]:
        mark = "met" if each["met"] else "missing"
        lines.append(f"  L{each['level']} {each['name']}: {mark}; {each['says']}")
        if not each["met"]:
            lines.append(f"     {each['step']}")
    lines += [f"{past['day']}  L{past['level']}" for past in found["history"]]
    return "\n".join(lines)
