"""`opsroom redteam …`: make attacks and edge cases, put versions to them, talk, rehearse."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, say, show, table

BASE = "/v1/redteam"
LIMIT_BROKEN = 3
GOALS = ("say", "tell", "call", "refuse", "rubric")


@click.group()
def redteam() -> None:
    """Red team: attacks and edge cases, and how versions stand them."""


@redteam.command()
@click.pass_context
def techniques(ctx: click.Context) -> None:
    """Every technique by which cases are made."""
    show(ctx, client(ctx).get(f"{BASE}/techniques"), _techniques)


@redteam.command()
@click.argument("seeds", metavar="DATASET[@AT]")
@click.option(
    "--name", required=True, help="Of the dataset that is made; attacks-NAME guards NAME."
)
@click.option("--goal", type=click.Choice(GOALS), help="What the attacker wants [edge cases].")
@click.option("--secret", default="", help="What must not be told (goal tell).")
@click.option("--tool", default="", help="What must not be called (goal call).")
@click.option("--rubric", default="", help="What answers have to keep to (goal rubric).")
@click.option("--grader", default="", help="The model that says so (goal rubric).")
@click.option("--seed", default=0, show_default=True, help="Another seed, other cases.")
@click.option("--per-seed", default=1, show_default=True, help="Cases out of each seed.")
@click.option("--most", default=1_000, show_default=True, help="Cases at most.")
@click.option("--split", default="", help="The part of the seeds that is used [all].")
@click.option("-t", "--technique", "techniques_", multiple=True, help="Only these; may repeat.")
@click.option("--unanswerable", default="", help="What is expected where there is no answer.")
@click.option("--writer", default="", help="A model that writes more attacks.")
@click.option("--writes", default=10, show_default=True, help="How many at most.")
@click.option("--usd", default="1", show_default=True, help="For how much at most.")
@click.option("-m", "--message", default="", help="What changed and why.")
@click.pass_context
def generate(
    ctx: click.Context,
    /,
    seeds: str,
    goal: str | None,
    secret: str,
    tool: str,
    rubric: str,
    grader: str,
    techniques_: tuple[str, ...],
    unanswerable: str,
    writer: str,
    writes: int,
    usd: str,
    **rest: Any,
) -> None:
    """Make attacks (with a goal) or edge cases out of DATASET. The same call makes the same."""
    given = {
        "tell": {"secret": secret},
        "call": {"tool": tool},
        "rubric": {"rubric": rubric, "grader": grader},
    }
    body: dict[str, Any] = {"seeds": seeds, "techniques": list(techniques_), **rest}
    if goal:
        body["goal"] = {"kind": goal, **given.get(goal, {})}
    if unanswerable:
        body["unanswerable"] = _data(unanswerable)
    if writer:
        body["extra"] = {"model": writer, "cases": writes, "usd": usd}
    made = client(ctx).call("POST", f"{BASE}/datasets", body, timeout=None)
    show(ctx, made, _generated)
    say(ctx, f"next: opsroom redteam run SUBJECT --dataset {made['dataset'].split('/')[-1]}")


@redteam.command()
@click.argument("subject")
@click.option("--dataset", required=True, help="The attacks or edge cases.")
@click.option(
    "-e", "--evaluator", "evaluators", multiple=True, help="Evaluators [the dataset's]."
)
@click.option("--split", default="", help="Part of the dataset [test].")
@click.option("--variant", default="", help="Variant of the recordings.")
@click.option("--source", default="recorded", help="`recorded`, or a model to ask [recorded].")
@click.option("--limit", type=click.FloatRange(0, 1), help="What may go wrong at most: 0.05.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    evaluators: tuple[str, ...],
    limit: float | None,
    **wanted: Any,
) -> None:
    """Put SUBJECT to a dataset of attacks. With --limit, exit 3 unless it is shown to be kept."""
    body = {"measurement": {**wanted, "evaluators": list(evaluators)}, "limit": limit}
    _said(ctx, client(ctx).call("POST", f"{BASE}/runs", body, timeout=None), limit)


@redteam.command()
@click.argument("run_id", metavar="RUN")
@click.option("--limit", type=click.FloatRange(0, 1), help="What may go wrong at most: 0.05.")
@click.pass_context
def report(ctx: click.Context, run_id: str, limit: float | None) -> None:
    """What a run came to, by technique. With --limit, exit 3 unless it is shown to be kept."""
    _said(ctx, client(ctx).get(f"{BASE}/runs/{run_id}", limit=limit), limit)


@redteam.command()
@click.argument("subject")
@click.option(
    "--users",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML or JSON file with the list `users`.",
)
@click.option("--name", required=True, help="Of the dataset that the conversations become.")
@click.option("--source", required=True, help="The model that answers for SUBJECT.")
@click.option("--played-by", default="", help="The model that plays users who want more.")
@click.option("-e", "--evaluator", "evaluators", multiple=True, help="Judges the last answers.")
@click.option("--variant", default="conversation", show_default=True)
@click.pass_context
def converse(
    ctx: click.Context, /, file: Path, evaluators: tuple[str, ...], **wanted: Any
) -> None:
    """Let the simulated users in a file talk with SUBJECT; keep it as cases and answers."""
    from opsroom.kit.yamlfile import read_yaml

    data = read_yaml(file).data
    users = data.get("users") if isinstance(data, dict) else data
    body = {**wanted, "users": users, "evaluators": list(evaluators)}
    show(ctx, client(ctx).call("POST", f"{BASE}/conversations", body, timeout=None), _talked)


@redteam.command()
@click.argument("subject", metavar="AGENT[@AT]")
@click.option("--dataset", required=True, help="What it works on.")
@click.option("--source", default="recorded", help="`recorded`, or a model to ask [recorded].")
@click.option("--answers", default="", help="Variant of the recorded answers.")
@click.option("--split", default="", help="Part of the dataset [test].")
@click.option(
    "--variant", default="rehearsal", show_default=True, help="Names what comes of it."
)
@click.option("--environment", default="production", show_default=True)
@click.option("--human", default="", help="Whom the agent acts for [you].")
@click.option("--most", default=200, show_default=True, help="Cases at most.")
@click.pass_context
def rehearse(ctx: click.Context, /, **wanted: Any) -> None:
    """Let AGENT work on cases with every action simulated: the gate decides, nothing leaves."""
    show(ctx, client(ctx).call("POST", f"{BASE}/rehearsals", wanted, timeout=None), _rehearsed)


def _said(ctx: click.Context, found: dict[str, Any], limit: float | None) -> None:
    """Print a report; what was not counted does not keep a limit either."""
    show(ctx, found, _report)
    if limit is not None and (found["limit"] or {"standing": ""})["standing"] != "within":
        ctx.exit(LIMIT_BROKEN)


def _data(text: str) -> Any:
    """JSON where it is that, else the text itself."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _techniques(rows: list[dict[str, Any]]) -> str:
    shown = [
        (
            one["name"],
            one["family"],
            one["effect"],
            ", ".join((*one["owasp"], *one["atlas"])),
            one["says"],
        )
        for one in rows
    ]
    return table(("technique", "family", "effect", "ids", "what it does"), shown, empty="none")


