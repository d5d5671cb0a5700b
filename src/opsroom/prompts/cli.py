"""Prompts at the terminal: versions on the server, and files in your own repository."""

import json
from pathlib import Path
from typing import Any

import click

from opsroom.registry.cli import add_verbs, in_findings, in_words, split
from opsroom.sdk.terminal import client, plural, say, show

from .errors import PromptVariableWrong

STARTER = """\
kind: prompt
name: {name}
purpose: say in one line what it is for
criticality: assistive
format: chat
messages:
  - role: system
    content: |
      You are …
  - role: user
    content: "{{{{ question }}}}"
variables:
  question:
    description: what the person asks
"""
_path = click.argument("path", type=click.Path(exists=True, path_type=Path))


@click.group()
def prompt() -> None:
    """Prompts: versions, labels, files."""


add_verbs(prompt, "prompt")


@prompt.command()
@click.argument("name")
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.pass_context
def new(ctx: click.Context, name: str, folder: Path) -> None:
    """Write a starter file for a prompt; an existing file is left alone."""
    from opsroom.kit.files import inside

    path = inside(folder, f"{name}.yaml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER.format(name=name))
    except FileExistsError:
        raise click.ClickException(f"{path} is there already") from None
    show(ctx, {"path": str(path)}, lambda one: f"wrote {one['path']}")
    say(ctx, f"next: edit it, then opsroom push {path}")


@prompt.command()
@click.argument("reference", metavar="PROMPT[@AT]|PATH")
@click.pass_context
def lint(ctx: click.Context, reference: str) -> None:
    """Say what the linter thinks of a version, or of files that are not stored yet."""
    here = client(ctx)
    if Path(reference).exists():
        pushed = _compare(ctx, Path(reference))
        found = [finding for one in pushed for finding in _named(one)]
    else:
        name, at = split(reference)
        found = here.get(f"/v1/artifacts/prompt/{name}/versions/{at}/lint")
    show(ctx, found, in_findings)
    if any(one["severity"] == "error" for one in found):
        ctx.exit(3)


@prompt.command()
@click.argument("reference", metavar="PROMPT[@AT]")
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="A text; may repeat.")
@click.option("--vars", "file", type=click.File("rb"), help="A JSON object of values.")
@click.pass_context
def render(ctx: click.Context, reference: str, pairs: tuple[str, ...], file: Any) -> None:
    """Show a version with values in place of its variables."""
    values = _read_values(file) if file else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise PromptVariableWrong(pair, "write it as NAME=VALUE")
        values[name] = value
    name, at = split(reference)
    body = {"at": at, "variables": values}
    show(ctx, client(ctx).post(f"/v1/prompts/{name}/render", body), _rendered)


@prompt.command()
@click.argument("what", metavar="PATH|PROMPT@N")
@click.argument("other", metavar="[PROMPT@M]", required=False)
@click.pass_context
def diff(ctx: click.Context, what: str, other: str | None) -> None:
    """Show word by word what a push of PATH would change, or how two versions differ."""
    if other is None and Path(what).exists():
        changed = [one for one in _compare(ctx, Path(what)) if one["outcome"] != "same"]
        show(ctx, changed, _changes)
        return
    name, before = split(what)
    _, after = split(other) if other and "@" in other else (name, other or "latest")
    address = f"/v1/artifacts/prompt/{name}/diff"
    show(
        ctx,
        client(ctx).get(address, before=before, after=after),
        lambda one: in_words(one["spans"]),
    )


@prompt.command()
@_path
@click.option("-m", "--message", default="", help="What changed and why.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored; store nothing.")
@click.pass_context
def push(ctx: click.Context, path: Path, message: str, dry_run: bool) -> None:
    """Store the prompt files in PATH as new versions: all of them, or none."""
    if dry_run:
        show(ctx, _compare(ctx, path), lambda rows: _summary(rows, "would store"))
        return
    body = {"prompts": _folder(path), "message": message}
    done = client(ctx).post("/v1/prompts/push", body)
    show(ctx, done, lambda rows: _summary(rows, "stored"))
    changed = [one for one in done if one["outcome"] != "same"]
    if changed:
        first = changed[0]
        say(ctx, f"next: opsroom prompt propose {first['name']}@{first['version']['number']}")


@prompt.command()
@click.argument("path", type=click.Path(file_okay=False, path_type=Path))
@click.option("--label", default="latest", show_default=True, help="Which version of each.")
@click.option("--search", help="Only prompts whose name contains this.")
@click.pass_context
def pull(ctx: click.Context, path: Path, label: str, search: str | None) -> None:
    """Write the server's prompts into PATH, one file each; other files are left alone."""
    from .files import write_folder

    here = client(ctx)
    found: list[Any] = []
    for row in here.every("/v1/artifacts/prompt", "after", search=search):
        labels = {one["label"] for one in row["labels"]}
        if row["versions"] and (label == "latest" or label in labels):
            name = row["artifact"]["name"]
            version = here.get(f"/v1/artifacts/prompt/{name}/versions/{label}")
            found.append((row["artifact"], version))
    written = write_folder(path, found)
    show(ctx, written, lambda names: f"wrote {plural(len(names), 'file')} into {path}")


def _compare(ctx: click.Context, path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client(ctx).post(
        "/v1/prompts/compare", {"prompts": _folder(path)}
    )
    return found


def _folder(path: Path) -> list[dict[str, Any]]:
    """The prompts in a file or folder, as the API takes them."""
    from .files import read_folder

    return read_folder(path)


def _read_values(file: Any) -> dict[str, Any]:
    values = json.load(file)
    if not isinstance(values, dict):
        raise PromptVariableWrong("--vars", "the file holds no JSON object")
    return values


def _named(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings of one of many prompts, with its name in their place."""
    return [
        {**finding, "place": f"{one['name']} {finding['place']}".strip()}
        for finding in one["findings"]
    ]


def _rendered(found: dict[str, Any]) -> str:
    if found["text"] is not None:
        return str(found["text"])
    return "\n\n".join(f"── {one['role']} ──\n{one['content']}" for one in found["messages"])


def _changes(changed: list[dict[str, Any]]) -> str:
    if not changed:
        return "the files and the server agree"
    return "\n\n".join(
        f"── {one['name']}: {one['before'] or 'nothing'} → {one['version']['number']} ──\n"
        + in_words(near(one["spans"]))
        for one in changed
    )


def near(spans: list[dict[str, str]], lines: int = 2) -> list[dict[str, str]]:
    """Spans with long unchanged stretches cut down to what stands beside a change."""
    cut: list[dict[str, str]] = []
    for number, span in enumerate(spans):
        text = span["text"].splitlines(keepends=True)
        first, last = number == 0, number == len(spans) - 1
        if span["op"] != "equal" or len(text) <= 2 * lines + 1:
            cut.append(span)
            continue
        head = [] if first else text[: lines + 1]
        tail = [] if last else text[-lines - 1 :]
        cut.append({"op": "equal", "text": "".join([*head, "⋯\n", *tail])})
    return cut


def _summary(rows: list[dict[str, Any]], done: str) -> str:
    changed = [one for one in rows if one["outcome"] != "same"]
    lines = [f"{one['name']}@{one['version']['number']} ({one['outcome']})" for one in changed]
    for one in rows:
        errors = sum(finding["severity"] == "error" for finding in one["findings"])
        if errors:
            lines.append(f"{one['name']}: {plural(errors, 'error')} by the linter")
    same = len(rows) - len(changed)
    lines.append(f"{done} {plural(len(changed), 'version')}; {same} unchanged")
    return "\n".join(lines)
