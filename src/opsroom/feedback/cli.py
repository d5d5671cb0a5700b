"""`opsroom feedback …`: saying something, bringing in and taking out, and what it comes to."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from opsroom.kit.csvwriting import lines, uncelled
from opsroom.sdk.terminal import client, plural, say, show, table

BASE = "/v1/feedback"
BATCH = 200
SHOWN_ERRORS = 50
TRUE, FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
VOTES = ("helpful", "accurate", "complete")
FORMS = click.Choice(["jsonl", "csv"])
# What may be brought in again; the rest of what is exported says what became of it.
GIVEN = (
    "subject", "source", "key", "by", "agent", "version", "use_case", *VOTES, "text", "confidence",
    "sources", "reasoning", "kpi", "value", "unit", "known_at",
)  # fmt: skip
COLUMNS = (*GIVEN, "id", "at", "state", "because", "counts", "turn", "trace", "reported_by")
BECAME = {*COLUMNS, "environment", "release", "arm", "joined", "released_by", "digest"} - {
    *GIVEN
}
WORDS = ("by", "use_case", "text", "reasoning", "unit", "key")


@click.group()
def feedback() -> None:
    """Feedback: what users, agents and the business say of what an agent did."""


@feedback.command()
@click.argument("subject", metavar="turn/ID|action/ID|trace/ID")
@click.option("--helpful/--not-helpful", default=None, help="As a user: whether it helped.")
@click.option("--accurate/--not-accurate", default=None, help="Whether it was right.")
@click.option("--complete/--not-complete", default=None, help="Whether nothing was missing.")
@click.option("--text", default="", help="In the user's words.")
@click.option("--confidence", type=float, help="As the agent: how sure it was, 0 to 1.")
@click.option("--reasoning", default="", help="On what grounds.")
@click.option("--uses", "sources", multiple=True, help="A source that it used; repeatable.")
@click.option("--kpi", default="", help="As the business: the name of a result.")
@click.option("--value", help="Its value.")
@click.option("--unit", default="", help="Its unit.")
@click.option("--known-at", help="When it became known (ISO 8601) [now].")
@click.option("--by", default="", help="Whose voice it is [yours].")
@click.option("--use-case", default="", help="What the work was for [from the turn's intent].")
@click.option("--key", default="", help="Say it once, however often it is sent.")
@click.pass_context
def add(ctx: click.Context, /, subject: str, **told: Any) -> None:
    """Say something of a turn, an action or a trace."""
    source = "business" if told["kpi"] else "user"
    if told["confidence"] is not None or told["reasoning"] or told["sources"]:
        source = "agent"
    body = {"subject": subject, "source": source, **told, "sources": list(told["sources"])}
    show(ctx, client(ctx).post(BASE, body), _one)


@feedback.command("list")
@click.option("--subject", help="Only of this turn, action or trace.")
@click.option("--agent", help="Only of the work of this agent.")
@click.option("--source", type=click.Choice(["user", "agent", "business"]))
@click.option("--state", type=click.Choice(["accepted", "quarantined"]))
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, /, **asked: Any) -> None:
    """What was said, newest first."""
    show(ctx, client(ctx).get(BASE, **asked)["items"], _list)


@feedback.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def import_(ctx: click.Context, file: Path) -> None:
    """Bring in feedback from a CSV file with headings, or from lines of JSON.

    Every line that cannot be taken is named with the reason, and the others are. The same file
    again changes nothing; a line without a key has one of its own.
    """
    taken, errors = Counter[str](), list[dict[str, Any]]()
    lines = _read(file, errors)
    while batch := list(islice(lines, BATCH)):
        body = {"items": [item for _, item in batch]}
        answered = client(ctx).post(BASE, body)["items"]
        for (line, _), one in zip(batch, answered, strict=True):
            if one["code"]:
                errors.append({"line": line, "code": one["code"], "error": one["error"]})
            else:
                taken[one["state"]] += 1
    errors.sort(key=lambda one: one["line"])
    for one in errors[:SHOWN_ERRORS]:
        say(ctx, f"{file}:{one['line']}: {one['error']}")
    if len(errors) > SHOWN_ERRORS:
        say(ctx, f"and {plural(len(errors) - SHOWN_ERRORS, 'line')} more")
    answer = {"taken": taken["accepted"], "set_aside": taken["quarantined"], "errors": errors}
    show(ctx, answer, _imported)
    if errors:
        ctx.exit(2)


@feedback.command()
@click.option("--format", "form", type=FORMS, default="jsonl", show_default=True)
@click.option("--agent", help="Only of the work of this agent.")
@click.option("--source", type=click.Choice(["user", "agent", "business"]))
@click.pass_context
def export(ctx: click.Context, /, form: str, **asked: Any) -> None:
    """Everything that was said, newest first, as CSV or as lines of JSON."""
    found = client(ctx).every(BASE, "before", **asked, limit=200)
    if form == "jsonl":
        for one in found:
            click.echo(json.dumps(one, ensure_ascii=False))
        return
    columns = ([one[name] for name in COLUMNS] for one in found)
    for row in lines(chain([COLUMNS], columns)):
        click.echo(row, nl=False)


@feedback.command()
@click.option("--days", default=30, show_default=True, help="How far back.")
@click.pass_context
def figures(ctx: click.Context, days: int) -> None:
    """Satisfaction, results between versions, and how the work went, with intervals."""
    show(ctx, client(ctx).get(f"{BASE}/figures", days=days), _figures)


@feedback.command()
@click.pass_context
def quarantine(ctx: click.Context) -> None:
    """Whose feedback is set aside or was refused, and why."""
    show(ctx, client(ctx).get(f"{BASE}/quarantine")["items"], _quarantine)


@feedback.command()
@click.argument("by")
@click.pass_context
def release(ctx: click.Context, by: str) -> None:
    """Let everything of one voice count that was set aside."""
    done = client(ctx).post(f"{BASE}/quarantine/release", {"by": by})
    show(ctx, done, lambda one: f"{one['released']} count now")


@feedback.command()
@click.argument("subject", metavar="turn/ID|action/ID|trace/ID")
@click.option("--by", default="", help="The user whose voice it will be.")
@click.option("--hours", default=168.0, show_default=True, help="How long it holds.")
@click.pass_context
def link(ctx: click.Context, subject: str, by: str, hours: float) -> None:
    """A token for the feedback element on somebody's page."""
    made = client(ctx).post(f"{BASE}/links", {"subject": subject, "by": by, "hours": hours})
    show(ctx, made, lambda one: str(one["token"]))


