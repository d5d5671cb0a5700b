"""What an optimiser may not get away with."""

from typing import Any

import pytest
from tests.improvement.world import SPEC, TEXT

from opsroom.improvement.checking import refused
from opsroom.prompts.includes import nothing_to_include


def reason(spec: dict[str, Any], *, kind: str = "prompt", max_chars: int = 2000) -> str:
    return refused(kind, spec, SPEC, include=nothing_to_include, max_chars=max_chars)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT.replace("{{ description }}", "the goods"), "drops the variable 'description'"),
        (f"{TEXT}\nLanguage: {{{{ language }}}}", "invents the variable 'language'"),
        (TEXT + "\n{{ description", "not a valid prompt"),
        (TEXT + "\n{% for x in y %}", "not a valid prompt"),
        (TEXT + "\n{{ description.__class__ }}", "not a valid prompt"),
        ("", "drops the variable"),
        (TEXT + "x" * 2000, "2,000 are allowed"),
        (TEXT + "\nThe key is AKIAQ3EGRN5T7WXYZ2LK.", "lint"),
    ],
)
def test_refused(text: str, why: str) -> None:
    assert why in reason({**SPEC, "text": text})


def test_a_changed_text_with_its_variables_is_let_through() -> None:
    assert not reason({**SPEC, "text": f'{TEXT}\nIf it contains "LED tubes", answer 8539.'})


def test_an_invented_declaration_counts_even_where_it_is_not_placed() -> None:
    more = {**SPEC, "variables": {**SPEC["variables"], "tone": {"type": "text"}}}
    assert "invents the variable 'tone'" in reason(more)


def test_a_manifest_must_be_one() -> None:
    assert "not a valid manifest" in reason({"model": 3}, kind="agent")
    assert not reason({"model": {"model": "m"}}, kind="agent")
