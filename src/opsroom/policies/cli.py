"""Policies at the terminal: versions, what the linter says, and their tables of tests."""

from pathlib import Path
from typing import Any

import click

from opsroom.registry.cli import add_store, add_verbs, in_findings, in_words, split
from opsroom.sdk.terminal import client, plural, show, table

FAILED = 3


@click.group()
def policy() -> None:
    """Policies: what agents must obey, as Cedar text."""


add_verbs(policy, "policy")
add_store(policy, "policy", "policy test {ref}")


@policy.command()
@click.argument("reference", metavar="POLICY[@AT]")
@click.pass_context
def lint(ctx: click.Context, reference: str) -> None:
    """Say what the linter thinks of a version."""
    name, at = split(reference)
    found = client(ctx).get(f"/v1/artifacts/policy/{name}/versions/{at}/lint")
    show(ctx, found, in_findings)
    if any(one["severity"] == "error" for one in found):
        ctx.exit(FAILED)


@policy.command()
@click.argument("what", metavar="POLICY@N")
@click.argument("other", metavar="[POLICY@M]", required=False)
@click.pass_context
def diff(ctx: click.Context, what: str, other: str | None) -> None:
    """Show word by word how two versions differ."""
    name, before = split(what)
    _, after = split(other) if other and "@" in other else (name, other or "latest")
    address = f"/v1/artifacts/policy/{name}/diff"
    found = client(ctx).get(address, before=before, after=after)
    show(ctx, found, lambda one: in_words(one["spans"]))


@policy.command()
@click.argument("what", metavar="POLICY[@AT]|FILE.yaml")
@click.option(
    "--contract",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A contract in a YAML file, instead of the stored one; may repeat.",
)
@click.pass_context
def test(ctx: click.Context, what: str, files: tuple[Path, ...]) -> None:
    """Run the table of tests of a stored policy or a file. Exit 0 passed, 3 otherwise."""
    from opsroom.contracts.model import ContractSpec
    from opsroom.kit.wire import adapter, plain
    from opsroom.kit.yamlfile import read_yaml

    from .kind import KIND
    from .testing import run, tools_of

    here = Path(what)
    if here.is_file():
        name, spec = here.stem, KIND.read(read_yaml(here).data)
    else:
        name, at = split(what)
        stored = client(ctx).get(f"/v1/artifacts/policy/{name}/versions/{at}")
        spec = KIND.read(stored["spec"])
    read = adapter(ContractSpec).validate_python
    given = [read(read_yaml(file).data) for file in files]
    contracts = {one.tool: one for one in given}
    for tool in tools_of(spec):
        if tool not in contracts:
            found = client(ctx).get(f"/v1/artifacts/contract/{tool}/versions/latest")
            contracts[tool] = read(found["spec"])
    outcomes = [plain(one) for one in run(name, spec, contracts)]
    show(ctx, outcomes, _tested)
    if not all(one["passed"] for one in outcomes):
        ctx.exit(FAILED)


def _tested(outcomes: list[dict[str, Any]]) -> str:
    columns = ("", "test", "expected", "verdict", "because")
    rows = [
        (
            "ok" if o["passed"] else "FAILED",
            o["name"],
            o["expected"],
            o["verdict"],
            o["because"],
        )
        for o in outcomes
    ]
    failed = sum(not one["passed"] for one in outcomes)
    cells = table(columns, rows, empty="it has no tests; write some under `tests`")
    end = f"{failed} of {plural(len(rows), 'test')} failed" if failed else "all as expected"
    return f"{cells}\n{end}" if rows else cells
