"""`opsroom budget …`: what is left, setting, removing, and when it will be used up."""

import re
from decimal import Decimal
from typing import Any

import click

from opsroom.sdk.terminal import client, show, span, table

BASE = "/v1/budgets"
UNITS = ("usd", "tokens", "calls", "seconds")
SCOPES = ("org", "team", "agent", "session", "turn", "contract")
SPANS = {"m": 60, "h": 3_600, "d": 86_400}


@click.group()
def budget() -> None:
    """Budgets: what may be spent; nothing is reserved beyond it."""


@budget.command("show")
@click.argument("which", required=False, metavar="[BUDGET_ID]")
@click.option("--scope", type=click.Choice(SCOPES), help="Only of this scope.")
@click.option("--after", default="", help="Go on after this budget.")
@click.option("--limit", default=50, help="How many at most [50].")
@click.pass_context
def show_(
    ctx: click.Context, which: str | None, scope: str | None, after: str, limit: int
) -> None:
    """Every budget with what is left of it, or one in full."""
    if which is not None:
        show(ctx, client(ctx).get(f"{BASE}/{which}"), _outlook)
        return
    found = client(ctx).get(BASE, scope=scope, after=after or None, limit=limit)
    show(ctx, found["items"], _list)


@budget.command("set")
@click.argument("whose", metavar="SCOPE/KEY")
@click.argument("unit", type=click.Choice(UNITS))
@click.argument("hard")
@click.option("--soft", help="Warn above this.")
@click.option("--window", help="Per 90m, 1h, 1d, 7d …; without, for ever.")
@click.pass_context
def set_(
    ctx: click.Context, whose: str, unit: str, hard: str, soft: str | None, window: str | None
) -> None:
    """Set a budget, or change the limits of the one that is there.

    SCOPE/KEY is agent/NAME, team/NAME, contract/NAME, org/PROJECT, session/ID or turn/ID; an
    asterisk stands for each: 'turn/*'.
    """
    scope, _, key = whose.partition("/")
    if scope not in SCOPES or not key:
        message = f"{whose!r} is no SCOPE/KEY; scopes are {', '.join(SCOPES)}"
        raise click.UsageError(message)
    body = {
        "scope": scope,
        "key": whose if scope == "contract" and key != "*" else key,
        "unit": unit,
        "hard": hard,
        "soft": soft,
        "window": None if window is None else _seconds(window),
    }
    show(ctx, client(ctx).put(BASE, body), _set)


@budget.command()
@click.argument("budget_id")
@click.option("-m", "--reason", default="", help="Why; it goes into the record.")
@click.pass_context
def remove(ctx: click.Context, budget_id: str, reason: str) -> None:
    """Stop counting against a budget."""
    client(ctx).post(f"{BASE}/{budget_id}/remove", {"reason": reason})
    show(ctx, {"removed": budget_id}, lambda _: f"{budget_id} is removed")


@budget.command()
@click.argument("budget_id")
@click.option("--key", default="", help="Of a budget for each: which one.")
@click.pass_context
def forecast(ctx: click.Context, budget_id: str, key: str) -> None:
    """When a budget will be used up at the present rate, and what a task costs."""
    show(ctx, client(ctx).get(f"{BASE}/{budget_id}", key=key or None), _forecast)


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if found is None:
        message = f"{text!r} is no window; say 90m, 1h, 1d or 7d"
        raise click.UsageError(message)
    return int(found[1]) * SPANS[found[2]]


def _whose(budget: dict[str, Any], key: str = "") -> str:
    key = key or budget["key"]
    return key if key.startswith("contract/") else f"{budget['scope']}/{key}"


def _left(one: dict[str, Any]) -> Decimal:
    return Decimal(one["budget"]["hard"]) - Decimal(one["held"]) - Decimal(one["settled"])


def _word(one: dict[str, Any]) -> str:
    left, soft = _left(one), one["budget"]["soft"]
    if left <= 0:
        return "used up" if left == 0 else "overspent"
    passed = soft is not None and Decimal(one["budget"]["hard"]) - left > Decimal(soft)
    return "soft limit passed" if passed else "within"


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["budget"]["id"],
            _whose(one["budget"], one["key"]),
            one["budget"]["unit"],
            _window(one["budget"]["window"]),
            one["budget"]["hard"],
            one["held"],
            one["settled"],
            f"{_left(one):f}",
            _word(one),
        )
        for one in found
    ]
    columns = ("budget", "of", "unit", "per", "hard", "held", "settled", "left", "state")
    return table(
        columns, rows, empty="no budget is set; begin: opsroom budget set agent/NAME usd 100"
    )


def _set(one: dict[str, Any]) -> str:
    per = _window(one["window"])
    return f"{one['id']}  {_whose(one)}: {one['hard']} {one['unit']} {per}".rstrip()


def _outlook(found: dict[str, Any]) -> str:
    return "\n".join((_list([found["standing"]]), _forecast(found)))


def _forecast(found: dict[str, Any]) -> str:
    standing, ahead, tasks = found["standing"], found["forecast"], found["tasks"]
    unit = standing["budget"]["unit"]
    lines: list[str] = []
    if ahead is None:
        lines.append("too little was spent to say how it will go on")
    else:
        rates = f"{ahead['low']:.4g} to {ahead['high']:.4g}, {ahead['level']:.0%} sure"
        lines.append(f"{ahead['per_hour']:.4g} {unit} an hour ({rates})")
        if ahead["earliest"] is None:
            lines.append("it is not used up in time")
        else:
            expected = ahead["runs_out_at"] or "not in time"
            latest = ahead["latest"] or "never in time"
            lines.append(f"used up: {expected} (earliest {ahead['earliest']}, latest {latest})")
    if tasks is not None:
        lines.append(
            f"a task costs {tasks['median']:.4g} {unit} in the middle, {tasks['p95']:.4g} at"
            f" most in 95 of 100 ({tasks['n']:,} tasks)"
        )
    return "\n".join(lines)


def _window(text: str | None) -> str:
    return "for ever" if text is None else span(text)
