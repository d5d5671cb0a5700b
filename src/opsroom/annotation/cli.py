"""`opsroom queue …`: review queues, from opening one to its labels as a dataset."""

import json
from pathlib import Path
from typing import Any

import click

from opsroom.sdk.terminal import client, plural, say, show, table

BASE = "/v1/queues"


@click.group()
def queue() -> None:
    """Review queues: people label what agents did, blind to each other."""


@queue.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are closed.")
@click.option("--limit", default=50, show_default=True, help="How many at most.")
@click.pass_context
def list_(ctx: click.Context, *, everything: bool, limit: int) -> None:
    """What is open, newest first; samples of releases in review come first."""
    found = client(ctx).get(BASE, everything=str(everything).lower(), limit=limit)
    show(ctx, found["items"], _list)


@queue.command()
@click.argument("name")
@click.option("--purpose", default="", help="What it is for.")
@click.option("--label", "labels", multiple=True, help="One label; repeat [pass, fail].")
@click.option("--answer", is_flag=True, help="Ask for the correct answer instead of a label.")
@click.option("--rubric", default="", help="By what people decide.")
@click.option(
    "--how",
    type=click.Choice(("given", "random", "uncertain", "drift", "failed")),
    default="given",
    show_default=True,
    help="How traces are drawn.",
)
@click.option("--agent", default="", help="Only traces of this agent.")
@click.option("--where", "q", default="", help="Only like this: 'status:error cost>0.05'.")
@click.option("--hours", default=168, show_default=True, help="Only of the last hours.")
@click.option("--drift", default="", help="Examples of this drift [of all that are open].")
@click.option("--seed", default="", help="Draw the same again [nobody can foresee it].")
@click.option("--second", default=0.2, show_default=True, help="Share labelled by two people.")
@click.option("--target", default=50, show_default=True, help="How many a draw takes.")
@click.pass_context
def new(
    ctx: click.Context, /, name: str, labels: tuple[str, ...], answer: bool, **rest: Any
) -> None:
    """Open a queue."""
    source = {one: rest.pop(one) for one in ("how", "agent", "q", "hours", "drift", "seed")}
    body = {
        "name": name,
        "asks": "answer" if answer else "label",
        "source": source,
        **({"labels": list(labels)} if labels else {}),
        **rest,
    }
    made = client(ctx).post(BASE, body)
    show(ctx, made, lambda one: f"{one['id']}  {one['name']}")
    then = "add" if source["how"] == "given" else "sample"
    say(ctx, f"next: opsroom queue {then} {made['id']}")


@queue.command("show")
@click.argument("queue_id")
@click.pass_context
def show_(ctx: click.Context, queue_id: str) -> None:
    """How far a queue is, and whether people agree."""
    show(ctx, client(ctx).get(f"{BASE}/{queue_id}"), _report)


@queue.command()
@click.argument("queue_id")
@click.option("--size", type=int, help="How many [the queue's target].")
@click.pass_context
def sample(ctx: click.Context, queue_id: str, size: int | None) -> None:
    """Draw from traces, and add what is not in the queue yet."""
    show(ctx, client(ctx).post(f"{BASE}/{queue_id}/sample", {"size": size}), _drawn)
    say(ctx, f"next: opsroom queue next {queue_id}")