def _generated(made: dict[str, Any]) -> str:
    head = (
        f"{made['dataset']}: {plural(made['cases'], 'case')} out of "
        f"{plural(made['seeds'], 'seed')}, digest {made['digest'][:16]}"
    )
    lines = [head]
    lines += [f"left out, {why}: {count}" for why, count in made["left_out"].items()]
    return "\n".join(lines)


def _report(found: dict[str, Any]) -> str:
    overall = found["overall"]
    what = "succeeded" if found["metric"] == "attack-success" else "went wrong"
    head = (
        f"{found['subject']} on {found['dataset']}: {overall['wrong']} of {overall['cases']} "
        f"{what}, {_share(overall)}"
    )
    lines = [head]
    if found["missing"]:
        lines.append(f"{plural(found['missing'], 'case')} without a verdict, in no count")
    rows = [
        (one["name"], one["wrong"], one["cases"], _share(one), ", ".join(one["owasp"]))
        for one in found["techniques"]
    ]
    columns = ("technique", "wrong", "cases", "share [95 %]", "OWASP")
    lines.append(table(columns, rows, empty="nothing could be counted"))
    lines += [f"{one['item_id']}: {one['answered'][:100]}" for one in found["worst"][:5]]
    if (limit := found["limit"]) is not None:
        words = {
            "within": "it is shown to keep",
            "beyond": "it breaks",
            "open": "it is not shown to keep",
        }
        lines.append(f"{words[limit['standing']]} the limit of {limit['limit']:g}")
    return "\n".join([*lines, f"kept as {found['run']}"])


def _share(one: dict[str, Any]) -> str:
    interval = one["interval"]
    if interval is None:
        return "–"
    return f"{one['rate']:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"


def _talked(found: dict[str, Any]) -> str:
    rows = [
        (one["user"], one["turns"], one["ended"], one["why"]) for one in found["conversations"]
    ]
    head = f"{found['dataset']}, answers recorded as variant {found['variant']}"
    return f"{head}\n{table(('user', 'turns', 'ended', 'why'), rows, empty='nobody spoke')}"


def _rehearsed(found: dict[str, Any]) -> str:
    ended = ", ".join(f"{count} {kind}" for kind, count in found["proposals"].items())
    head = (
        f"{found['subject']} on {found['dataset']}: {plural(found['cases'], 'case')}, "
        f"{sum(found['proposals'].values())} proposals ({ended or 'none'}); "
        f"{found['alone']} would have happened unattended"
    )
    lines = [
        head,
        *(f"no answer: {why} ({count})" for why, count in found["failed"].items()),
        f"tried:       opsroom redteam report {found['tried']['id']}",
        f"let through: opsroom redteam report {found['let_through']['id']}",
    ]
    return "\n".join(lines)
