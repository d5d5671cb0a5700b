"""The differ against 201 labelled pairs, and against 27 months of one public document.

The labels are what one rule of an established checker finds in a pair; no rule of ours knows
a pair. The data is not part of this repository; without it these tests are skipped.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsroom.integrations.differ import Change, Level, compare
from opsroom.integrations.reading import read_document

LEVELS = {"error": Level.BREAKING, "warning": Level.WARNING, "info": Level.COMPATIBLE}
AT_LEAST = 0.95
# Month in which operations went away, and some of those that did.
REMOVED = {
    "2023-06": {"POST /answers", "GET /engines"},
    "2024-01": {"POST /edits", "POST /fine-tunes"},
}


@pytest.fixture(scope="module")
def cases(data_dir: Path) -> list[dict[str, Any]]:
    return list(_lines(data_dir / "openapi" / "breaking_change_cases.jsonl.gz"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _changes(case: dict[str, Any]) -> tuple[Change, ...]:
    return compare(read_document(case["base_yaml"]), read_document(case["revision_yaml"]))


def _side(label: str) -> str:
    """The side that a label speaks of; nothing where it speaks of the whole operation."""
    return next((side for side in ("request", "response") if side in label), "")


def test_labelled_findings_are_found_on_their_side(cases: list[dict[str, Any]]) -> None:
    """A finding counts as found when the pair has one of its level on its side."""
    labelled, found = Counter[Level](), Counter[Level]()
    missed: list[str] = []
    for case in cases:
        changes = _changes(case)
        for label in case["expected"]:
            if (level := LEVELS.get(label["level"])) is None:
                continue
            labelled[level] += 1
            hit = any(
                one.level is level and one.id.startswith(_side(label["id"])) for one in changes
            )
            found[level] += hit
            if not hit and level is Level.BREAKING:
                missed.append(f"{case['case']}: {label['id']}")
    for level in Level:
        share = found[level] / labelled[level]
        print(f"{level.value}: {found[level]} of {labelled[level]} found ({share:.1%})")  # noqa: T201
    print("breaking, not found:", *missed, sep="\n  ")  # noqa: T201
    assert labelled == {Level.BREAKING: 124, Level.WARNING: 17, Level.COMPATIBLE: 99}
    assert found[Level.BREAKING] / labelled[Level.BREAKING] >= AT_LEAST
    assert found[Level.WARNING] / labelled[Level.WARNING] >= 0.8


def test_pairs_without_findings_are_silent(cases: list[dict[str, Any]]) -> None:
    """Two of the eight are silent about one rule only: the same two documents stand among the
    breaking pairs, because an answer may be null there that could not be before.
    """
    broken_elsewhere = {
        (case["base_yaml"], case["revision_yaml"])
        for case in cases
        if any(label["level"] == "error" for label in case["expected"])
    }
    silent = 0
    quiet = [case for case in cases if case["expects_nothing"]]
    for case in quiet:
        loud = [one for one in _changes(case) if one.level is not Level.COMPATIBLE]
        if (case["base_yaml"], case["revision_yaml"]) in broken_elsewhere:
            assert {one.id for one in loud} == {"response.property.null.allowed"}, case["case"]
        else:
            assert loud == [], case["case"]
            silent += 1
    print(f"pairs without findings: {len(quiet)}, silent {silent}")  # noqa: T201
    print(f"of the rest, {len(quiet) - silent} are labelled breaking under another rule")  # noqa: T201
    assert (len(quiet), silent) == (8, 6)


def test_nothing_is_called_breaking_that_every_label_calls_harmless(
    cases: list[dict[str, Any]],
) -> None:
    """On the labelled side of pairs whose every label is harmless. What remains is meant:
    new security and a media type that went away do break callers.
    """
    labels: dict[tuple[str, str], list[dict[str, Any]]] = {}
    by_text = {(case["base_yaml"], case["revision_yaml"]): case for case in cases}
    for case in cases:
        labels.setdefault((case["base_yaml"], case["revision_yaml"]), []).extend(
            case["expected"]
        )
    alarms, harmless = Counter[str](), 0
    for texts, found in labels.items():
        if not found or any(label["level"] in {"error", "warning"} for label in found):
            continue
        harmless += 1
        sides = {_side(label["id"]) for label in found}
        alarms.update(
            {
                one.id
                for one in _changes(by_text[texts])
                if one.level is Level.BREAKING
                and ("" in sides or one.id.split(".")[0] in sides)
            }
        )
    print(f"harmless pairs: {harmless}; called breaking: {dict(alarms)}")  # noqa: T201
    assert set(alarms) <= {"security.removed", "request.body.media_type.removed"}


def test_a_document_equals_itself(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        document = read_document(case["base_yaml"])
        assert compare(document, read_document(case["base_yaml"])) == ()


def test_the_calendar(data_dir: Path) -> None:
    """Every pair of months is compared to its end, and removed operations are breaking."""
    index = json.loads((data_dir / "openapi" / "index.json").read_text())
    months = sorted(index, key=lambda one: one["committed_at"])
    documents = [_document(data_dir / "openapi" / Path(one["file"]).name) for one in months]
    print(f"{'month':8} {'breaking':>9} {'warning':>8} {'compatible':>11}  removed")  # noqa: T201
    removed: dict[str, set[str]] = {}
    for about, before, after in zip(months[1:], documents, documents[1:], strict=False):
        changes = compare(before, after)
        assert not any(one.id == "document.unfinished" for one in changes)
        month = about["committed_at"][:7]
        gone = {one.operation for one in changes if one.id == "operation.removed"}
        assert all(
            one.level is Level.BREAKING for one in changes if one.id == "operation.removed"
        )
        removed[month] = gone
        count = Counter(one.level for one in changes)
        print(  # noqa: T201
            f"{month:8} {count[Level.BREAKING]:>9} {count[Level.WARNING]:>8}"
            f" {count[Level.COMPATIBLE]:>11}  {len(gone) or ''}"
        )
    assert len(documents) == 27
    for month, some in REMOVED.items():
        assert some <= removed[month]


def _document(path: Path) -> dict[str, Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return read_document(file.read())