@queue.command()
@click.argument("queue_id")
@click.option("--trace", "traces", multiple=True, help="A trace by its id; may repeat.")
@click.option("--dataset", default="", metavar="DATASET[@AT]", help="The items of a dataset.")
@click.option("--split", help="Only this split of it.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines, each with `subject`, `input`, `output`, `context`, `domain` …",
)
@click.pass_context
def add(
    ctx: click.Context,
    queue_id: str,
    traces: tuple[str, ...],
    dataset: str,
    split: str | None,
    file: Path | None,
) -> None:
    """Put things before people: traces, items of a dataset, or lines of a file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file else []
    body = {
        "traces": list(traces),
        "dataset": dataset,
        "split": split,
        "tasks": [json.loads(line) for line in lines if line.strip()],
    }
    made = client(ctx).post(f"{BASE}/{queue_id}/tasks", body)
    show(ctx, made, lambda one: f"{plural(one['added'], 'task')} added")


@queue.command("next")
@click.argument("queue_id")
@click.pass_context
def next_(ctx: click.Context, queue_id: str) -> None:
    """Take the next task; it is yours alone for a quarter of an hour."""
    found = client(ctx).post(f"{BASE}/{queue_id}/next")["task"]
    show(ctx, found, _task)
    if found is not None:
        say(ctx, f"next: opsroom queue label {queue_id} {found['id']} LABEL")


@queue.command()
@click.argument("queue_id")
@click.argument("task")
@click.argument("label")
@click.option("-m", "--reason", default="", help="Why; others read it once it is settled.")
@click.pass_context
def label(ctx: click.Context, queue_id: str, task: str, label: str, reason: str) -> None:
    """Say what you make of a task."""
    body = {"task": task, "label": label, "reason": reason}
    show(ctx, client(ctx).post(f"{BASE}/{queue_id}/label", body), _outcome)


@queue.command()
@click.argument("queue_id")
@click.argument("task")
@click.option("-m", "--reason", required=True, help="Why you leave it to others.")
@click.pass_context
def skip(ctx: click.Context, queue_id: str, task: str, reason: str) -> None:
    """Leave a task to others."""
    client(ctx).post(f"{BASE}/{queue_id}/skip", {"task": task, "reason": reason})
    say(ctx, "left to others")


@queue.command()
@click.argument("queue_id")
@click.option("--form", type=click.Choice(("jsonl", "csv")), default="jsonl", help="[jsonl]")
@click.pass_context
def export(ctx: click.Context, queue_id: str, form: str) -> None:
    """Print everything that is settled."""
    for line in client(ctx).lines(f"{BASE}/{queue_id}/export?form={form}"):
        click.echo(line)


@queue.command()
@click.argument("queue_id")
@click.argument("dataset")
@click.option("--split", default="test", show_default=True, help="Of the items.")
@click.option("-m", "--message", default="", help="What changed and why.")
@click.pass_context
def dataset(ctx: click.Context, queue_id: str, dataset: str, split: str, message: str) -> None:
    """Store the settled labels as items of DATASET, behind those it has."""
    body = {"dataset": dataset, "split": split, "message": message}
    show(ctx, client(ctx).post(f"{BASE}/{queue_id}/dataset", body), _stored)


@queue.command()
@click.argument("queue_id")
@click.option("-m", "--note", required=True, help="Why; it goes into the journal.")
@click.pass_context
def close(ctx: click.Context, queue_id: str, note: str) -> None:
    """Take no more tasks and no more labels."""
    closed = client(ctx).post(f"{BASE}/{queue_id}/close", {"note": note})
    show(ctx, closed, lambda one: f"{one['id']} is closed")


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["id"],
            one["name"],
            one["state"],
            f"{one['settled']} of {one['tasks']}",
            str(one["disputed"]),
            str(one["mine"]),
        )
        for one in found
    ]
    return table(
        ("queue", "name", "state", "settled", "disputed", "for you"),
        rows,
        empty="none; open one with `opsroom queue new`",
    )


def _report(found: dict[str, Any]) -> str:
    one, progress = found["queue"], found["progress"]
    lines = [
        f"{one['id']}  {one['name']}, {one['state']}",
        f"{progress['settled']} of {plural(progress['tasks'], 'task')} settled",
        f"{progress['disputed']} disputed, {progress['labelled']} wait for a second person",
    ]
    if drawn := one["last"]:
        lines.append(_drawn(drawn))
    for each in found["given"]:
        share = each["tally"]["hits"] / each["tally"]["n"]
        lines.append(f"  {each['label']}: {_within(share, each['interval'])}")
    if agreed := found["agreement"]:
        lines.append(
            f"two people agreed on {agreed['agreed']} of {agreed['pairs']}: "
            f"{_within(agreed['rate'], agreed['interval'])}"
        )
        if kappa := agreed["kappa"]:
            lines.append(
                f"κ {_within(kappa['kappa'], kappa['interval'])} over "
                f"{kappa['items']} settled, {agreed['open']} disputes open"
            )
    return "\n".join(lines)


def _drawn(drawn: dict[str, Any]) -> str:
    return (
        f"{drawn['how']}: {drawn['drawn']} of {drawn['population']:,} traces from "
        f"{drawn['since']} to {drawn['until']}, {drawn['added']} new"
        + (f", {drawn['wordless']} without words kept" if drawn["wordless"] else "")
    )


def _task(one: dict[str, Any] | None) -> str:
    if one is None:
        return "nothing waits for you here"
    lines = [f"{one['id']}  {one['subject']}"]
    for name in ("input", "output", "context"):
        value = one[name]
        if value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines += [f"--- {name}", _plain(text)]
    return "\n".join(lines)


def _outcome(one: dict[str, Any]) -> str:
    told = f"{one['id']} is {one['state']}"
    if one["state"] == "settled":
        told += f": {one['label']}"
    if len(one["labels"]) > 1:
        said = ", ".join(f"{each['by']} said {each['label']}" for each in one["labels"])
        told += f" ({said})"
    return told


def _stored(one: dict[str, Any]) -> str:
    left = f", {one['left_out']} left out" if one["left_out"] else ""
    return f"{one['version']} has {plural(one['items'], 'label')}{left}"


def _within(value: float, interval: dict[str, Any]) -> str:
    return f"{value:.2f} [{interval['low']:.2f}, {interval['high']:.2f}]"


def _plain(text: str) -> str:
    """Text that somebody else wrote moves no cursor."""
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)
