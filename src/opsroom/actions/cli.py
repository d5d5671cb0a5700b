"""Turns, actions and what-if at the terminal."""

from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, say, show, table

SPANS = {"h": 1.0, "d": 24.0, "w": 168.0}


@click.group()
def turn() -> None:
    """Turns: what agents were asked, planned, did, and what came of it."""


@turn.command("list")
@click.option("--agent", help="Only of this agent.")
@click.option("--session", help="Only of this session.")
@click.option("--before", help="Go on after this turn.")
@click.option("--limit", default=30, show_default=True)
@click.pass_context
def list_turns(ctx: click.Context, /, **query: Any) -> None:
    """List turns, newest first."""
    found = client(ctx).get("/v1/turns", **query)
    show(ctx, found["items"], _turns)
    if found["next"]:
        say(ctx, f"next: opsroom turn list --before {found['next']}")


@turn.command("show")
@click.argument("turn_id", metavar="TURN")
@click.pass_context
def show_turn(ctx: click.Context, turn_id: str) -> None:
    """Show everything that was said, decided and done in a turn."""
    show(ctx, client(ctx).get(f"/v1/turns/{turn_id}"), _record)


@click.group()
def action() -> None:
    """Actions: what agents wanted to do, what was decided, and what came of it."""


@action.command("list")
@click.option("--agent", help="Only of this agent.")
@click.option("--tool", help="Only of this tool.")
@click.option("--state", help="Only in this state, such as unknown.")
@click.option("--turn", help="Only of this turn.")
@click.option("--before", help="Go on after this action.")
@click.option("--limit", default=30, show_default=True)
@click.pass_context
def list_actions(ctx: click.Context, /, **query: Any) -> None:
    """List actions, newest first."""
    found = client(ctx).get("/v1/actions", **query)
    show(ctx, found["items"], _actions)
    if found["next"]:
        say(ctx, f"next: opsroom action list --before {found['next']}")


@action.command("show")
@click.argument("action_id", metavar="ACTION")
@click.pass_context
def show_action(ctx: click.Context, action_id: str) -> None:
    """Show an action with everything it was judged by."""
    show(ctx, client(ctx).get(f"/v1/actions/{action_id}/record"), _judged)


@action.command()
@click.argument("action_id", metavar="ACTION")
@click.option("--happened/--did-not-happen", required=True, help="What you found out.")
@click.option("-m", "--reason", required=True, help="How you know.")
@click.pass_context
def reconcile(ctx: click.Context, action_id: str, *, happened: bool, reason: str) -> None:
    """Settle an action whose outcome is unknown, once you have found out."""
    body = {"happened": happened, "reason": reason}
    found = client(ctx).post(f"/v1/actions/{action_id}/reconcile", body)
    show(ctx, found, lambda one: f"{action_id}: {one['kind']}")


@click.command()
@click.argument("policies", nargs=-1, metavar="[NAME[@AT]|FILE]...")
@click.option("--since", default="7d", show_default=True, help="How far back: 12h, 7d, 4w.")
@click.option("--agent", help="Only of this agent.")
@click.pass_context
def simulate(
    ctx: click.Context, policies: tuple[str, ...], since: str, agent: str | None
) -> None:
    """Say which recorded decisions other policies would have turned.

    A FILE holds the spec of a policy as YAML, or plain Cedar. Without any, everything is
    decided again as it was, and nothing should flip.
    """
    stored = [one for one in policies if not Path(one).is_file()]
    files = [one for one in policies if Path(one).is_file()]
    if len(files) > 1:
        raise click.UsageError("one file at a time")
    body = {
        "policies": stored,
        "draft": _draft(Path(files[0])) if files else None,
        "hours": _hours(since),
        "agent": agent,
    }
    show(ctx, client(ctx).post("/v1/policies/simulate", body), _whatif)


def _draft(path: Path) -> dict[str, Any]:
    from opsroom.kit.yamlfile import read_yaml

    if path.suffix == ".cedar":
        return {"cedar": path.read_text(encoding="utf-8")}
    data = read_yaml(path).data
    return dict(data.get("spec", data))


def _hours(text: str) -> float:
    try:
        return float(text[:-1]) * SPANS[text[-1:]]
    except (KeyError, ValueError):
        raise click.UsageError(f"{text!r} is no span of time; write 12h, 7d or 4w") from None


def _turns(rows: list[dict[str, Any]]) -> str:
    cells = [
        (one["id"], one["agent"], one["intent"][:60], one["final"] or "open", one["started_at"])
        for one in rows
    ]
    columns = ("turn", "agent", "intent", "final", "since")
    return table(columns, cells, empty="no turns yet; agents begin them with `opsroom.turn(…)`")


def _actions(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            one["id"],
            one["agent"],
            one["tool"],
            one["state"],
            one["verdict"],
            one["because"][:60],
        )
        for one in rows
    ]
    columns = ("action", "agent", "tool", "state", "verdict", "because")
    return table(columns, cells, empty="no actions are like that")


def _record(found: dict[str, Any]) -> str:
    turn = found["turn"]
    lines = [
        f"{turn['id']}  {turn['version']}  {turn['final'] or 'open'}",
        f"  intent  {turn['intent']}",
        f"  plan    {turn['plan'] or '–'}",
    ]
    lines += [
        f"  {one['state']:<18} {one['tool']}  {one['verdict'] or '–'}  {one['because']}"
        for one in found["actions"]
    ]
    lines.append(f"  {plural(len(found['texts']), 'piece')} of text")
    return "\n".join(lines)


def _judged(found: dict[str, Any]) -> str:
    import json

    one = found["action"]
    lines = [
        f"{one['id']}  {one['tool']}  {one['state']}",
        f"  contract   {one['contract']}",
        f"  arguments  {json.dumps(one['arguments'], ensure_ascii=False)}",
        f"  verdict    {one['verdict'] or '–'}",
        *(f"             {reason['policy']}: {reason['words']}" for reason in one["reasons"]),
        f"  autonomy   {one['level'] or '–'}",
        f"  because    {one['because'] or '–'}",
        f"  approval   {one['approval'] or '–'}",
        f"  key        {one['key'] or '–'}",
    ]
    facts = (found["request"] or {}).get("facts", {})
    lines += [f"  fact       {name} = {value}" for name, value in sorted(facts.items())]
    return "\n".join(lines)


def _whatif(found: dict[str, Any]) -> str:
    verdicts = sorted({*found["before"], *found["after"]})
    cells = [(one, found["before"].get(one, 0), found["after"].get(one, 0)) for one in verdicts]
    lines = [
        table(("verdict", "then", "now"), cells, empty="nothing was decided in that time"),
        f"{plural(sum(found['flips'].values()), 'verdict')} of {found['decided']:,} would flip",
    ]
    lines += [
        f"  {one['action']}  {one['agent']} {one['tool']}: {one['before']} → {one['after']}"
        f"  ({one['because']})"
        for one in found["shown"]
    ]
    return "\n".join(lines)
