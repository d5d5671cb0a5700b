"""`opsroom diff | plan | push | pull | propose`: a workspace against the server; `export`.

Where there is no `opsroom.yaml`, `diff`, `push` and `pull` are those of prompt files.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsroom.prompts import cli as prompts
from opsroom.registry.cli import FAILED, in_words
from opsroom.sdk.terminal import client, plural, say, show, table

if TYPE_CHECKING:
    from .working import Working

WORKSPACE = "opsroom.yaml"
_PATH = click.Path(path_type=Path)
_over = click.option(
    "--over", is_flag=True, help="Where both sides changed, take what this command brings."
)


@click.command()
@click.argument("what", metavar="[WORKSPACE|PATH|PROMPT@N]", required=False)
@click.argument("other", metavar="[PROMPT@M]", required=False)
@click.option("--at", default="latest", show_default=True, help="Compare with this label.")
@click.pass_context
def diff(ctx: click.Context, what: str | None, other: str | None, at: str) -> None:
    """Show where the files of a workspace and the server differ, word by word.

    Exit code 3 where they do. Without an opsroom.yaml: what a push of the prompt files in PATH
    would change, or how two versions of a prompt differ.
    """
    if what is not None and (other is not None or not _is_workspace(Path(what))):
        ctx.invoke(prompts.diff, what=what, other=other)
        return
    found = _working(ctx, what and Path(what)).plan(at=at)
    show(ctx, found, lambda one: _drift(one, at))
    if any(_differs(one) for one in found["files"]) or found["only_there"]:
        ctx.exit(FAILED)


@click.command()
@click.argument("path", type=_PATH, required=False)
@_over
@click.pass_context
def plan(ctx: click.Context, path: Path | None, *, over: bool) -> None:
    """Say what a push of a workspace would do, and do nothing. Exit 7 where it would be refused."""
    found = _working(ctx, path).plan(over=over)
    show(ctx, found, lambda one: _planned(one, "would store"))
    if any(one["state"] == "conflict" for one in found["files"]):
        ctx.exit(7)


@click.command()
@click.argument("path", type=_PATH, required=False)
@click.option("-m", "--message", default="", help="Why; the commit's subject if left out.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored; store nothing.")
@_over
@click.pass_context
def push(
    ctx: click.Context, path: Path | None, message: str, *, dry_run: bool, over: bool
) -> None:
    """Store what the files of a workspace say as versions: all of them, or none.

    What the server has already makes no version. Labels that nobody serves from are moved, the
    others wait for `opsroom propose`. Without an opsroom.yaml: the prompt files in PATH.
    """
    if path is not None and not _is_workspace(path):
        ctx.invoke(prompts.push, path=path, message=message, dry_run=dry_run)
        return
    if dry_run:
        ctx.invoke(plan, path=path, over=over)
        return
    found = _working(ctx, path).push(message, over=over)
    show(ctx, found, lambda one: _planned(one, "stored"))
    waiting = sum(label["proposed"] for one in found["files"] for label in one["labels"])
    if waiting:
        say(ctx, f"next: opsroom propose, for {plural(waiting, 'reviewed label')}")


@click.command()
@click.argument("path", type=_PATH, required=False)
@click.option("--label", default="latest", show_default=True, help="Which version of each.")
@click.option("--search", help="Without an opsroom.yaml: only prompts named so.")
@_over
@click.pass_context
def pull(
    ctx: click.Context, path: Path | None, label: str, search: str | None, *, over: bool
) -> None:
    """Write what the server has into the files of a workspace, and new files for new things.

    A file that says the same already stays as it is, with its remarks. Refused, with names and
    nothing written, where a file was changed as well. Without an opsroom.yaml: prompts into PATH.
    """
    if path is not None and not _is_workspace(path):
        ctx.invoke(prompts.pull, path=path, label=label, search=search)
        return
    written = _working(ctx, path).pull(label, over=over)
    show(ctx, written, _written)


@click.command()
@click.argument("path", type=_PATH, required=False)
@click.option("--label", "labels", multiple=True, help="Instead of those of opsroom.yaml.")
@click.option("-m", "--description", default="", help="What a reviewer should know.")
@click.pass_context
def propose(
    ctx: click.Context, path: Path | None, labels: tuple[str, ...], description: str
) -> None:
    """Open a proposal for each reviewed label that does not point at what the files say.

    The files have to be pushed first. One that is open already is left alone.
    """
    opened = _working(ctx, path, labels).propose(description)
    show(ctx, opened, _opened)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def export(ctx: click.Context, file: Path) -> None:
    """Write the project's whole registry into FILE, to be imported elsewhere.

    Artifacts, versions, labels with their history, contents of datasets; no secrets, no people.
    The same registry makes the same file.
    """
    from .working import download

    told = download(client(ctx), file)
    show(ctx, told, lambda one: f"wrote {one['file']}, {one['size']:,} bytes")
    say(ctx, f"digest {told['digest']}; next: opsroom import workspace {file}")


def take_in(ctx: click.Context, file: Path, *, dry_run: bool) -> None:
    """What `opsroom import workspace FILE` does."""
    from .working import upload

    done = upload(client(ctx), file, dry_run=dry_run)
    show(ctx, done, lambda one: _brought(one, dry=dry_run))
    if dry_run and any(one["stands"] == "differs" for one in done["artifacts"]):
        ctx.exit(7)


def _is_workspace(path: Path) -> bool:
    """Whether a path that was given is a workspace. A folder of prompts inside of one is not."""
    return path.name == WORKSPACE or (path / WORKSPACE).is_file()


def _working(
    ctx: click.Context, path: "Path | str | None", labels: tuple[str, ...] = ()
) -> "Working":
    """The workspace that is meant: without a path, the one that this folder is in."""
    from .files import load
    from .working import Working

    workspace = load(Path(path or "."))
    if labels:
        workspace = replace(workspace, labels=labels)
    return Working(client(ctx), workspace)


def _differs(one: dict[str, Any]) -> bool:
    return one["state"] != "unchanged" or bool(one["labels"]) or bool(one["about"])


def _drift(found: dict[str, Any], at: str) -> str:
    parts: list[str] = []
    for one in found["files"]:
        if not _differs(one):
            continue
        ref = f"{one['kind']}/{one['name']}"
        there = f"{one['before']}" if one["before"] else "nothing"
        lines = [f"── {one['file']}: {ref}, {at} is {there} ──"]
        if one["state"] != "unchanged":
            lines.append(in_words(prompts.near(one["spans"])))
        lines += one["about"]
        lines += [_label(label) for label in one["labels"]]
        parts.append("\n".join(lines))
    if found["only_there"]:
        parts.append("only on the server:\n  " + "\n  ".join(found["only_there"]))
    return "\n\n".join(parts) or "the files and the server agree"


def _planned(found: dict[str, Any], verb: str) -> str:
    lines: list[str] = []
    for one in found["files"]:
        ref = f"{one['kind']}/{one['name']}"
        match one["state"]:
            case "create":
                lines.append(f"create       {ref}@{one['after']}  {one['file']}")
            case "new_version":
                lines.append(f"new version  {ref}@{one['after']}  {one['file']}")
            case "unchanged":
                if one["labels"] or one["about"]:
                    lines.append(f"unchanged    {ref}@{one['after']}  {one['file']}")
            case state:
                lines.append(f"{state:12} {ref}  {one['file']}: {one['why']}")
        lines += [f"             {_label(label)}" for label in one["labels"]]
        lines += [
            f"             {finding['severity']}: {finding['message']}"
            for finding in one["findings"]
            if finding["severity"] != "info"
        ]
        if one["state"] != "conflict":
            lines += [f"             {told}; not changed by a push" for told in one["about"]]
    same = sum(one["state"] == "unchanged" for one in found["files"])
    stored = sum(one["state"] in ("create", "new_version") for one in found["files"])
    lines.append(f"{verb} {plural(stored, 'version')}; {same} unchanged")
    if found["only_there"]:
        lines.append(f"{plural(len(found['only_there']), 'artifact')} only on the server")
    return "\n".join(lines)


def _label(label: dict[str, Any]) -> str:
    before = label["before"] or "nothing"
    how = " (by a proposal)" if label["proposed"] else ""
    return f"{label['label']}: {before} → {label['after']}{how}"


def _written(found: dict[str, Any]) -> str:
    lines = [f"wrote {one}" for one in found["written"]]
    lines += [f"kept  {one}, which was changed here" for one in found["kept"]]
    lines.append(f"{plural(len(found['written']), 'file')} written")
    return "\n".join(lines)


def _opened(found: list[dict[str, Any]]) -> str:
    rows = [
        (one["id"], f"{one['kind']}/{one['name']}@{one['number']}", one["label"], one["there"])
        for one in found
    ]
    return table(("proposal", "version", "label", "state"), rows, empty="nothing to propose")


def _brought(done: dict[str, Any], *, dry: bool) -> str:
    lines: list[str] = []
    for one in done["artifacts"]:
        if one["stands"] in ("same", "ahead") and not one["held"] and not one["labels"]:
            continue
        told = [plural(one["versions"], "version")]
        told += [f"{label} → {at}" for label, at in one["labels"].items()]
        told += [f"{label} → {at} left to a proposal" for label, at in one["held"].items()]
        why = f": {one['why']}" if one["why"] else f": {', '.join(told)}"
        lines.append(f"{one['stands']:8} {one['kind']}/{one['name']}{why}")
    versions = sum(one["versions"] for one in done["artifacts"])
    said = "would bring" if dry else "brought"
    lines.append(f"{said} in {plural(versions, 'version')}; digest {done['digest'][:12]}")
    return "\n".join(lines)
