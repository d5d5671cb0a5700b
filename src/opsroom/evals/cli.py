"""`opsroom eval …`: run, compare, gate."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from opsroom.registry.cli import add_store, add_verbs
from opsroom.sdk.terminal import client, show, table

from .judge_cli import judge

GATE_FAILED = 3
COMPARED = ("metric", "pairs", "base", "candidate", "difference", "p", "verdict")
GATED = ("metric", "role", *COMPARED[1:])
Command = TypeVar("Command", bound=Callable[..., Any])


def measured(command: Command) -> Command:
    """The options that say what is measured, the same for every verb."""
    for option in (
        click.option("--dataset", default="", help="Dataset [the one of the artifact's name]."),
        click.option(
            "-e", "--evaluator", "evaluators", multiple=True, help="Evaluators [the dataset's]."
        ),
        click.option("--split", default="", help="Part of the dataset [test]."),
        click.option(
            "--variant", default="", help="Variant of the recordings, e.g. temperature=0.0."
        ),
        click.option(
            "--source", default="recorded", help="`recorded`, or a model to ask [recorded]."
        ),
    ):
        command = option(command)
    return command


@click.group("eval")
def eval_() -> None:
    """Evaluations: run a version on a dataset, compare two, gate one, calibrate judges."""


eval_.add_command(judge)


@eval_.command("list")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_(ctx: click.Context, limit: int) -> None:
    """The latest runs."""
    show(ctx, client(ctx).get("/v1/evals/runs", limit=limit), _runs)


def _measured(ctx: click.Context, path: str, body: Any) -> Any:
    """What measures answers when it is done: cases times a model's patience, not a minute."""
    return client(ctx).call("POST", path, body, timeout=None)


@eval_.command()
@click.argument("subject")
@measured
@click.pass_context
def run(ctx: click.Context, /, subject: str, **wanted: Any) -> None:
    """Measure SUBJECT (name, name@label, name@7) on a dataset."""
    show(ctx, _measured(ctx, "/v1/evals/runs", _side(subject, wanted)), _run)


@eval_.command()
@click.argument("baseline")
@click.argument("candidate")
@measured
@click.option("--metric", default="", help="The metric that matters [the first].")
@click.option(
    "--margin", default=0.05, help="Loss that is tolerable, in the metric's unit [0.05]."
)
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    baseline: str,
    candidate: str,
    metric: str,
    margin: float,
    **wanted: Any,
) -> None:
    """Compare CANDIDATE with BASELINE on the items that both answered."""
    found = _measured(
        ctx,
        "/v1/evals/compare",
        {
            "a": _side(baseline, wanted),
            "b": _side(candidate, wanted),
            "metric": metric,
            "margin": margin,
        },
    )
    show(ctx, _flat(found), lambda _: _compared(found))


@eval_.command()
@click.argument("candidate")
@click.option("--base", required=True, help="The version it would replace.")
@measured
@click.option("--metric", default="", help="The primary metric [the manifest's, or the first].")
@click.option(
    "--margin", default=0.05, help="Loss that is tolerable, in the metric's unit [0.05]."
)
@click.option(
    "--min-samples", type=int, help="Lowest number of pairs [200]; a lower one is shown."
)
@click.option(
    "--limit", type=float, help="What the rate of that metric must be shown to keep by itself."
)
@click.option("--strict", is_flag=True, help="Match or exceed on every metric (see docs).")
@click.option("--proposal", default="", help="Report the verdict as a check of this proposal.")
@click.option("--junit", type=click.Path(dir_okay=False), help="Also write a JUnit file.")
@click.option("--md", type=click.Path(dir_okay=False), help="Also append a Markdown summary.")
@click.pass_context
def gate(
    ctx: click.Context,
    /,
    candidate: str,
    base: str,
    proposal: str,
    junit: str | None,
    md: str | None,
    **wanted: Any,
) -> None:
    """Decide whether CANDIDATE may replace the base. Exit 0 passed, 3 otherwise."""
    rules = {
        name: wanted.pop(name)
        for name in ("metric", "margin", "min_samples", "strict", "limit")
    }
    found = _measured(
        ctx,
        "/v1/evals/gate",
        {
            "baseline": _side(base, wanted),
            "candidate": _side(candidate, wanted),
            "proposal": proposal,
            "ask": rules,
        },
    )
    from .reports import junit_report, markdown_report

    for path, mode, report in ((junit, "w", junit_report), (md, "a", markdown_report)):
        if path:
            with click.open_file(path, mode, encoding="utf-8") as stream:
                stream.write(report(found))
    show(ctx, found, _gated)
    if found["verdict"]["outcome"] != "passed":
        ctx.exit(GATE_FAILED)


