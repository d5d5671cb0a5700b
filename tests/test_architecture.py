"""The shape of the code, held by tests. (The order of the folders is held by import-linter.)"""

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import grimp
import pytest

import opsroom
from opsroom.kit.errors import OpsroomError

PACKAGE = Path(opsroom.__path__[0])
MODULES = sorted(PACKAGE.rglob("*.py"))
APART = {"kit", "web", "evidence", "sdk", "engines"}  # made to be used by everybody
WIRING = {"app", "cli", "simulator"}  # know everybody
PRIVATE = {"store", "workflow", "reactions"}
DOORS = {"routes", "pages", "cli"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def test_slices_meet_only_at_what_they_offer() -> None:
    """Nobody reads another slice's tables, and nobody but a door leans on a door."""
    graph = grimp.build_graph("opsroom")
    trespasses: list[str] = []
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            mine, theirs = importer.split("."), imported.split(".")
            if len(mine) < 2 or len(theirs) < 3 or mine[1] == theirs[1]:
                continue
            if mine[1] in WIRING or theirs[1] in APART or mine[1] == "migrations":
                continue
            door = theirs[2] in DOORS and not any(mine[-1].endswith(one) for one in DOORS)
            if theirs[2] in PRIVATE or door:
                trespasses.append(f"{importer} reaches into {imported}")
    assert trespasses == []


def test_imports_inside_a_slice_are_relative() -> None:
    """A leading dot means mine. (Folders inside a slice are far enough away for a full name.)"""
    wrong: list[str] = []
    for path in MODULES:
        mine = path.relative_to(PACKAGE).parts
        if len(mine) != 2 or mine[0] in WIRING:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            if node.module.split(".")[:2] == ["opsroom", mine[0]]:
                wrong.append(f"{name_of(path)}:{node.lineno} names its own slice in full")
    assert wrong == []


FORBIDDEN_MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "subprocess", "joblib", "jsonpickle",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execve", "os.execvp",
    "os.spawnv", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "numpy.load", "np.load",
    "tempfile.mktemp", "jinja2.Template",
}  # fmt: skip
# How a program brings itself into the background is no business of any stored object; git is
# asked at the terminal alone, with arguments of ours.
MAY_START_PROCESSES = {"opsroom/cli/up.py", "opsroom/app/serve.py", "opsroom/workspace/git.py"}


def test_nothing_stored_can_become_code() -> None:
    """T9: no pickle, eval, exec, unsafe YAML or subprocess anywhere in the product."""
    found: list[str] = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    used = {alias.name.split(".")[0] for alias in names} & FORBIDDEN_MODULES
                case ast.ImportFrom(module=str(module), level=0):
                    used = {module.split(".")[0]} & FORBIDDEN_MODULES
                case ast.Call(func=func) if ast.unparse(func) in FORBIDDEN_CALLS:
                    used = {ast.unparse(func)}
                case _:
                    continue
            if name_of(path) in MAY_START_PROCESSES:
                used -= {"subprocess"}
            found += [f"{name_of(path)}:{node.lineno} uses {one}" for one in sorted(used)]
    assert found == []


def test_only_the_outbound_client_and_the_sdk_open_connections() -> None:
    """Everything that goes out goes through the guard."""
    openers = re.compile(
        r"httpx2\.(Async)?Client\(|httpx2\.(get|post|put|stream|request)\(|urllib\.request|http\.client"
        r"|\b(import|from) requests\b|\brequests\.(get|post|put|request|Session)\(|socket\.create_connection"
    )
    mine = {"opsroom/kit/outbound.py", "opsroom/kit/connecting.py"}
    found = [
        name_of(path)
        for path in MODULES
        if name_of(path) not in mine
        and not name_of(path).startswith(("opsroom/sdk/", "opsroom/cli/"))
        and openers.search(path.read_text())
    ]
    assert found == []


def test_time_and_chance_are_passed_in() -> None:
    """Nothing below the composition root asks the machine for the time of day."""
    asks = re.compile(
        r"datetime\.(utc)?now\(|datetime\.today\(|(?<![\w.])time\.time\(\)|date\.today\("
    )
    may = {"opsroom/kit/clock.py", "opsroom/app/settings.py"}
    found = [
        name_of(path)
        for path in MODULES
        if name_of(path) not in may
        and not name_of(path).startswith(("opsroom/cli/", "opsroom/sdk/"))
        and asks.search(path.read_text())
    ]
    assert found == []


