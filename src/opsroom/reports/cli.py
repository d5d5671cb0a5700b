"""`opsroom report …`: reports for reading or as files, what is sent, and what was."""

import json
from typing import Any
from urllib.parse import urlencode

import click

from opsroom.maturity.cli import maturity
from opsroom.sdk.terminal import client, say, show, table, wants_json

from .model import LEAST, NAMES

FORMS = ("table", "json", "csv", "html")


@click.group()
def report() -> None:
    """Reports, made of records alone."""


report.add_command(maturity)
_as_file = click.option(
    "--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="Write it here."
)


@report.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """The reports there are, and what each answers."""
    show(ctx, client(ctx).get("/v1/reports"), _reports)


def _command(name: str) -> click.Command:
    title, question = NAMES[name]

    @click.command(name, help=f"{title}. {question}", short_help=title)
    @click.option(
        "--since", default="", help="How far back (30d, 4w), or a day; 30d unless said."
    )
    @click.option("--until", default="", help="The day before which it ends; now unless said.")
    @click.option("--agent", default="", help="Of this agent alone.")
    @click.option(
        "--least", default=LEAST, show_default=True, help="From how many on a rate ranks."
    )
    @click.option("--format", "form", type=click.Choice(FORMS), default="table")
    @_as_file
    @click.pass_context
    def command(ctx: click.Context, /, form: str, output: Any, **asked: Any) -> None:
        query = {key: value for key, value in asked.items() if value}
        _write(ctx, f"/v1/reports/{name}", query, form, output)

    return command


def _write(
    ctx: click.Context, path: str, query: dict[str, Any], form: str, output: Any
) -> None:
    """Write an answer in the form that is wanted; of a sent one, the answer that was sent."""
    if form in {"csv", "html"} and not wants_json(ctx):
        for line in client(ctx).lines(f"{path}?{urlencode({**query, 'format': form})}"):
            output.write(line + "\n")
        return
    found = client(ctx).get(path, **query)
    if form == "json" or wants_json(ctx):
        output.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    answer = found.get("answer", found)
    output.write(in_words(answer) + "\n")
    if answer["next"]:
        say(ctx, "there are more rows; --format csv has them all")
    for note in answer["notes"]:
        say(ctx, note)


for _name in NAMES:
    report.add_command(_command(_name))


@report.command()
@click.argument("name", type=click.Choice(tuple(NAMES)))
@click.option("--every", type=click.Choice(("week", "month")), required=True)
@click.option("--channel", required=True, help="The channel that it is sent through.")
@click.option("--agent", default="", help="Of this agent alone.")
@click.pass_context
def schedule(ctx: click.Context, name: str, every: str, channel: str, agent: str) -> None:
    """Send the report NAME through a channel every week or month."""
    draft = {"report": name, "every": every, "channel": channel, "agent": agent}
    made = client(ctx).post("/v1/report-schedules", draft)
    show(ctx, made, lambda one: f"{one['id']}: {name} goes to {channel} next {one['next_at']}")


@report.command()
@click.argument("schedule_id")
@click.option("--every", type=click.Choice(("week", "month")))
@click.option("--channel", help="The channel that it is sent through from now on.")
@click.pass_context
def reschedule(
    ctx: click.Context, schedule_id: str, every: str | None, channel: str | None
) -> None:
    """Change when a report is sent, or where to."""
    found = client(ctx).get("/v1/report-schedules")
    was = next((one for one in found if one["id"] == schedule_id), None)
    keys = ("report", "every", "channel", "agent")
    draft = {key: was[key] for key in keys} if was else {"report": "", "channel": ""}
    draft |= {"every": every or draft.get("every", "week")}
    draft |= {"channel": channel} if channel else {}
    made = client(ctx).put(f"/v1/report-schedules/{schedule_id}", draft)
    show(
        ctx,
        made,
        lambda one: f"{one['report']} goes to {one['channel']} next {one['next_at']}",
    )


@report.command()
@click.argument("schedule_id")
@click.pass_context
def end(ctx: click.Context, schedule_id: str) -> None:
    """Let a report be sent no more."""
    ended = client(ctx).post(f"/v1/report-schedules/{schedule_id}/end")
    show(ctx, ended, lambda one: f"{one['report']} is sent to {one['channel']} no more")


@report.command()
@click.pass_context
def schedules(ctx: click.Context) -> None:
    """What is sent by schedule, and when it goes next."""
    show(ctx, client(ctx).get("/v1/report-schedules"), _schedules)


@report.command()
@click.option("--report", "name", default="", help="Of this report alone.")
@click.pass_context
def sent(ctx: click.Context, name: str) -> None:
    """What was sent by schedule, newest first."""
    show(ctx, client(ctx).get("/v1/report-copies", report=name)["items"], _sent)


@report.command()
@click.argument("copy_id")
@click.option("--format", "form", type=click.Choice(FORMS), default="table")
@_as_file
@click.pass_context
def copy(ctx: click.Context, copy_id: str, form: str, output: Any) -> None:
    """What was sent, exactly as it was."""
    _write(ctx, f"/v1/report-copies/{copy_id}", {}, form, output)


def in_words(found: dict[str, Any]) -> str:
    """An answer for the terminal."""
    from opsroom.kit.wire import adapter

    from .model import Answer
    from .words import period, said

    answer = adapter(Answer).validate_python(found)
    facts = [f"{one.name}: {said(one.value, one.shape)}" for one in answer.facts]
    rows = [
        [said(row.cells.get(one.key), one.shape) for one in answer.columns]
        for row in answer.rows
    ]
    heads = [one.title for one in answer.columns]
    return "\n".join(
        [period(answer), *facts, "", table(heads, rows, empty="nothing to report")]
    )


def _reports(rows: list[dict[str, Any]]) -> str:
    cells = [(one["name"], one["title"], one["question"]) for one in rows]
    return table(("name", "report", "answers"), cells, empty="none")


def _schedules(rows: list[dict[str, Any]]) -> str:
    keys = ("id", "report", "agent", "every", "channel", "next_at", "said")
    heads = ("id", "report", "agent", "every", "channel", "next", "not sent because")
    cells = [[one[key] for key in keys] for one in rows]
    return table(heads, cells, empty="nothing is sent; begin with `opsroom report schedule`")


def _sent(rows: list[dict[str, Any]]) -> str:
    keys = ("id", "report", "since", "until", "channel", "digest")
    cells = [[one[key] for key in keys] for one in rows]
    return table(keys, cells, empty="nothing was sent yet")
