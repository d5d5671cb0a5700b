"""Contracts at the terminal: versions, importing them from what describes tools, trying calls."""

from pathlib import Path
from typing import Any

import click

from opsroom.registry.cli import add_looks, add_store, add_verbs, split
from opsroom.sdk.terminal import client, plural, say, show, table

from .naming import stored_as

FORMATS = ("mcp", "openapi", "openai", "json")


@click.group()
def contract() -> None:
    """Contracts: what agents may touch, and how much harm a call can do."""


add_verbs(contract, "contract")
add_store(contract, "contract", "contract lint {ref}")
add_looks(contract, "contract")


@contract.command("import")
@click.argument("source", type=click.Choice(FORMATS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", default="", help="The server to call, for mcp and openapi.")
@click.option("--secret", default="", help="The OPSROOM_SECRET_… that it wants as a token.")
@click.option("--only", multiple=True, metavar="TOOL", help="Only this tool; may repeat.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored; store nothing.")
@click.option("-m", "--message", default="", help="What changed and why.")
@click.pass_context
def import_(
    ctx: click.Context,
    source: str,
    file: Path,
    url: str,
    secret: str,
    only: tuple[str, ...],
    dry_run: bool,
    message: str,
) -> None:
    """Store a contract for every tool that FILE describes.

    How grave each is and whom it reaches is guessed: read them, and confirm what is right.
    """
    from opsroom.kit.wire import plain

    from .readers.files import read_file

    found = read_file(source, file, url=url, secret=secret)
    rows: list[dict[str, str]] = []
    for spec in found.contracts:
        if only and spec.tool not in only:
            continue
        name = stored_as(spec.tool)
        stored = "" if dry_run else _store(ctx, name, plain(spec), message)
        rows.append({"tool": spec.tool, "risk": spec.risk.value, "contract": stored or name})
    left_out = [plain(one) for one in found.left_out if not only or one.tool in only]
    show(ctx, {"contracts": rows, "left_out": left_out}, _imported)
    if rows and not dry_run:
        say(ctx, f"next: opsroom contract lint {rows[0]['contract']}")


@contract.command()
@click.argument("reference", metavar="CONTRACT[@AT]")
@click.argument("file", metavar="ARGS.json", type=click.File("r", encoding="utf-8"))
@click.pass_context
def check(ctx: click.Context, reference: str, file: Any) -> None:
    """Say what a call with the arguments in a JSON file would be; `-` reads them from a pipe."""
    from .readers.files import read_arguments

    name, at = split(reference)
    body = {"at": at, "arguments": read_arguments(file.read())}
    show(ctx, client(ctx).post(f"/v1/contracts/{name}/check", body), _tried)


def _store(ctx: click.Context, name: str, spec: Any, message: str) -> str:
    here = client(ctx)
    here.post("/v1/artifacts/contract", {"name": name})
    body = {"spec": spec, "message": message}
    made = here.post(f"/v1/artifacts/contract/{name}/versions", body)
    return f"{name}@{made['number']}"


def _imported(found: dict[str, Any]) -> str:
    cells = [(one["tool"], one["risk"], one["contract"]) for one in found["contracts"]]
    lines = [table(("tool", "risk", "contract"), cells, empty="nothing to store")]
    left_out = found["left_out"]
    if left_out:
        lines.append(f"left out {plural(len(left_out), 'tool')}:")
        lines += [f"  {one['tool']}: {one['why']}" for one in left_out]
    return "\n".join(lines)


def _tried(found: dict[str, Any]) -> str:
    import json

    lines = [f"{found['contract']}  {found['risk']}", found["title"]]
    lines.append(json.dumps(found["arguments"], indent=2, ensure_ascii=False))
    lines += [f"{one['path']}: {one['words']} [{one['code']}]" for one in found["notes"]]
    if found["key"]:
        lines.append(f"key {found['key'][:12]}")
    return "\n".join(lines)
