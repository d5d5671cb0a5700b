"""`opsroom threshold …`: what agents' confidence is worth, and from which on they may act alone."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/thresholds"
environment = click.option("--environment", default="production", help="Where [production].")
reason = click.option("-m", "--reason", required=True, help="Why; it goes into the record.")


@click.group()
def threshold() -> None:
    """Thresholds: what an agent's confidence is worth, and from which on it may act alone."""


@threshold.command("show")
@click.argument("agent")
@click.argument("contract", required=False)
@environment
@click.pass_context
def show_(ctx: click.Context, agent: str, contract: str | None, environment: str) -> None:
    """Every contract of an agent, or its calibration under one."""
    here, path = client(ctx), f"{BASE}/agents/{agent}"
    if contract is None:
        show(ctx, here.get(path, environment=environment), _confidence)
    else:
        show(ctx, here.get(f"{path}/{contract}", environment=environment), _standing)


@threshold.command("list")
@click.option("--agent", help="Of this agent only.")
@click.option("--contract", help="Under this contract only.")
@click.option("--before", help="Go on before this one.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, /, **wanted: Any) -> None:
    """What was found when confidence was examined, newest first."""
    show(ctx, client(ctx).get(BASE, **wanted), lambda found: _list(found["items"]))


@threshold.command()
@click.argument("agent")
@click.argument("contract")
@environment
@click.pass_context
def examine(ctx: click.Context, agent: str, contract: str, environment: str) -> None:
    """Look for a cut-off. Every look is kept and uses up confidence, so look when much is new."""
    body = {"agent": agent, "contract": contract, "environment": environment}
    made = client(ctx).post(BASE, body)
    show(ctx, made, _examination)
    if made["cutoff"]:
        say(ctx, f"next: opsroom threshold propose {made['id']} -m …")


@threshold.command()
@click.argument("cutoff_id")
@click.option("--max-amount", help="At most so many US dollars an action.")
@click.option("--max-per-day", type=int, help="At most so many actions a day.")
@click.option("--spot-share", type=float, help="Ask about at least this share anyway (0 to 1).")
@reason
@click.pass_context
def propose(ctx: click.Context, /, cutoff_id: str, **given: Any) -> None:
    """Ask that the agent may act alone from its cut-off on. Somebody else approves."""
    made = client(ctx).post(f"{BASE}/{cutoff_id}/propose", given)
    show(ctx, made, lambda one: f"{one['id']} waits: {one['because']}")
    say(ctx, f"next, somebody else: opsroom autonomy widen {made['id']}")


@threshold.command()
@click.argument("cutoff_id")
@reason
@click.pass_context
def tighten(ctx: click.Context, cutoff_id: str, reason: str) -> None:
    """Let the agent act alone from its cut-off on only, at once."""
    made = client(ctx).post(f"{BASE}/{cutoff_id}/tighten", {"reason": reason})
    show(ctx, made, lambda one: f"{one['scope']} is {one['level']} from now on")


@threshold.command()
@click.option(
    "--target", "targets", multiple=True, metavar="TIER=RATE", help="Stay under this rate."
)
@click.option("--spot-share", type=float, help="Propose to ask about this share by lot.")
@click.option("--wrong-outcome", "outcomes", multiple=True, help="What counts as wrong.")
@click.pass_context
def settings(
    ctx: click.Context,
    targets: tuple[str, ...],
    spot_share: float | None,
    outcomes: tuple[str, ...],
) -> None:
    """What this project asks of acting alone; with options, set it."""
    here = client(ctx)
    now = here.get(f"{BASE}/settings")
    if targets or outcomes or spot_share is not None:
        now["targets"] |= dict(map(_target, targets))
        if spot_share is not None:
            now["spot_share"] = spot_share
        if outcomes:
            now["wrong_outcomes"] = outcomes
        now = here.put(f"{BASE}/settings", now)
    show(ctx, now, _settings)


def _target(given: str) -> tuple[str, float]:
    tier, _, rate = given.partition("=")
    try:
        return tier, float(rate)
    except ValueError as error:
        raise click.UsageError(f"{given!r} is not TIER=RATE") from error


def _confidence(found: dict[str, Any]) -> str:
    rows = [
        (
            one["contract"],
            one["decisions"],
            one["labelled"],
            one["grant"]["level"],
            _value(one["last"]) if one["last"] else "not examined",
        )
        for one in found["contracts"]
    ]
    columns = ("contract", "decisions", "answered", "level", "may act alone from")
    return table(columns, rows, empty="it never said how sure it was")


def _standing(one: dict[str, Any]) -> str:
    counted = (
        f"{one['agent']} under {one['contract']}: {one['decisions']} decisions,"
        f" {one['labelled']} answered by people ({one['spots']} drawn by lot),"
        f" {one['alone']} alone, {one['found_wrong']} of those found wrong"
    )
    lines = [counted]
    if one["meaning"]:
        lines += [one["meaning"]["says"], _calibration(one["calibration"])]
    if watch := one["watch"]:
        evidence = max(watch["known"]["evidence"], watch["spots"]["evidence"])
        lines.append(
            f"the watch: evidence {evidence:.3g} of {watch['known']['needed']:.0f},"
            f" {watch['kind']}"
        )
    return "\n".join(lines)


def _calibration(one: dict[str, Any]) -> str:
    rows = [
        (
            f"{part['low']:g} – {part['high']:g}",
            part["n"],
            f"{part['confidence']:.1%}",
            _within(part["right"] / part["n"], part["interval"]),
        )
        for part in one["bins"]
    ]
    error = f"calibration error {one['error']:.1%} ({one['error_by_chance']:.1%} by chance)"
    brier = f"Brier {one['brier']:.3f} ({one['brier_constant']:.3f} for a constant)"
    bins = table(("reported", "n", "on average", "right"), rows, empty="none")
    return f"{error}, {brier}\n{bins}"


def _within(share: float, interval: dict[str, Any]) -> str:
    return f"{share:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], one["at"], one["agent"], one["contract"], _value(one), one["because"])
        for one in found
    ]
    columns = ("cut-off", "at", "agent", "contract", "alone from", "because")
    return table(columns, rows, empty="none")


def _examination(one: dict[str, Any]) -> str:
    lines = [
        f"{one['id']}  {one['agent']} under {one['contract']}: {_value(one)}",
        one["because"],
        f"look {one['look']}; target {one['target']:.1%}; at least {one['needed']} labels",
    ]
    if one["cutoff"]:
        alone = one["alone"]
        lines.append(
            f"alone it would decide {alone['hits']} of the last {alone['n']}"
            f" ({alone['hits'] / alone['n']:.0%})"
        )
    return "\n".join([*lines, _calibration(one["calibration"])])


def _value(one: dict[str, Any]) -> str:
    return f"{one['cutoff']['value']:g}" if one["cutoff"] else "nowhere"


def _settings(one: dict[str, Any]) -> str:
    rows = [(tier, f"{rate:.1%}") for tier, rate in one["targets"].items()]
    return "\n".join(
        (
            table(("tier", "at most wrong"), rows, empty="none"),
            f"spot checks: {one['spot_share']:.0%}",
            f"wrong, where it ran alone: {', '.join(one['wrong_outcomes']) or 'no outcome'}",
        )
    )
