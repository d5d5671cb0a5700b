"""`opsroom improve …`: search for something better, and see what was tried."""

from typing import Any

import click

from opsroom.sdk.terminal import client, say, show, table

BASE = "/v1/improvements"
METHODS = ("examples", "parameters", "reflect", "versions", "thresholds")


@click.group()
def improve() -> None:
    """Improvement: better prompts and settings, found by search and let in by the gate."""


@improve.command()
@click.argument("target")
@click.option("--method", type=click.Choice(METHODS), required=True, help="How to search.")
@click.option("--dataset", default="", help="With the splits train, selection and test.")
@click.option("--model", default="recorded", help="The model to ask [recorded].")
@click.option("--base", default="production", help="Number or label to improve [production].")
@click.option("-e", "--evaluator", "evaluators", multiple=True, help="[the dataset's]")
@click.option("--metric", default="", help="The metric that decides [the first].")
@click.option("--margin", default=0.02, help="Loss that a cheaper one may bring [0.02].")
@click.option("--label", default="production", help="What a proposal moves [production].")
@click.option("--max-calls", default=2000, help="Calls of models at most [2000].")
@click.option("--max-usd", default="", help="US dollars at most [no limit].")
@click.option("--seed", default=1, help="The same seed proposes the same [1].")
@click.option("--max-examples", default=16, help="examples: how many at most [16].")
@click.option("--step", default=4, help="examples: how many at once [4].")
@click.option("--breadth", default=3, help="examples: ways tried in each round [3].")
@click.option("--grid", multiple=True, help="parameters: NAME=VALUE,VALUE; repeatable.")
@click.option("--version", "versions", multiple=True, help="versions: 4, label or 4#variant.")
@click.option("--variant", default="", help="versions: of the recordings, of the base too.")
@click.option("--reflection-model", default="", help="reflect: who rewrites [the model].")
@click.option("--rounds", default=20, help="reflect: how many rewrites at most [20].")
@click.option("--minibatch", default=8, help="reflect: cases for each rewrite [8].")
@click.option("--contract", default="", help="thresholds: whose decisions are looked at.")
@click.option("--environment", default="production", help="thresholds: [production].")
@click.option("--max-error", default=0.0, help="thresholds: [the target of the tier].")
@click.option("--here", is_flag=True, help="Carry it out now and wait, with no server's help.")
@click.pass_context
def start(  # one option each
    ctx: click.Context, /, target: str, grid: tuple[str, ...], *, here: bool, **plan: Any
) -> None:
    """Search for something better than TARGET (prompt/NAME or agent/NAME)."""
    from .options import read_grid

    budget = {"max_calls": plan.pop("max_calls"), "max_usd": plan.pop("max_usd") or None}
    plan |= {"target": target, "budget": budget, "grid": read_grid(grid)}
    plan["evaluators"], plan["versions"] = list(plan["evaluators"]), list(plan["versions"])
    found = client(ctx).post(BASE, {"plan": plan, "inline": here})
    if here:
        found = client(ctx).post(f"{BASE}/{found['id']}/run", {})
    show(ctx, found, _one)
    if not here:
        say(ctx, f"the server carries it out; see `opsroom improve show {found['id']}`")


@improve.command("list")
@click.option("--target", default="", help="Only those of prompt/NAME or agent/NAME.")
@click.option("--limit", default=20, help="How many at most [20].")
@click.pass_context
def list_(ctx: click.Context, target: str, limit: int) -> None:
    """Searches, newest first."""
    found = client(ctx).get(BASE, target=target, limit=limit)
    show(ctx, found["items"], _list)


@improve.command()
@click.argument("improvement_id")
@click.pass_context
def status(ctx: click.Context, improvement_id: str) -> None:
    """How far a search is, and what it has spent."""
    show(ctx, client(ctx).get(f"{BASE}/{improvement_id}"), _one)