def _side(subject: str, wanted: dict[str, Any]) -> dict[str, Any]:
    return {"subject": subject, **wanted, "evaluators": list(wanted["evaluators"])}


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    """The comparison that was asked for at the top, everything else below it."""
    first = found["metrics"][0]
    facts = first["comparison"] or {}
    keys = ("pairs", "only_a", "only_b", "p", "difference", "interval", "verdict")
    return {
        "a": found["run_a"]["subject_name"],
        "b": found["run_b"]["subject_name"],
        "metric": first["metric"],
        **{key: facts.get(key, first.get(key)) for key in keys},
        "metrics": found["metrics"],
        "runs": [found["run_a"]["id"], found["run_b"]["id"]],
        "regressed": [
            one["item_id"] for one in found["cases"] if one["changed"] == "regressed"
        ],
    }


def _compared(found: dict[str, Any]) -> str:
    head = f"{found['run_b']['subject_name']} against {found['run_a']['subject_name']}"
    rows = [[row[0], *row[2:]] for row in map(_metric_row, found["metrics"])]
    changed = [one["changed"] for one in found["cases"]]
    tail = f"{changed.count('regressed')} items got worse, {changed.count('improved')} better"
    return "\n".join((head, _metric_table(rows, COMPARED), tail))


def _gated(found: dict[str, Any]) -> str:
    verdict = found["verdict"]
    lines = [f"gate {verdict['outcome']}: {verdict['reasons'][0]}"]
    lines.append(_metric_table([_metric_row(one) for one in verdict["metrics"]]))
    if verdict["floor_lowered"]:
        lines.append(f"the floor of 200 samples was lowered to {verdict['floor']} on purpose")
    if verdict["chance_of_equal"] is not None:
        share = verdict["chance_of_equal"]
        lines.append(f"strict: an identical version would pass {share:.0%} of the time")
    from .reports import allowed

    lines += [*allowed(verdict), f"kept as {found['digest'][:16]}"]
    return "\n".join(lines)


def _metric_table(rows: list[list[str]], columns: tuple[str, ...] = GATED) -> str:
    return table(columns, rows, empty="nothing was compared")


def _metric_row(one: dict[str, Any]) -> list[str]:
    facts = one["comparison"]
    if facts is None:
        return [one["metric"], one["role"], str(one["pairs"]), "", "", "", "", one["verdict"]]
    binary = facts["kind"] == "binary"
    a, b = (facts["rate_a"], facts["rate_b"]) if binary else (facts["mean_a"], facts["mean_b"])
    low, high = facts["interval"]["low"], facts["interval"]["high"]
    form = _percent if binary else _plain
    return [
        one["metric"],
        one["role"],
        f"{facts['pairs']:,}",
        form(a),
        form(b),
        f"{form(facts['difference'], sign='+')} [{form(low, sign='+')}, {form(high, sign='+')}]",
        f"{facts['p']:.3g}",
        facts["verdict"].replace("_", " "),
    ]


def _percent(value: float, sign: str = "") -> str:
    return f"{value * 100:{sign}.1f} %"


def _plain(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4g}"


def _run(one: dict[str, Any]) -> str:
    totals = one["totals"]
    return (
        f"{one['id']}: {one['subject_name']} on {one['dataset_name']} ({one['split']}): "
        f"{one['state']}; {totals['answered']} answered, {totals['errors']} errors, "
        f"cost ${totals['cost']}"
    )


def _runs(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["subject_name"],
            one["dataset_name"],
            one["split"],
            one["variant"],
            one["state"],
        )
        for one in found
    ]
    columns = ("run", "version", "dataset", "split", "variant", "state")
    return table(columns, rows, empty="no runs yet; make one with `opsroom eval run`")


@click.group()
def evaluator() -> None:
    """Evaluators: what judges an answer, one metric each."""


add_verbs(evaluator, "evaluator")
add_store(evaluator, "evaluator", "eval run SUBJECT -e {ref}")
