"""Items in a file that somebody else made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsroom.kit.files import read_csv, read_jsonl

from .errors import BadItem

FIELDS = ("id", "input", "expected", "split", "tags", "metadata")


def read_items(file: Path) -> Iterator[dict[str, Any]]:
    """The items of a file (JSON lines or CSV, plain or gzip), as plain data.

    Raises `BadItem`, and what reading the file raises.
    """
    table = file.name.removesuffix(".gz").endswith(".csv")
    rows: Iterator[tuple[int, dict[str, Any]]] = read_csv(file) if table else read_jsonl(file)
    for line, row in rows:
        item_id = str(row.get("id") or f"line-{line}")
        if unknown := [name for name in row if name not in FIELDS]:
            known = ", ".join(FIELDS)
            raise BadItem(
                item_id, f"line {line} of {file.name}: no field {unknown[0]!r} among {known}"
            )
        if "input" not in row:
            raise BadItem(item_id, f"line {line} of {file.name}: there is no field 'input'")
        tags = row.get("tags") or ()
        yield {
            **{name: value for name, value in row.items() if value not in (None, "")},
            "id": item_id,
            "input": row["input"],
            "tags": tags.split(",") if isinstance(tags, str) else tags,
        }
