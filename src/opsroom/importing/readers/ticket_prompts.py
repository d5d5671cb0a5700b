"""Versions of one prompt with their graded completions: `NAME.json` and `NAME_results.jsonl`.

The JSON file holds `templates` (a text per version, in order), `train` and `test` (texts with
their labels); the results hold one graded completion a line. Answers at different
temperatures are variants of one version.
"""

import json
import re
from pathlib import Path
from typing import Any

from opsroom.datasets import Item
from opsroom.importing.errors import BadImport, NothingToImport
from opsroom.importing.model import (
    Bundle,
    NewDataset,
    NewRecording,
    NewVersion,
)
from opsroom.kit.files import read_text
from opsroom.kit.texts import as_name
from opsroom.models import Output
from opsroom.registry import ArtifactDraft, Criticality, VersionDraft

from .lines import Line, lines, source_file

FORMAT = "ticket-prompts"


def read(path: Path) -> Bundle:
    """The prompt whose JSON file, results file or folder `path` is."""
    folder = path if path.is_dir() else path.parent
    results = next(iter(sorted(folder.glob("*_results.jsonl*"))), None)
    stem = results.name.partition("_results.")[0] if results else ""
    definition = folder / f"{stem}.json"
    if results is None or not definition.is_file():
        raise NothingToImport(str(path), FORMAT, "NAME.json and NAME_results.jsonl.gz")
    name = as_name(stem.replace("_", "-"))
    parts = _definition(definition)
    items = [
        *(_item(f"train-{n}", one, "train") for n, one in enumerate(parts["train"])),
        *(_item(f"test-{n}", one, "test") for n, one in enumerate(parts["test"])),
    ]
    known = {item.hash for item in items}
    evaluator = f"{name}-passed"
    return Bundle(
        format=FORMAT,
        files=(source_file(definition), source_file(results)),
        artifacts=(
            ArtifactDraft(kind="prompt", name=name, criticality=Criticality.ADVISORY),
            ArtifactDraft(kind="evaluator", name=evaluator, criticality=Criticality.ADVISORY),
        ),
        versions=(
            NewVersion(
                kind="evaluator",
                name=evaluator,
                draft=VersionDraft(
                    spec={"type": "recorded", "metric": "passed", "score": "passed"},
                    source=FORMAT,
                ),
            ),
            *(_version(name, label, text) for label, text in parts["templates"].items()),
        ),
        datasets=(NewDataset(name=name, items=tuple(items), evaluators=(evaluator,)),),
        recordings=tuple(
            _recording(line, name, parts["templates"], known) for line in lines(results)
        ),
    )


def _definition(path: Path) -> dict[str, Any]:
    try:
        parts: dict[str, Any] = json.loads(read_text(path))
    except ValueError as error:
        raise BadImport(path.name, getattr(error, "lineno", 1), str(error)) from error
    for field, shape in (("templates", dict), ("train", list), ("test", list)):
        if not isinstance(parts.get(field), shape):
            raise BadImport(path.name, 1, f"the field {field!r} is missing or of another type")
    return parts


def _item(item_id: str, one: dict[str, str], split: str) -> Item:
    return Item(id=item_id, split=split, input={"ticket": one["text"]}, expected=one["label"])


def _version(name: str, label: str, text: str) -> NewVersion:
    variables = sorted(set(re.findall(r"\{\{\s*(\w+)\s*\}\}", text)))
    return NewVersion(
        kind="prompt",
        name=name,
        draft=VersionDraft(
            spec={
                "format": "text",
                "text": text,
                "variables": {variable: {"type": "text"} for variable in variables},
            },
            message=label,
            source=f"{FORMAT}:{label}",
            labels=(as_name(label),),
        ),
    )


def _recording(
    line: Line, name: str, templates: dict[str, str], known: set[str]
) -> NewRecording:
    prompt = line.text("prompt")
    if prompt not in templates:
        raise line.wrong(f"there is no template {prompt!r}")
    item = Item(id="", input={"ticket": line.text("ticket")}, expected=line.text("label")).hash
    if item not in known:
        raise line.wrong("this ticket is not among the test items")
    return NewRecording(
        kind="prompt",
        name=name,
        source=f"{FORMAT}:{prompt}",
        item=item,
        variant=f"temperature={line.number('temperature')}",
        output=Output(
            text=line.text("output"),
            scores={
                "passed": 1.0 if line.get("passed") else 0.0,
                "score": line.number("score"),
            },
            served_model=line.text("model"),
        ),
    )
