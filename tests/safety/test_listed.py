"""The table of safety cases names tests, and each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "safety-cases.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda one: one.rpartition("/")[2])
def test_what_the_table_names_is_a_test(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_case_of_ours_is_in_the_table() -> None:
    ours = re.findall(
        r"^def (test_\w+)", (ROOT / "tests/safety/test_cases.py").read_text(), re.MULTILINE
    )
    assert not {*ours} - {name for _, name in NAMED}