@feedback.command("revoke-links")
@click.pass_context
def revoke_links(ctx: click.Context) -> None:
    """Let no feedback link made until now permit anything any more."""
    client(ctx).post(f"{BASE}/links/revoke")
    show(ctx, {"revoked": True}, lambda _: "no link made until now holds any more")


def _read(file: Path, errors: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of a file as feedback; what is none goes to `errors`."""
    seen = Counter[str]()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        found = _from_csv(lines) if file.suffix.lower() == ".csv" else _from_json(lines)
        for line, item in found:
            if isinstance(item, str):
                errors.append({"line": line, "code": "bad_line", "error": item})
                continue
            if not item.get("key"):
                content = hashlib.sha256(
                    json.dumps(item, sort_keys=True).encode("utf-8", "surrogatepass")
                ).hexdigest()[:40]
                seen[content] += 1  # the same line twice is two people who say the same
                item["key"] = f"import-{content}-{seen[content]}"
            yield line, item


def _from_json(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"it is no JSON: {error}"
            continue
        if isinstance(item, dict):
            yield number, {key: value for key, value in item.items() if key not in BECAME}
        else:
            yield number, "it is no JSON object"


def _from_csv(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.DictReader(lines, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"it is no CSV: {error}"
            return
        yield reader.line_num, _typed(row)


def _typed(row: dict[str | Any, Any]) -> dict[str, Any] | str:
    if None in row or None in row.values():  # how csv tells of too many and of too few cells
        return "it has another number of cells than the headings"
    item: dict[str, Any] = {}
    for name, cell in row.items():
        if name in BECAME or not cell.strip():
            continue
        if name in VOTES:
            if cell.strip().lower() not in TRUE | FALSE:
                return f"{name} is yes or no, not {cell[:40]!r}"
            item[name] = cell.strip().lower() in TRUE
        elif name == "sources":
            item[name] = [one.strip() for one in cell.split("\n") if one.strip()]
        else:
            item[name] = uncelled(cell) if name in WORDS else cell
    return item


def _one(one: dict[str, Any]) -> str:
    about = one["version"] or one["agent"] or "work that is not known here yet"
    aside = f"\nset aside: {one['because']}" if one["state"] == "quarantined" else ""
    return f"{one['id']}  of {about}{aside}"


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], one["source"], one["by"], one["version"] or one["agent"], _said(one))
        for one in found
    ]
    return table(("feedback", "from", "by", "of", "said"), rows, empty="nobody said anything")


def _said(one: dict[str, Any]) -> str:
    votes = [name if one[name] else f"not {name}" for name in VOTES if one[name] is not None]
    if one["kpi"]:
        votes.append(f"{one['kpi']} {one['value']} {one['unit']}".strip())
    if one["confidence"] is not None:
        votes.append(f"confidence {one['confidence']:.2f}")
    words = (one["text"] or one["reasoning"])[:80]
    return ", ".join(filter(None, [*votes, words]))


def _imported(done: dict[str, Any]) -> str:
    return (
        f"{plural(done['taken'], 'line')} taken, {done['set_aside']:,} set aside, "
        f"{len(done['errors']):,} refused"
    )


def _figures(found: dict[str, Any]) -> str:
    satisfied = [
        (
            one["use_case"] or "not said",
            one["agent"],
            *(_share(one[name]) for name in VOTES),
        )
        for one in found["by_use_case"]
    ]
    lifts = [
        (one["agent"], one["kpi"], one["before"], one["after"], _lift(one), one["verdict"])
        for one in found["lifts"]
    ]
    work = found["work"]
    went = [
        (one["agent"], f"{one['median']['seconds']:.1f} s", f"{one['p90']['seconds']:.1f} s")
        for one in work["cycles"]
    ]
    shares = [(one["agent"], "exceptions", _share(one["share"])) for one in work["exceptions"]]
    shares += [
        (one["agent"], f"people stepped in, {one['phase']}", _share(one["share"]))
        for one in work["interventions"]
    ]
    return "\n\n".join(
        (
            table(
                ("use case", "agent", *VOTES), satisfied, empty="no user has said anything yet"
            ),
            table(
                ("agent", "kpi", "before", "after", "difference", "verdict"),
                lifts,
                empty="no result of two versions is known",
            ),
            table(("agent", "cycle", "90 %"), went, empty="no turn ended"),
            table(("agent", "share of turns", ""), shares, empty="no turn began"),
        )
    )


def _share(one: dict[str, Any]) -> str:
    tally, interval = one["tally"], one["interval"]
    if interval is None:
        return ""
    rate = 100 * tally["hits"] / tally["n"]
    low, high = 100 * interval["low"], 100 * interval["high"]
    return f"{rate:.0f} % [{low:.0f}, {high:.0f}] of {tally['n']}"


def _lift(one: dict[str, Any]) -> str:
    interval = one["interval"]
    within = f" [{interval['low']:+.4g}, {interval['high']:+.4g}]" if interval else ""
    return f"{one['difference']:+.4g}{within} {one['unit']}".strip()


def _quarantine(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["by"], one["set_aside"], one["refused"], one["last_at"], one["because"])
        for one in found
    ]
    return table(("by", "set aside", "refused", "last", "why"), rows, empty="nobody")
