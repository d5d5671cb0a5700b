"""Datasets of Phoenix: the files that its page and its interface give out.

- CSV: `example_id`, and a column for each key of the input, the output and the metadata, named
  `input_…`, `output_…` and `metadata_…`. Values that are no text are written there as Python
  shows them; they stay the texts they are in the file.
- JSON lines for OpenAI fine-tuning: `messages`, of which the last ones of the assistant are the
  output; for OpenAI Evals: `messages` and `ideal`.
- JSON of `/v1/datasets/{id}/examples`: `id`, `input`, `output`, `metadata`.

Source: `src/phoenix/server/api/routers/v1/datasets.py` in Arize-ai/phoenix.
"""

from pathlib import Path
from typing import Any

from opsroom.importing.model import Bundle

from .gathering import Gathering
from .lines import Line, exported, records, stem

FORMAT = "phoenix"
ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".json", ".json.gz")


def read(path: Path) -> Bundle:
    """A dataset for each file, named after it."""
    found = exported(path, FORMAT, *ENDINGS)
    made = Gathering(FORMAT)
    for file in found:
        given = stem(file).removesuffix(".csv").removesuffix(".json")
        for one in records(file):
            asked, expected, metadata = _parts(one)
            made.item(
                made.name("dataset", given, one),
                one,
                asked=asked,
                expected=expected,
                given_id=one.get("example_id", "id"),
                metadata=metadata,
            )
    return made.bundle(found)


def _parts(one: Line) -> tuple[Any, Any, dict[str, Any]]:
    """Input, expected output and metadata."""
    if one.has("messages"):
        messages = _messages(one)
        if one.has("ideal"):
            return {"messages": messages}, one.get("ideal"), one.rest("messages", "ideal")
        asked = list(messages)
        while asked and asked[-1].get("role") == "assistant":
            asked.pop()
        answered = messages[len(asked) :]
        expected = {"messages": answered} if answered else None
        return {"messages": asked}, expected, one.rest("messages")
    if one.has("input"):
        metadata = one.get("metadata")
        kept = dict(metadata) if isinstance(metadata, dict) else {}
        return one.get("input"), one.get("output"), kept
    cells = one.rest("example_id")
    asked_for = _under("input_", cells)
    if not asked_for:
        raise one.wrong("there is no `messages`, no `input`, and no column input_…")
    return asked_for, _under("output_", cells) or None, _under("metadata_", cells)


def _messages(one: Line) -> list[dict[str, Any]]:
    found = one.get("messages")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise one.wrong("the field 'messages' is no list of objects")
    return found


def _under(prefix: str, cells: dict[str, Any]) -> dict[str, Any]:
    """The columns of one prefix that hold something."""
    return {
        name.removeprefix(prefix): value
        for name, value in cells.items()
        if name.startswith(prefix) and name != prefix and value != ""
    }
