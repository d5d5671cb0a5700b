"""Datasets of LangSmith: examples with `inputs`, `outputs`, `metadata` and `split`.

JSON and JSON lines hold an example an object. In CSV, `inputs` and `outputs` are columns with JSON
in them, or there is a column for each key (`inputs.question`, `input_question`). Splits stand in
`split`, or in the metadata as `dataset_split`. Source: the format of examples in
https://docs.langchain.com/langsmith/example-data-format.
"""

from pathlib import Path
from typing import Any

from opsroom.datasets.model import DEFAULT_SPLIT, SELECTION, TRAIN
from opsroom.importing.model import Bundle
from opsroom.kit.files import JsonWrong, read_value

from .gathering import Gathering
from .lines import Line, exported, records, stem

FORMAT = "langsmith"
ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".json", ".json.gz")
_SPLITS = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": SELECTION,
    "val": SELECTION,
    "dev": SELECTION,
}


def read(path: Path) -> Bundle:
    """A dataset for each file, named after it, or after `dataset_name` where examples say it."""
    found = exported(path, FORMAT, *ENDINGS)
    made = Gathering(FORMAT)
    for file in found:
        given = stem(file).removesuffix(".csv").removesuffix(".json")
        for one in records(file):
            _example(made, one, given)
    return made.bundle(found)


def _example(made: Gathering, one: Line, otherwise: str) -> None:
    metadata = _value(one.get("metadata"))
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    asked = _side(one, "inputs", "input")
    if asked is None:
        raise one.wrong("there is neither a field `inputs` nor a column for one")
    if one.get("attachments"):
        made.leave_out("attachment", "files beside an example are not read")
    made.item(
        made.name("dataset", str(one.get("dataset_name") or otherwise), one),
        one,
        asked=asked,
        expected=_side(one, "outputs", "output"),
        given_id=one.get("id"),
        split=_split(_value(one.get("split")) or kept.get("dataset_split")),
        metadata=kept,
    )


def _side(one: Line, *names: str) -> Any:
    """Inputs or outputs: a field of that name, or a column for each key."""
    for name in names:
        if one.get(name) not in (None, ""):
            return _value(one.get(name))
    found = {
        column.removeprefix(mark): value
        for column, value in one.rest().items()
        for name in names
        for mark in (f"{name}.", f"{name}_")
        if column.startswith(mark) and column != mark and value != ""
    }
    return found or None


def _value(cell: Any) -> Any:
    """A cell of a table that holds JSON, as that; anything else as it is."""
    if not isinstance(cell, str) or cell[:1] not in {"{", "["}:
        return cell
    try:
        return read_value(cell)
    except JsonWrong:
        return cell


def _split(given: Any) -> str:
    named = given if isinstance(given, list) else [given]
    found = (_SPLITS[str(one).lower()] for one in named if str(one).lower() in _SPLITS)
    return next(found, DEFAULT_SPLIT)
