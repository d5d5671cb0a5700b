"""`opsroom eval judge …`: calibrate judges, and see where they may gate."""

from decimal import Decimal
from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

BASE = "/v1/evals"


@click.group()
def judge() -> None:
    """Judges: how far they agree with people, and where they may gate."""


@judge.command()
@click.argument("evaluator")
@click.option("--dataset", required=True, help="Labelled answers (NAME or NAME@VERSION).")
@click.pass_context
def calibrate(ctx: click.Context, evaluator: str, dataset: str) -> None:
    """Hold EVALUATOR against labelled answers, domain by domain.

    An item's input is {"input": …, "answer": …}, it expects pass or fail, and its metadata names
    the domain. Verdicts that were given before are not asked for again.
    """
    wanted = {"evaluator": evaluator, "dataset": dataset}
    found = client(ctx).call("POST", f"{BASE}/calibrations", wanted, timeout=None)
    show(ctx, found, _report)


@judge.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Every judge, and where it may gate or why not."""
    rows: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": ""}
    while True:
        page = client(ctx).get(f"{BASE}/judges", after=page["next"])
        rows += page["items"]
        if not page["next"]:
            break
    show(ctx, rows, _judges)


@judge.command("show")
@click.argument("digest")
@click.pass_context
def show_(ctx: click.Context, digest: str) -> None:
    """One calibration, by the digest that it is kept under."""
    show(ctx, client(ctx).get(f"{BASE}/calibrations/{digest}"), _report)


def _report(found: dict[str, Any]) -> str:
    calibration = found["calibration"]
    domains = found["domains"]
    shown = domains if len(domains) == 1 else [*domains, found["overall"]]
    columns = ("domain", "n", "agreement", "κ", "passes good", "fails bad", "outside", "cost")
    head = (
        f"{calibration['evaluator']} ({calibration['model']}) against {calibration['dataset']}"
    )
    lines = [head, table(columns, [_row(one) for one in shown], empty="nothing is labelled")]
    lines += [f"{one['counts']['domain']}: {_standing(one['standing'])}" for one in domains]
    lines.append(f"kept as {found['digest'][:16]}")
    return "\n".join(lines)


def _row(one: dict[str, Any]) -> list[str]:
    low, high = one["kappa_interval"]["low"], one["kappa_interval"]["high"]
    return [
        one["counts"]["domain"],
        str(one["n"]),
        _share(one["agreement"]),
        f"{one['kappa']:.2f} [{low:.2f}, {high:.2f}]",
        _share(one["sensitivity"]),
        _share(one["specificity"]),
        f"{one['outside']['count']}",
        f"${Decimal(one['counts']['cost']):f}",
    ]


def _judges(rows: list[dict[str, Any]]) -> str:
    shown = [
        (
            one["evaluator"],
            one["model"],
            one["domain"],
            "yes" if one["may_gate"] else "no",
            one["reason"],
        )
        for one in rows
    ]
    columns = ("judge", "model", "domain", "may gate", "why")
    empty = "no judges yet; an evaluator of type llm-judge is one"
    return table(columns, shown, empty=empty)


def _share(one: dict[str, Any]) -> str:
    if one["rate"] is None:
        return "–"
    interval = one["interval"]
    return f"{one['rate']:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"


def _standing(one: dict[str, Any]) -> str:
    return f"may gate: {one['reason']}" if one["may_gate"] else f"may not gate: {one['reason']}"
