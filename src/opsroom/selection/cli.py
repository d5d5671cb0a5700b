"""`opsroom scorecard …`: which of several models or agents should do a task."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

BASE = "/v1/scorecards"
NOT_RECOMMENDED = 3


@click.group()
def scorecard() -> None:
    """Scorecards: which of several models or agents should do a task, and how sure that is."""


@scorecard.command()
@click.argument("name")
@click.argument("candidates", nargs=-1)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with the rest: prices, benchmarks, facts, weights.",
)
@click.option("--dataset", help="Dataset [the one of the candidates' name].")
@click.option(
    "-e", "--evaluator", "evaluators", multiple=True, help="Evaluators [the dataset's]."
)
@click.option("--split", help="Part of the dataset [test].")
@click.option("--edge-split", help="Part of the dataset that holds the edge cases.")
@click.option("--variant", help="Variant of the recordings.")
@click.option("--metric", help="What fit means [the first of the evaluators].")
@click.option("--format-metric", help="What says that an answer has the right form.")
@click.option(
    "--criticality",
    type=click.Choice(["advisory", "assistive", "autonomous"]),
    help="Whose weights count [assistive].",
)
@click.option("--cost-ceiling", help="US dollars at which a task is worth nothing any more.")
@click.option("--latency-ceiling", type=float, help="Seconds, likewise.")
@click.option("--volume", type=int, help="Tasks a month.")
@click.option("--cache-share", help="Share of input tokens read from the provider's cache.")
@click.option(
    "--require", "required", multiple=True, help="A fact without which nobody is chosen."
)
@click.pass_context
def draw(
    ctx: click.Context,
    /,
    name: str,
    candidates: tuple[str, ...],
    file: Path | None,
    **rest: Any,
) -> None:
    """Compare CANDIDATES, versions of agents or prompts, for one task and keep the scorecard.

    Exit 0 where one is recommended, 3 where it is undecided or nobody can be.
    """
    ask = _file(file)
    ask |= {key: list(value) if isinstance(value, tuple) else value
            for key, value in rest.items() if value not in (None, ())}  # fmt: skip
    stated = {one["subject"]: one for one in ask.get("candidates", ())}
    if candidates:
        ask["candidates"] = [stated.get(one, {"subject": one}) for one in candidates]
    found = client(ctx).post(BASE, {**ask, "name": name})
    show(ctx, found, _one)
    if found["card"]["recommendation"]["outcome"] != "recommended":
        ctx.exit(NOT_RECOMMENDED)


@scorecard.command("list")
@click.option("--limit", default=20, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, limit: int) -> None:
    """What was compared, newest first."""
    show(ctx, client(ctx).get(BASE, limit=limit)["items"], _list)


@scorecard.command("show")
@click.argument("wanted")
@click.pass_context
def show_(ctx: click.Context, wanted: str) -> None:
    """One scorecard: a digest, NAME@3, or the latest of a NAME."""
    show(ctx, client(ctx).get(f"{BASE}/{wanted}"), _one)


@scorecard.command()
@click.argument("wanted")
@click.option("--proposal", default="", help="A proposal; the scorecard becomes its check.")
@click.option("--release", default="", help="A release; the scorecard goes into its history.")
@click.pass_context
def attach(ctx: click.Context, wanted: str, proposal: str, release: str) -> None:
    """Put a scorecard beside the change that it is about."""
    if bool(proposal) == bool(release):
        raise click.UsageError("name either --proposal or --release")
    where = ("proposal", proposal) if proposal else ("release", release)
    client(ctx).post(f"{BASE}/{wanted}/{where[0]}", {"id": where[1]})
    show(ctx, {"scorecard": wanted, where[0]: where[1]}, lambda _: f"attached to {where[1]}")


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from opsroom.kit.yamlfile import read_yaml  # only where there is a file

    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise document.wrong((), "a scorecard is a mapping", fix="see docs/how-to/selection.md")
    return dict(document.data)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            f"{one['name']}@{one['number']}",
            one["card"]["recommendation"]["outcome"],
            one["card"]["task"]["dataset_name"],
            one["at"],
            one["card"]["recommendation"]["says"],
        )
        for one in found
    ]
    return table(("scorecard", "outcome", "dataset", "at", "what follows"), rows, empty="none")


def _one(found: dict[str, Any]) -> str:
    card = found["card"]
    said = card["recommendation"]
    rows = [
        (
            one["called"],
            _within(one["total"]["value"], one["total"]["interval"]),
            _share(one["measures"].get("fit")),
            one["cost"]["per_task"] and f"${one['cost']['per_task']}",
            one["latency"] and f"{one['latency']['value']:.1f} s",
            one["place"],
            one["cases"],
        )
        for one in card["standings"]
    ]
    called = {one["name"]: one["called"] for one in card["standings"]}
    against = [
        (
            called[one["a"]],
            called[one["b"]],
            _within(one["difference"], one["interval"]),
            one["pairs"],
            one["verdict"],
        )
        for one in card["contrasts"]
    ]
    return "\n".join(
        [
            f"{found['name']}@{found['number']}  {said['outcome']}: {said['says']}",
            *(f"  mind: {one}" for one in said["cautions"]),
            "",
            table(
                ("candidate", "total", "fit", "cost of a task", "median", "place", "cases"),
                rows,
                empty="",
            ),
            "",
            table(("a", "b", "a less b", "pairs", "a is"), against, empty=""),
            "",
            f"evidence {found['digest']}",
        ]
    )


def _share(one: dict[str, Any] | None) -> str:
    return _within(one["value"], one["interval"]) if one else ""


def _within(value: float, interval: dict[str, Any]) -> str:
    return f"{value:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"
