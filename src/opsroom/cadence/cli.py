"""`opsroom cadence …`: what has to be looked at, beginning it, and closing it with a judgement."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/cadence"
KINDS = (
    "prompt-audit",
    "optimisation",
    "event-review",
    "access-review",
    "judge-calibration",
    "contract-tests",
)
METHODS = ("examples", "reflect")


@click.group()
def cadence() -> None:
    """Cadence: audits and reviews that come up again and again, and when they are due."""


@cadence.command()
@click.option("--kind", type=click.Choice(KINDS), help="Of this kind only.")
@click.option("--all", "everything", is_flag=True, help="Also what is over, newest first.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def due(ctx: click.Context, /, *, everything: bool, **wanted: Any) -> None:
    """What is due, the earliest first, and how well each kind was kept."""
    if everything:
        show(ctx, client(ctx).get(BASE, **wanted)["items"], _list)
    else:
        show(ctx, client(ctx).get(f"{BASE}/due", **wanted), _due)


@cadence.command("show")
@click.argument("occasion_id")
@click.pass_context
def show_(ctx: click.Context, occasion_id: str) -> None:
    """One occasion: what is asked, and the evidence as it was collected."""
    show(ctx, client(ctx).get(f"{BASE}/{occasion_id}"), _one)


@cadence.command()
@click.argument("occasion_id")
@click.option("--dataset", default="", help="What an optimisation learns from.")
@click.option("--model", default="", help="The model that an optimisation asks.")
@click.option("--method", type=click.Choice(METHODS), default="examples", show_default=True)
@click.option(
    "--max-calls", default=2_000, show_default=True, help="What its search may spend."
)
@click.pass_context
def start(ctx: click.Context, /, occasion_id: str, **search: Any) -> None:
    """Begin an occasion: its evidence is collected; an optimisation starts its search."""
    made = client(ctx).post(f"{BASE}/{occasion_id}/start", search)
    show(ctx, made, _one)
    say(ctx, f"next: opsroom cadence close {made['id']} --answer 'QUESTION=holds' -m …")


@cadence.command()
@click.argument("occasion_id")
@click.argument("record")
@click.option("-m", "--note", default="", help="What it shows.")
@click.pass_context
def attach(ctx: click.Context, occasion_id: str, record: str, note: str) -> None:
    """Add a RECORD as it is now: run/…, release/…, drift/…, prompt/triage@7."""
    given = {"record": record, "note": note}
    show(ctx, client(ctx).post(f"{BASE}/{occasion_id}/attach", given), _one)


@cadence.command()
@click.argument("occasion_id")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="QUESTION=holds|act[:WHY]",
    help="Your answer to a question; once for each.",
)
@click.option("--holds", is_flag=True, help="All that is not answered otherwise holds.")
@click.option("-m", "--note", required=True, help="About the whole; it goes on record.")
@click.pass_context
def close(
    ctx: click.Context, occasion_id: str, *, answers: tuple[str, ...], holds: bool, note: str
) -> None:
    """End an occasion with an answer to each question.

    `act` says that something has to be done, and why. In an access review it takes the access
    away: `--answer "token/tok_…=act:nobody uses it"`.
    """
    server = client(ctx)
    given = dict(map(_answer, answers))
    if holds:
        asked = server.get(f"{BASE}/{occasion_id}")["questions"]
        given = {one: {"verdict": "holds"} for one in asked} | given
    sent = {"answers": given, "note": note}
    show(ctx, server.post(f"{BASE}/{occasion_id}/close", sent), _one)


@cadence.command()
@click.argument("occasion_id")
@click.option("--to", required=True, help="The day by whose end it is due: 2026-12-01 (UTC).")
@click.option("-m", "--because", required=True, help="Why; it goes on record.")
@click.pass_context
def reschedule(ctx: click.Context, /, occasion_id: str, **given: str) -> None:
    """Let it be due on another day. What was overdue stays late."""
    show(ctx, client(ctx).post(f"{BASE}/{occasion_id}/reschedule", given), _one)


@cadence.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--on/--off", default=None, help="Whether it comes up.")
@click.option("--every-months", type=int, help="How often: 1, 2, 3, 4, 6 or 12 months.")
@click.option("--within-days", type=int, help="Due so many days after its period began.")
@click.option("--owner", help="Who has it; '' is who owns the subject.")
@click.pass_context
def settings(ctx: click.Context, /, kind: str | None, **given: Any) -> None:
    """Which occasions this project has; with a KIND and options, change that one."""
    server = client(ctx)
    found = server.get(f"{BASE}/settings")
    changed = {name: value for name, value in given.items() if value is not None}
    if changed and kind is None:
        raise click.UsageError("say of which KIND")
    if kind is not None and changed:
        found[kind.replace("-", "_")] |= changed
        found = server.put(f"{BASE}/settings", found)
    show(ctx, found, _settings)


@cadence.command()
@click.pass_context
def feed(ctx: click.Context) -> None:
    """Make the address at which your calendar program finds all this; the old one ends."""
    show(ctx, client(ctx).post(f"{BASE}/feed", {}), lambda made: str(made["url"]))
    say(ctx, "whoever has this address can read the calendar")


def _answer(text: str) -> tuple[str, dict[str, str]]:
    question, found, said = text.partition("=")
    if not found:
        raise click.BadParameter(f"{text!r} is not QUESTION=holds or QUESTION=act:WHY")
    verdict, _, why = said.partition(":")
    return question.strip(), {"verdict": verdict.strip(), "because": why.strip()}


def _due(found: dict[str, Any]) -> str:
    kept = [
        f"{one['kind']}: {one['streak']} in time in a row, {one['kept']} of {one['ended']}"
        for one in found["streaks"]
    ]
    late = f"{found['overdue']} overdue"
    return "\n".join([_list(found["items"], found["now"]), late, *kept])


def _list(found: list[dict[str, Any]], now: str = "") -> str:
    rows = [
        (
            one["id"],
            "overdue" if now and one["due_at"] < now else one["state"],
            one["due_at"][:10],
            one["kind"],
            one["subject"],
            one["owner"] or "nobody",
        )
        for one in found
    ]
    columns = ("occasion", "state", "due", "kind", "about", "owner")
    return table(columns, rows, empty="nothing is due")


def _one(one: dict[str, Any]) -> str:
    lines = [
        f"{one['id']}  {one['kind']} of {one['subject']}, {one['state']}",
        f"due {one['due_at'][:10]}, owner {one['owner'] or 'nobody'}",
    ]
    if one["because"]:
        lines.append(one["because"])
    lines += [
        f"moved from {move['before'][:10]} by {move['by']}: {move['because']}"
        for move in one["moves"]
    ]
    for question in [*one["questions"], ""]:
        said = one["answers"].get(question)
        evidence = [each for each in one["evidence"] if _about(each, one) == question]
        if question:
            lines.append(f"{question}: {_said(said)}")
        lines += [
            f"  {each['says']}  [{each['record']} {each['digest'][:12]}]" for each in evidence
        ]
    if one["note"]:
        lines.append(f"{one['closed_by']}: {one['note']}")
    return "\n".join(lines)


def _about(exhibit: dict[str, Any], one: dict[str, Any]) -> str:
    return str(exhibit["about"]) if exhibit["about"] in one["questions"] else ""


def _said(answer: dict[str, Any] | None) -> str:
    if answer is None:
        return "not answered"
    return f"{answer['verdict']} {answer['because']}".strip()


def _settings(found: dict[str, Any]) -> str:
    rows = [
        (
            name.replace("_", "-"),
            "yes" if rule["on"] else "no",
            "an event" if name == "event_review" else f"{rule['every_months']} months",
            f"{rule['within_days']} days",
            rule["owner"] or "of the subject",
        )
        for name, rule in found.items()
    ]
    return table(("kind", "on", "every", "within", "owner"), rows, empty="none")
