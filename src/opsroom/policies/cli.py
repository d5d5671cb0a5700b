"""Policies at the terminal: versions, what the linter says, and their tables of tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsroom.registry.cli import add_looks, add_store, add_verbs, split
from opsroom.sdk.terminal import client, plural, show, table

if TYPE_CHECKING:
    from opsroom.kit.junit import Check

FAILED = 3


@click.group()
def policy() -> None:
    """Policies: what agents must obey, as Cedar text."""


add_verbs(policy, "policy")
add_store(policy, "policy", "policy test {ref}")
add_looks(policy, "policy")


@policy.command()
@click.argument("what", metavar="POLICY[@AT]|FILE.yaml")
@click.option(
    "--contract",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A contract in a YAML file, instead of the stored one; may repeat.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the outcomes as JUnit XML too.",
)
@click.pass_context
def test(
    ctx: click.Context, what: str, files: tuple[Path, ...], junit_file: Path | None
) -> None:
    """Run the table of tests of a stored policy or a file. Exit 0 passed, 3 otherwise.

    Without an installation, give the contracts that the rows need as files.
    """
    from opsroom.contracts.model import ContractSpec
    from opsroom.contracts.naming import stored_as
    from opsroom.kit.junit import junit
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
            stored_name = stored_as(tool)
            found = client(ctx).get(f"/v1/artifacts/contract/{stored_name}/versions/latest")
            contracts[tool] = read(found["spec"])
    outcomes = [plain(one) for one in run(name, spec, contracts)]
    if junit_file is not None:
        junit_file.write_text(junit(f"policy {name}", [_check(one) for one in outcomes]))
    show(ctx, outcomes, _tested)
    if not all(one["passed"] for one in outcomes):
        ctx.exit(FAILED)


def _check(one: dict[str, Any]) -> "Check":
    from opsroom.kit.junit import Check

    wrong = f"expected {one['expected']}, and it is {one['verdict']}: {one['because']}"
    return Check(
        group=one["tool"],
        name=one["name"],
        failure="" if one["passed"] else wrong,
        said=one["because"],
    )


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