@improve.command("show")
@click.argument("improvement_id")
@click.option("--limit", default=100, help="How many candidates at most [100].")
@click.pass_context
def show_(ctx: click.Context, improvement_id: str, limit: int) -> None:
    """A search with its candidates, their scores, and why some were refused."""
    found = client(ctx).get(f"{BASE}/{improvement_id}")
    tried = client(ctx).get(f"{BASE}/{improvement_id}/candidates", limit=limit)["items"]
    show(
        ctx,
        {"improvement": found, "candidates": tried},
        lambda _: f"{_one(found)}\n\n{_candidates(tried)}",
    )


@improve.command("run")
@click.argument("improvement_id")
@click.pass_context
def run_(ctx: click.Context, improvement_id: str) -> None:
    """Carry a search out now, from wherever it was interrupted, and wait for its end."""
    show(ctx, client(ctx).post(f"{BASE}/{improvement_id}/run", {}), _one)


@improve.command()
@click.argument("improvement_id")
@click.pass_context
def stop(ctx: click.Context, improvement_id: str) -> None:
    """End a search before it is done; nothing of it is proposed."""
    show(ctx, client(ctx).post(f"{BASE}/{improvement_id}/stop", {}), _one)


@improve.command()
@click.argument("agent")
@click.option(
    "--run", "run_id", default="", help="Only the failed cases of this evaluation run."
)
@click.pass_context
def issues(ctx: click.Context, agent: str, run_id: str) -> None:
    """What goes wrong with AGENT (or prompt/NAME), grouped, largest first."""
    show(ctx, client(ctx).get(f"{BASE}/issues", agent=agent, run=run_id), _issues)


def _issues(found: dict[str, Any]) -> str:
    rows = [
        (
            one["size"],
            one["name"],
            one["section"]["place"] if one["section"] else "",
            one["examples"][0]["asked"][:80],
        )
        for one in found["issues"]
    ]
    return table(
        ("size", "issue", "the prompt speaks of it in", "for example"),
        rows,
        empty=f"nothing of {found['subject']} is known to have failed",
    )


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["state"],
            one["base"],
            one["plan"]["method"],
            one["tried"],
            one["refused"],
            one["proposal"],
        )
        for one in found
    ]
    columns = ("improvement", "state", "base", "method", "tried", "refused", "proposal")
    return table(columns, rows, empty="none; start one with `opsroom improve start`")


def _one(one: dict[str, Any]) -> str:
    budget, spent = one["plan"]["budget"], one["spent"]
    usd = f"{spent['usd']} USD" + (f" of {budget['max_usd']}" if budget["max_usd"] else "")
    if spent["unpriced"]:
        usd += f" and {spent['unpriced']} calls without a known price"
    lines = [
        f"{one['id']}  {one['plan']['method']} on {one['base']}: {one['state']}",
        f"{one['tried']} tried, {one['refused']} refused",
        f"{spent['calls']} of {budget['max_calls']} calls, {usd}",
    ]
    if one["reason"]:
        lines.append(one["reason"])
    if one["proposal"]:
        lines.append(f"proposed as {one['version']}: {one['proposal']}")
    return "\n".join(lines)


def _candidates(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["number"],
            one["parent"],
            one["standing"],
            _score(one),
            _difference(one),
            one["reason"] or one["change"],
        )
        for one in found
    ]
    return table(
        ("nr", "from", "standing", "score", "against the base", "what"), rows, empty="none yet"
    )


def _score(one: dict[str, Any]) -> str:
    score = one["score"]
    if score is None:
        return ""
    within = score["interval"]
    tail = f" [{within['low']:.3f}, {within['high']:.3f}]" if within else ""
    return f"{score['value']:.3f}{tail}"


def _difference(one: dict[str, Any]) -> str:
    found = one["compared"] and one["compared"]["comparison"]
    if not found:
        return ""
    within = found["interval"]
    return (
        f"{found['difference']:+.3f} [{within['low']:+.3f}, {within['high']:+.3f}] "
        f"{one['compared']['verdict']}"
    )
