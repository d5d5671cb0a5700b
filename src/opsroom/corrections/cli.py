"""`opsroom correction …`: what people taught, and taking it into datasets."""

from typing import Any

import click

from opsroom.sdk.terminal import client, show, table

BASE = "/v1/corrections"
STATES = ("candidate", "accepted", "retired", "quarantined")
because = click.option("-m", "--reason", required=True, help="Why; it goes into the journal.")


@click.group()
def correction() -> None:
    """Corrections: what people's overrides teach, as cases for every later version."""


@correction.command("list")
@click.option("--agent", help="Only of this agent.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--category", help="Only of this kind.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(
    ctx: click.Context, agent: str | None, state: str | None, category: str | None, limit: int
) -> None:
    """What people taught, newest first."""
    found = client(ctx).get(BASE, agent=agent, state=state, category=category, limit=limit)
    show(ctx, found["items"], _list)


@correction.command("show")
@click.argument("correction_id")
@click.pass_context
def show_(ctx: click.Context, correction_id: str) -> None:
    """One correction: who said so and why, what contradicts it, and what used it."""
    show(ctx, client(ctx).get(f"{BASE}/{correction_id}"), _one)


@correction.command()
@click.option("--agent", help="Only of this agent.")
@click.option("--version", "version_", help="Only of this version (agent/name@3).")
@click.pass_context
def ledger(ctx: click.Context, agent: str | None, version_: str | None) -> None:
    """Reasons, confusion of agents and people, and how often each version was corrected."""
    show(ctx, client(ctx).get(f"{BASE}/ledger", agent=agent, version=version_), _ledger)


@correction.command()
@click.argument("ids", nargs=-1)
@click.option("--agent", help="Every candidate of this agent, at most 200.")
@click.pass_context
def accept(ctx: click.Context, ids: tuple[str, ...], agent: str | None) -> None:
    """Take candidates into the dataset corrections-AGENT: by their ids, or all of an agent."""
    chosen = list(ids)
    if agent:
        found = client(ctx).get(BASE, agent=agent, state="candidate", limit=200)
        chosen += [one["id"] for one in found["items"]]
    if not chosen:
        raise click.UsageError("say which: their ids, or --agent for all of an agent")
    show(ctx, client(ctx).post(f"{BASE}/accept", {"ids": chosen}), _accepted)


@correction.command()
@click.argument("ids", nargs=-1, required=True)
@click.pass_context
def second(ctx: click.Context, ids: tuple[str, ...]) -> None:
    """Put candidates before somebody who does not know which answer is whose."""
    made = client(ctx).post(f"{BASE}/second", {"ids": list(ids)})
    show(
        ctx, made, lambda one: f"they wait in {one['queue']}: opsroom queue next {one['queue']}"
    )


@correction.command()
@click.argument("correction_id")
@because
@click.pass_context
def retire(ctx: click.Context, correction_id: str, reason: str) -> None:
    """Let a correction teach no more."""
    made = client(ctx).post(f"{BASE}/{correction_id}/retire", {"reason": reason})
    show(ctx, made, _line)


@correction.command()
@click.argument("correction_id")
@because
@click.pass_context
def readmit(ctx: click.Context, correction_id: str, reason: str) -> None:
    """Make what is in quarantine, or was retired, a candidate again."""
    made = client(ctx).post(f"{BASE}/{correction_id}/readmit", {"reason": reason})
    show(ctx, made, _line)


@correction.command()
@click.argument("correction_id")
@click.option("--asked", help="What the agent was asked.")
@click.option("--right", help="What would have been right.")
@click.pass_context
def complete(
    ctx: click.Context, correction_id: str, asked: str | None, right: str | None
) -> None:
    """Say what is missing of one that nothing can be learnt from yet."""
    body = {"input": asked, "expected": right}
    show(ctx, client(ctx).post(f"{BASE}/{correction_id}/complete", body), _line)


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["agent"],
            one["state"],
            one["agent_said"],
            one["human_said"],
            one["category"],
            str(one["times"]),
            one["because"],
        )
        for one in found
    ]
    columns = ("correction", "agent", "state", "agent said", "people said", "sorted as")
    return table((*columns, "times", "because"), rows, empty="nobody has taught anything yet")


def _line(one: dict[str, Any]) -> str:
    return f"{one['id']}  {one['agent']}: {one['state']}"


def _one(found: dict[str, Any]) -> str:
    one = found["correction"]
    lines = [
        _line(one) + (f" ({one['because']})" if one["because"] else ""),
        f"asked: {one['input']}",
        f"right: {one['expected']}; the agent said {one['agent_said']}",
        f"{one['times']} override(s) by {', '.join(one['people'])}; split {one['split']}",
    ]
    lines += [f"  {each['by']}: {each['reasoning']}" for each in found["overrides"]]
    lines += [f"contradicted by {each['id']}: {each['human_said']}" for each in found["rivals"]]
    if found["datasets"]:
        lines.append(f"held by {', '.join(found['datasets'])}")
    for use in found["uses"]:
        scores = use["result"]["scores"].items()
        said = ", ".join(
            f"{name} {'yes' if score['passed'] else 'no'}" for name, score in scores
        )
        lines.append(f"  put to {use['run']['subject_name']}: {said or 'no answer'}")
    return "\n".join(lines)


def _accepted(done: dict[str, Any]) -> str:
    lines = [
        f"{len(done['accepted'])} accepted into {', '.join(done['versions']) or 'nothing'}"
    ]
    lines += [f"  {one['id']}: {one['why']}" for one in done["refused"]]
    return "\n".join(lines)


def _ledger(found: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    reasons = [
        (one["category"], str(one["overrides"]), str(one["corrections"]))
        for one in found["reasons"]
    ]
    confusion = [
        (one["agent_said"], one["human_said"], str(one["times"])) for one in found["confusion"]
    ]
    versions = [
        (one["version"], str(one["corrected"]), str(one["turns"]), _share(one))
        for one in found["versions"]
    ]
    return "\n\n".join(
        (
            states + _seconds(found["seconds"]),
            table(("reason", "overrides", "corrections"), reasons, empty="no reasons"),
            table(("agent said", "people said", "times"), confusion, empty="no confusion"),
            table(("version", "corrected", "turns", "share"), versions, empty="no versions"),
        )
    )


def _seconds(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["kappa_interval"]["low"], found["kappa_interval"]["high"]
    return (
        f"\nwho looked once more agreed in {found['agreed']} of {found['items']}, "
        f"κ {found['kappa']:.2f} [{low:.2f}, {high:.2f}]"
    )


def _share(one: dict[str, Any]) -> str:
    interval = one["interval"]
    if interval is None:
        return ""
    share = one["corrected"] / one["turns"]
    return f"{share:.1%} [{interval['low']:.1%}, {interval['high']:.1%}]"
