"""What the reference says of `--json` is what commands print."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from tests.installation import Shell

from opsroom.access.table import ROUTES
from opsroom.app import Settings, build, open_runtime
from opsroom.cli.root import root

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

# Not packages: they are found by the path.
shapes: Any = importlib.import_module("json_shapes")
reference: Any = importlib.import_module("reference")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    runtime = open_runtime(Settings(data=tmp_path_factory.mktemp("shapes")))
    try:
        return build(runtime, background=False).openapi()
    finally:
        runtime.close()


def known() -> dict[str, list[Any]]:
    """Commands whose answers are known, and that take nothing but options."""
    found = {
        path: (shapes.answers(one, ROUTES), one)
        for path, one in reference._commands("opsroom", root)
    }
    return {
        path: said
        for path, (said, one) in found.items()
        if said
        and path != "opsroom login"  # which asks at the terminal
        and all(answered.route.startswith("GET ") for answered in said)
        and not any(param.required for param in one.params)
    }


def check(shell: Shell, document: Any, path: str, said: list[Any]) -> bool:
    if shell(*path.split()[1:], "--json") != 0:
        return False  # it wants to be told more, or nothing is there yet
    answer = json.loads(shell.out)
    found = [shapes.shape(document, one) for one in said]
    whole = {"anyOf": found, "components": document["components"]}
    jsonschema_rs.validate(whole, answer)
    return True


def test_what_a_command_answers_is_read_from_its_code() -> None:
    @click.command()
    def one() -> None:
        """Asks nothing that is known."""

    assert shapes.answers(one, ROUTES) == []
    releases = root.get_command(click.Context(root), "release")
    assert isinstance(releases, click.Group)
    assert shapes.answers(releases.commands["list"], ROUTES) == [
        shapes.Answered("GET /v1/releases", ("items",))
    ]


@pytest.mark.parametrize("path", ["opsroom release list", "opsroom alert rules"])
def test_a_command_prints_what_the_reference_says(
    shell: Shell, document: Any, path: str
) -> None:
    assert check(shell, document, path, known()[path])


@pytest.mark.slow
def test_every_such_command_prints_what_the_reference_says(shell: Shell, document: Any) -> None:
    checked = [path for path, said in known().items() if check(shell, document, path, said)]
    assert len(checked) > 20
