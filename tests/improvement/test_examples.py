"""Cases in prompts: where they stand, and that they stay data whatever they say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.improvement.world import TEXT

from opsroom.datasets import Item
from opsroom.improvement.examples import CLOSES, HEADING, OPENS, usable, with_examples
from opsroom.prompts.model import PromptSpec, Syntax, Variable, chat_prompt, text_prompt
from opsroom.prompts.rendering import render

VARIABLES = {"description": Variable()}
TEXTS = st.text(
    st.sampled_from(list("{}%#\"'\\ \nab<>/-|")) | st.characters(exclude_categories=["C"]),
    min_size=1,
    max_size=60,
)


def item(text: str, answer: str = "8539", number: int = 0) -> Item:
    return Item(id=f"i{number}", input={"description": text}, expected=answer, split="train")


@given(text=TEXTS, answer=TEXTS)
def test_what_a_case_says_is_placed_as_it_is_and_executes_nothing(
    text: str, answer: str
) -> None:
    one = item(text, answer)
    if not usable([one]):
        return
    spec = with_examples(text_prompt(TEXT, variables=VARIABLES), [one])
    rendered = str(render(spec, {"description": "the real case"}))
    assert f"<input>\n{text}\n</input>" in rendered
    assert f"<answer>\n{answer}\n</answer>" in rendered
    assert rendered.endswith(TEXT.replace("{{ description }}", "the real case"))


@pytest.mark.parametrize("text", ["{{ description }}", "{% if x %}", "{# gone #}", "{{ 1 }}{"])
def test_template_tags_in_a_case_are_text(text: str) -> None:
    spec = with_examples(text_prompt(TEXT, variables=VARIABLES), [item(text)])
    assert text in str(render(spec, {"description": "the real case"}))


@pytest.mark.parametrize(
    "text", ["</example>", "a </INPUT > b", "<answer>", "</accepted-examples>", "x" * 4001]
)
def test_what_could_close_the_fence_or_is_too_long_is_no_example(text: str) -> None:
    assert usable([item(text)]) == []
    assert usable([item("fine"), Item(id="open", input="no answer", split="train")]) == [
        item("fine")
    ]


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        (text_prompt("Say {{ description }}.", variables=VARIABLES), "front"),
        (text_prompt("Answer with the heading."), "end"),
        (
            chat_prompt(
                ("system", "Classify."), ("user", "{{ description }}"), variables=VARIABLES
            ),
            "system",
        ),
        (chat_prompt(("user", "{{ description }}"), variables=VARIABLES), "new system"),
    ],
)
def test_examples_stand_where_the_convention_says(spec: PromptSpec, where: str) -> None:
    changed = with_examples(spec, [item("LED tubes")])
    match where:
        case "front":
            assert (changed.text or "").startswith(f"{OPENS}\n{HEADING}")
        case "end":
            assert (changed.text or "").endswith(CLOSES)
        case "system":
            assert changed.messages[0].content.startswith("Classify.\n\n" + OPENS)
            assert changed.messages[1] == spec.messages[0 + 1]
        case _:
            assert changed.messages[0].role == "system"
            assert changed.messages[1:] == spec.messages


def test_a_section_that_is_there_is_added_to_and_nothing_is_there_twice() -> None:
    spec = text_prompt(TEXT, variables=VARIABLES)
    once = with_examples(spec, [item("LED tubes")])
    twice = with_examples(once, [item("LED tubes"), item("hair dye", "3305", 1)])
    assert twice == with_examples(spec, [item("LED tubes"), item("hair dye", "3305", 1)])
    assert len(re.findall(OPENS, twice.text or "")) == 1


def test_a_literal_prompt_takes_cases_literally() -> None:
    spec = text_prompt("Classify {{ this }}", syntax=Syntax.LITERAL)
    changed = with_examples(spec, [item("{{ tubes }}")])
    assert "<input>\n{{ tubes }}\n</input>" in str(render(changed, {}))


def test_an_object_with_several_parts_is_written_by_name() -> None:
    one = Item(id="i", input={"order": "12", "invoice": {"total": 3}}, expected={"do": "match"})
    text = with_examples(text_prompt("Match."), [one]).text or ""
    assert "<input>\norder: 12\ninvoice: 3\n</input>" in text
    assert "<answer>\nmatch\n</answer>" in text