def test_no_test_hides_a_slice_behind_a_mock() -> None:
    tests = Path(__file__).parent
    found = [str(path.relative_to(tests)) for path in tests.rglob("*.py") if re.search(r"^\s*(from|import) (unittest\.)?mock\b|^\s*from unittest import mock", path.read_text(), re.MULTILINE)]  # fmt: skip
    assert found == []


def concrete_errors() -> list[type[OpsroomError]]:
    for path in MODULES:
        if re.search(
            r"^class \w+\(.*\):\n(    .*\n)*    code = ", path.read_text(), re.MULTILINE
        ):
            import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))

    def below(cls: type[OpsroomError]) -> Iterator[type[OpsroomError]]:
        for child in cls.__subclasses__():
            yield child
            yield from below(child)

    found = {one for one in below(OpsroomError) if one.__module__.startswith("opsroom.")}
    return sorted((one for one in found if hasattr(one, "code")), key=lambda one: one.code)


ERRORS = concrete_errors()
SAMPLES: dict[str, Any] = {"int": 3, "float": 1.5, "str": "it", "bool": True, "None": None}


def sample(error: type[OpsroomError]) -> OpsroomError:
    """An error with facts of the right types."""
    facts: list[Any] = []
    for one in fields(error):  # type: ignore[arg-type]  # checked to be a dataclass
        annotation = (
            one.type
            if isinstance(one.type, str)
            else getattr(one.type, "__name__", str(one.type))
        )
        if one.default is not MISSING and annotation not in SAMPLES:
            facts.append(one.default)
        elif annotation.startswith(("tuple", "list", "Sequence")):
            facts.append(("it",))
        elif annotation.startswith(("dict", "Mapping")):
            facts.append({"it": 1})
        else:
            facts.append(SAMPLES.get(annotation.split(" | ")[0], "it"))
    return error(*facts)


def test_there_are_errors_to_look_at() -> None:
    assert len(ERRORS) > 40


def test_every_code_names_one_error() -> None:
    codes = [error.code for error in ERRORS]
    assert sorted(set(codes)) == codes
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", code) for code in codes)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_says_what_is_the_case_and_survives_a_journey(
    error: type[OpsroomError],
) -> None:
    assert is_dataclass(error), "its fields are its facts"
    one = sample(error)
    told = one.as_dict()
    assert told["message"] == str(one)
    assert told["message"].strip()
    assert told["message"][0] not in ".,;: "
    assert (
        not told["message"][0].isupper()
        or told["message"].split()[0].isupper()
        or "SQL" in told["message"]
    )
    assert not told["message"].endswith(".")
    assert 400 <= error.status < 600
    assert 1 <= error.exit_code <= 7
    for other in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert type(other) is error
        assert other.as_dict() == told


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_says_what_to_do_next(error: type[OpsroomError]) -> None:
    """A thing that is not there needs no advice; everything else does."""
    if error.status != 404:
        assert error.hint.strip(), f"{error.__module__}.{error.__name__} has no hint"
        assert not error.hint[0].isupper()


def test_every_module_says_what_it_is_for() -> None:
    small = {"errors.py", "__main__.py"}
    silent = [
        name_of(path)
        for path in MODULES
        if path.name not in small
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [name_of(path) for path in MODULES if later.search(path.read_text())]
    assert found == []


def test_no_path_of_a_machine_is_in_the_repository() -> None:
    """Somebody else's checkout lies elsewhere."""
    root = Path(__file__).parents[1]
    where = [
        *MODULES,
        *(root / "tests").rglob("*.py"),
        *(root / "docs").rglob("*.md"),
        *(root / "tools").glob("*"),
    ]
    here = re.compile("/" + "work/(main|shared)|/" + "root/|/" + "home/[a-z]+/")
    found = [
        str(path.relative_to(root))
        for path in where
        if path.is_file() and here.search(path.read_text())
    ]
    assert found == []
