"""`opsroom retention …` and `opsroom erase`: what is kept, what is held, and erasing people."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/retention"


@click.group()
def retention() -> None:
    """Retention: how long actions are kept, and holds that keep them longer."""


@retention.command("show")
@click.pass_context
def show_(ctx: click.Context) -> None:
    """What is decided here, and the holds that stand."""
    show(ctx, client(ctx).get(BASE), _standing)


@retention.command("set")
@click.option("--action-days", type=int, help="Actions and approvals; 183 at least.")
@click.option("--feedback-days", type=int, help="The words of feedback.")
@click.pass_context
def set_(ctx: click.Context, action_days: int | None, feedback_days: int | None) -> None:
    """Keep things so long from now on; what is left out is kept for ever."""
    wanted = {"action_days": action_days, "feedback_days": feedback_days}
    show(ctx, client(ctx).put(BASE, wanted), _rules)


@retention.command()
@click.option("--agent", default="", help="What this agent did.")
@click.option("--subject", default="", help="What is about a person, a case, turn/…, action/….")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def hold(ctx: click.Context, agent: str, subject: str, reason: str) -> None:
    """Keep something from every deletion; without a name, the whole project."""
    if agent and subject:
        raise click.UsageError("hold an agent or a subject, one at a time")
    scope = "agent" if agent else "subject" if subject else "project"
    body = {"scope": scope, "what": agent or subject, "reason": reason}
    show(ctx, client(ctx).post(f"{BASE}/holds", body), lambda one: f"{one['id']} stands")


@retention.command()
@click.argument("hold_id")
@click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")
@click.pass_context
def release(ctx: click.Context, hold_id: str, reason: str) -> None:
    """End a hold."""
    client(ctx).post(f"{BASE}/holds/{hold_id}/release", {"because": reason})
    say(ctx, f"{hold_id} stands no more")


@click.command()
@click.option("--user", default="", help="Whom agents acted for, and who gave feedback.")
@click.option(
    "--subject",
    default="",
    help="What turns and feedback are about; also turn/…, action/…, trace/….",
)
@click.option("--yes", is_flag=True, help="Do it; without this, only look.")
@click.pass_context
def erase(ctx: click.Context, user: str, subject: str, *, yes: bool) -> None:
    """Shred what people wrote and what agents did for somebody, for good; first only look."""
    body = {"user": user, "subject": subject, "dry_run": not yes}
    told = client(ctx).post(f"{BASE}/erasures", body)
    show(ctx, told, _erasure)
    if not told["done"] and told["keys"]:
        say(ctx, "nothing was erased yet; repeat it with --yes")
    if told["done"] and not told["scrubbed"]:
        say(ctx, "the keys may lie in files of the database for a while; repeat it")
    if told["under_way"]:
        say(
            ctx,
            f"{told['under_way']} turns stay while their actions are not over; repeat it then",
        )


def _erasure(told: dict[str, Any]) -> str:
    verb = "destroyed" if told["done"] else "would be destroyed"
    return (
        f"{told['turns']} turns, {told['actions']} actions, {told['feedback']} pieces of"
        f" feedback; {told['keys']} keys {verb}"
    )


def _rules(rules: dict[str, Any]) -> str:
    def days(count: int | None) -> str:
        return "for ever" if count is None else f"for {count} days"

    return (
        f"actions and approvals are kept {days(rules['action_days'])},"
        f" words of feedback {days(rules['feedback_days'])}"
    )


def _standing(found: dict[str, Any]) -> str:
    cells = [
        (one["id"], f"{one['scope']} {one['what']}".strip(), one["placed_by"], one["reason"])
        for one in found["holds"]
    ]
    held = table(("hold", "on", "by", "why"), cells, empty="nothing is held")
    return f"{_rules(found['rules'])}\n{held}"
