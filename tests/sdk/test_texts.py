"""Rendering what a program brought along."""

import pytest

from opsroom.prompts.errors import PromptVariableMissing
from opsroom.sdk.texts import brought


def test_a_template_takes_the_names_in_it() -> None:
    text = brought("Return the code for {{ doc }}{% if rush %}, now{% endif %}.")
    assert text.render({"doc": "a crate", "rush": True}) == "Return the code for a crate, now."
    assert text.render({"doc": 7, "rush": False}) == "Return the code for 7."


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(PromptVariableMissing, match="doc"):
        brought("Return the code for {{ doc }}.").render({"tone": "calm"})


def test_what_a_template_does_not_use_is_passed_over() -> None:
    assert brought("Hello.").render({"name": "Ada", "history": [1, 2]}) == "Hello."


def test_a_whole_prompt_may_be_brought_along() -> None:
    spec = {
        "format": "chat",
        "messages": [{"role": "user", "content": "Hello, {{ name }}."}],
        "variables": {"name": {}},
    }
    assert brought(spec).render({"name": "Ada"}) == [{"role": "user", "content": "Hello, Ada."}]
