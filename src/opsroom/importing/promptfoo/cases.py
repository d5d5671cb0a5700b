"""The tests of a configuration as the cases they stand for.

A test stands for several cases where a variable is a list of texts, and a scenario for each
of its settings with each of its tests. Defaults come first, as in promptfoo.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice, product
from pathlib import Path
from typing import Any

from .expectations import from_cell, threshold
from .source import Source
from .suite import MAX_CASES
from .templates import can_be_named, is_template, rendered

Test = dict[str, Any]

_TABLES = (".csv", ".jsonl", ".json", ".yaml", ".yml")
_PICTURES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".gif",
    ".webp",
    ".pdf",
    ".wav",
    ".mp3",
    ".mp4",
    ".ogg",
    ".svg",
)
_COLUMNS = (
    "__expected", "__config:", "__description", "__metadata", "__metric", "__prefix",
    "__providerOutput", "__suffix", "__threshold",
)  # fmt: skip
_NOT_DONE = {
    "transform": "it is code, and code is not run",
    "transformVars": "it is code, and code is not run",
    "postprocess": "it is code, and code is not run",
    "assertScoringFunction": "it is code, and code is not run",
    "storeOutputAs": "an answer is not passed on to the next test",
    "rubricPrompt": "graders are asked in our own words",
    "factuality": "what each finding is worth is fixed",
    "prefix": "write it into the prompt",
    "suffix": "write it into the prompt",
    "provider": "one test is not put to a model of its own",
    "providers": "all tests go to all models",
    "prompts": "all tests go to all prompts",
}


def tests_of(source: Source, document: Mapping[str, Any]) -> list[Test]:
    """Every test with the defaults in it, those of scenarios after the others."""
    default = document.get("defaultTest") or {}
    if isinstance(default, str):
        default = source.one(default, "defaultTest") or {}
    if not isinstance(default, dict):
        source.missing.add("defaultTest", "it is a mapping")
        default = {}
    plain = list(_some(_loaded(source, document.get("tests"), "tests")))
    scenarios = document.get("scenarios")
    found = plain or ([] if scenarios else [{}])
    found = [*found, *_some(_scenarios(source, scenarios))]
    if len(found) > MAX_CASES:
        source.missing.add("tests", f"there are more than {MAX_CASES}")
        return []
    return [_with_default(one, default) for one in found]


def _some(tests: Iterator[Test]) -> Iterator[Test]:
    """As many as are looked at; one more than may be there says that there are too many."""
    return islice(tests, MAX_CASES + 1)


def _loaded(source: Source, written: Any, where: str) -> Iterator[Test]:
    match written:
        case None:
            return
        case str() as name:
            for path in source.find(name, where):
                yield from _from_file(source, path, where)
        case {"path": str(name)}:
            yield from _loaded(source, name, where)
        case dict():
            yield _own_files(source, dict(written), where)
        case list() as many:
            for number, one in enumerate(many, 1):
                if isinstance(one, list):
                    source.missing.add(where, "a list in the list of tests")
                else:
                    yield from _loaded(source, one, f"test {number}")
        case _:
            source.missing.add(where, "a test is a mapping, or the name of a file")


def _from_file(source: Source, path: Path, where: str) -> Iterator[Test]:
    if path.suffix not in _TABLES:
        source.missing.add(where, f"tests are not read from {path.suffix or 'such a file'}")
    elif path.suffix == ".csv":
        for number, row in enumerate(source.rows(path, where), 2):
            try:
                yield _from_row(row)
            except ValueError as error:
                source.missing.add(f"{path.name}, line {number}", str(error))
    elif path.suffix == ".jsonl":
        for one in source.lines(path, where):
            yield from _loaded(source, one if isinstance(one, dict) else [one], path.name)
    else:
        yield from _loaded(source, source.data(path, where), path.name)


def _from_row(row: Mapping[str, str]) -> Test:
    """One row of a table: columns with two underscores say what is expected, the rest are variables."""
    cells = {name.strip(): cell for name, cell in row.items()}
    expected = [
        from_cell(cell.strip())
        for name, cell in cells.items()
        if name.startswith("__expected") and cell.strip()
    ]
    limits = [
        _config(name, cell) for name, cell in cells.items() if name.startswith("__config:")
    ]
    for number, limit in limits:
        if number < len(expected):
            expected[number]["threshold"] = limit
    if metric := cells.get("__metric"):
        expected = [{**one, "metric": metric} for one in expected]
    test: Test = {
        "vars": {name: cell for name, cell in cells.items() if not name.startswith(_COLUMNS)},
        "assert": expected,
        "threshold": threshold(cells.get("__threshold")),
        "options": {
            name: cells[f"__{name}"] for name in ("prefix", "suffix") if cells.get(f"__{name}")
        },
        "description": cells.get("__description", ""),
    }
    if answer := cells.get("__providerOutput"):
        test["providerOutput"] = answer
    if test["threshold"] is None:
        del test["threshold"]  # the default's counts
    return test


def _config(name: str, cell: str) -> tuple[int, float]:
    """`__config:__expected2:threshold` is the threshold of the second assertion."""
    parts = name.removeprefix("__config:").split(":")
    number = parts[0].removeprefix("__expected") or "1"
    if len(parts) != 2 or not number.isdecimal() or number == "0" or parts[1] != "threshold":
        raise ValueError(f"the column {name!r} sets nothing that is known")
    value = threshold(cell)
    if value is None:
        raise ValueError(f"{cell!r} in column {name!r} is no number")
    return int(number) - 1, value


def _own_files(source: Source, test: Test, where: str) -> Test:
    values = test.get("vars")
    if isinstance(values, str | list):
        loaded: dict[str, Any] = {}
        for name in [values] if isinstance(values, str) else values:
            found = source.one(name, where) if isinstance(name, str) else None
            if isinstance(found, dict):
                loaded |= found
            elif isinstance(name, str):
                source.missing.add(where, f"{name!r} holds no variables")
        test["vars"] = loaded
    return test


def _scenarios(source: Source, written: Any) -> Iterator[Test]:
    scenarios = written if isinstance(written, list) else [written] if written else []
    for number, one in enumerate(scenarios, 1):
        where = f"scenario {number}"
        scenario = source.one(one, where) if isinstance(one, str) else one
        for part in scenario if isinstance(scenario, list) else [scenario]:
            if not isinstance(part, dict):
                source.missing.add(where, "a scenario is a mapping")
                continue
            settings = list(_some(_loaded(source, part.get("config"), where)))
            tests = list(_some(_loaded(source, part.get("tests"), where))) or [{}]
            for setting, test in product(settings, tests):
                yield {
                    **setting,
                    **test,
                    "vars": {**(setting.get("vars") or {}), **(test.get("vars") or {})},
                    "options": {
                        **(setting.get("options") or {}),
                        **(test.get("options") or {}),
                    },
                    "assert": [*_list(setting.get("assert")), *_list(test.get("assert"))],
                }


def _list(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written] if written else []


def _with_default(test: Test, default: Mapping[str, Any]) -> Test:
    options = {**(default.get("options") or {}), **(test.get("options") or {})}
    inherited = [] if options.get("disableDefaultAsserts") is True else default.get("assert")
    whole = {**default, **test}
    return {
        **whole,
        "vars": {**(default.get("vars") or {}), **(test.get("vars") or {})},
        "options": options,
        "assert": [*_list(inherited), *_list(test.get("assert"))],
        "threshold": test.get("threshold", default.get("threshold")),
    }


def refuse_what_is_not_done(source: Source, test: Test) -> None:
    """Name everything a test asks for that is not done here."""
    options = test.get("options")
    options = options if isinstance(options, dict) else {}
    for name, why in _NOT_DONE.items():
        if test.get(name) or (name != "provider" and options.get(name)):
            source.missing.add(f"`{name}`", why)


def settings(source: Source, test: Test, where: str) -> Iterator[dict[str, Any]]:
    """The variables of each case that a test stands for, with files and templates in place."""
    written = test.get("vars")
    if not isinstance(written, dict):
        source.missing.add(where, "`vars` is a mapping")
        return
    options = test.get("options") or {}
    expanded = options.get("disableVarExpansion") is not True
    choices = [_choices(source, name, one, where, expanded) for name, one in written.items()]
    total = 1
    for one in choices:
        total *= len(one)
    if total > MAX_CASES:
        source.missing.add(where, f"it stands for more than {MAX_CASES} cases")
        return
    for chosen in product(*choices):
        values = dict(zip(written, chosen, strict=True))
        yield {name: _placed(source, name, one, values, where) for name, one in values.items()}


def _choices(source: Source, name: str, value: Any, where: str, expanded: bool) -> list[Any]:
    match value:
        case str() as text if text.startswith("file://"):
            found = [_file(source, path, name, where) for path in source.find(text, where)]
            return found or [""]  # what is missing is noted, and the rest is looked at as well
        case list() as many if expanded and many and isinstance(many[0], str):
            return [
                choice for one in many for choice in _choices(source, name, one, where, False)
            ]
        case _:
            return [_number(value)]


def _file(source: Source, path: Path, name: str, where: str) -> Any:
    if path.suffix.lower() in _PICTURES:
        source.missing.add(f"variable {name}", f"{path.suffix} is not sent to models from here")
        return ""
    if path.suffix in {".yaml", ".yml"}:
        return json.dumps(source.data(path, where), ensure_ascii=False, separators=(",", ":"))
    return source.text(path, where).strip()


def _number(value: Any) -> Any:
    """1.0 is 1: a configuration has one kind of number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _placed(
    source: Source, name: str, value: Any, values: Mapping[str, Any], where: str
) -> Any:
    if isinstance(value, str):
        value = value.removesuffix("\n")
        if is_template(value):
            others = {key: one for key, one in values.items() if key != name}
            return rendered(value, others, f"{where}, variable {name}", source.missing)
    return value


def named_well(values: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that a prompt can have. Others cannot be placed by any template."""
    return {name: one for name, one in values.items() if can_be_named(name)}
