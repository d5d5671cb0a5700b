"""CSV for spreadsheets, which run what begins like a formula: no cell of ours does."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")
GUARDED = frozenset(f"'{one}" for one in FORMULA)


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet runs. Numbers stay numbers; lists have a line for
    each of theirs.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            text = "\n".join(map(str, value))
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not _is_number(text) else text


def uncelled(text: str) -> str:
    """A cell as it was before it was guarded."""
    return text[1:] if text[:2] in GUARDED else text


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Each row as a line of CSV, one at a time."""
    held = io.StringIO()
    writer = csv.writer(held)
    for row in rows:
        held.seek(0)
        held.truncate()
        writer.writerow([cell(one) for one in row])
        yield held.getvalue()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
