"""Prompts that include prompts: found once, never in a circle, with variables that agree."""

from collections.abc import Callable, Mapping

import pytest

from opsroom.prompts.errors import (
    IncludeCycle,
    IncludeNotDeclared,
    IncludeNotFound,
    IncludeNotText,
    IncludeTooDeep,
    PromptTooCostly,
    PromptTooLarge,
    PromptValueAbsent,
    PromptVariableMissing,
    TemplateRefused,
    VariablesDisagree,
)
from opsroom.prompts.includes import MAX_DEPTH, whole
from opsroom.prompts.model import (
    PromptSpec,
    Syntax,
    Variable,
    VariableType,
    chat_prompt,
    text_prompt,
)
from opsroom.prompts.rendering import prepare, render


def shelf(prompts: Mapping[str, PromptSpec]) -> Callable[[str], PromptSpec]:
    def include(reference: str) -> PromptSpec:
        try:
            return prompts[reference]
        except KeyError:
            raise IncludeNotFound(reference, "the shelf") from None

    return include


def including(*names: str, text: str = "", **rest: Variable) -> PromptSpec:
    text += "".join(f'{{% include "{name}" %}}' for name in names)
    return text_prompt(text, includes={name: f"{name}@1" for name in names}, variables=rest)


def test_includes_stand_where_they_are_named() -> None:
    prompts = {
        "tone@3": text_prompt("Be {{ mood }}.", variables={"mood": Variable(default="kind")}),
        "house@1": text_prompt(
            '{% include "voice" %} You work for {{ firm }}.',
            includes={"voice": "prompt/tone@3"},
            variables={"firm": Variable()},
        ),
    }
    spec = chat_prompt(
        ("system", '{% include "rules" %}\n{% include "voice" %}'),
        ("user", "{{ question }}"),
        includes={"rules": "house@1", "voice": "tone@3"},
        variables={"question": Variable()},
    )
    values = {"firm": "us", "question": "?"}
    rendered = render(spec, values, include=shelf(prompts))
    assert rendered.messages[0].content == "Be kind. You work for us.\nBe kind."
    named = {**values, "mood": "brief"}
    assert "Be brief." in str(render(spec, named, include=shelf(prompts)))
    with pytest.raises(PromptVariableMissing) as caught:
        render(spec, {}, include=shelf(prompts))
    assert sorted(caught.value.names) == ["firm", "question"]


def test_each_reference_is_asked_for_once() -> None:
    asked: list[str] = []
    prompts = {
        "a@1": including("c"),
        "b@1": including("c", "a"),
        "c@1": text_prompt("c"),
    }

    def include(reference: str) -> PromptSpec:
        asked.append(reference)
        return prompts[reference]

    prompt = prepare(including("a", "b", "c"), include=include)
    assert str(prompt.render({})) == "cccc"
    assert sorted(asked) == ["a@1", "b@1", "c@1"]


def test_what_a_loop_fills_the_caller_need_not() -> None:
    prompts = {
        "row@1": text_prompt(
            "<{{ row.id }}>", variables={"row": Variable(type=VariableType.OBJECT)}
        )
    }
    spec = including(text="", rows=Variable(type=VariableType.LIST))
    spec = text_prompt(
        '{% for row in rows %}{% include "row" %}{% endfor %}',
        includes={"row": "row@1"},
        variables=spec.variables,
    )
    rendered = render(spec, {"rows": [{"id": 1}, {"id": 2}]}, include=shelf(prompts))
    assert rendered.text == "<1><2>"
    with pytest.raises(PromptValueAbsent) as caught:
        render(spec, {"rows": [{}]}, include=shelf(prompts))
    assert caught.value.place == "prompt/row@1"
    assert "row.id" in caught.value.what


def test_a_literal_prompt_can_be_included() -> None:
    text = 'braces {{ x }} {% raw %} "quotes" \\n {#\n'
    prompts = {"a@1": text_prompt(text, syntax=Syntax.LITERAL)}
    spec = including("a", text="{{ x }}|", x=Variable())
    assert render(spec, {"x": "v"}, include=shelf(prompts)).text == f"v|{text}"


@pytest.mark.parametrize(
    ("prompts", "chain"),
    [
        ({"a@1": including("a")}, "this prompt → a@1 → a@1"),
        (
            {"a@1": including("b"), "b@1": including("c"), "c@1": including("a")},
            "this prompt → a@1 → b@1 → c@1 → a@1",
        ),
    ],
)
def test_a_circle_is_named(prompts: Mapping[str, PromptSpec], chain: str) -> None:
    with pytest.raises(IncludeCycle) as caught:
        prepare(including("a"), include=shelf(prompts))
    assert caught.value.chain == chain


def chain(length: int) -> dict[str, PromptSpec]:
    prompts = {f"p{n}@1": including(f"p{n + 1}") for n in range(length - 1)}
    return {**prompts, f"p{length - 1}@1": text_prompt("end")}


def test_includes_go_so_deep_and_no_deeper() -> None:
    assert render(including("p0"), {}, include=shelf(chain(MAX_DEPTH))).text == "end"
    with pytest.raises(IncludeTooDeep) as caught:
        prepare(including("p0"), include=shelf(chain(MAX_DEPTH + 1)))
    assert caught.value.chain.endswith(f"→ p{MAX_DEPTH}@1")


def test_depth_counts_however_a_prompt_is_reached() -> None:
    """A prompt that was found near the top may still be too deep further down."""
    prompts = chain(MAX_DEPTH)
    prompts["x@1"] = including("p0")
    with pytest.raises(IncludeTooDeep):
        prepare(including("p0", "x"), include=shelf(prompts))


@pytest.mark.parametrize(
    ("spec", "prompts", "error"),
    [
        (text_prompt('{% include "a" %}'), {}, IncludeNotDeclared),
        (including("a"), {}, IncludeNotFound),
        (including("a"), {"a@1": chat_prompt(("user", "x"))}, IncludeNotText),
        (including("a"), {"a@1": text_prompt("{{ x() }}")}, TemplateRefused),
        (
            including("a", x=Variable(type=VariableType.NUMBER)),
            {"a@1": text_prompt("{{ x }}", variables={"x": Variable()})},
            VariablesDisagree,
        ),
        (
            including("a", "b"),
            {
                "a@1": text_prompt("{{ x }}", variables={"x": Variable(default="1")}),
                "b@1": text_prompt("{{ x }}", variables={"x": Variable(default="2")}),
            },
            VariablesDisagree,
        ),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_rendered(
    spec: PromptSpec, prompts: Mapping[str, PromptSpec], error: type[Exception]
) -> None:
    with pytest.raises(error):
        prepare(spec, include=shelf(prompts))


def test_the_outer_prompt_decides_where_defaults_differ() -> None:
    prompts = {
        "a@1": text_prompt("{{ x }}", variables={"x": Variable(default="1")}),
        "b@1": text_prompt("{{ x }}", variables={"x": Variable(default="2")}),
    }
    spec = including("a", "b", x=Variable(default="3"))
    assert render(spec, {}, include=shelf(prompts)).text == "33"


def test_includes_that_multiply_are_stopped() -> None:
    """Eight levels of ten includes each would be a hundred million copies."""
    prompts = {
        f"p{level}@1": text_prompt('{% include "n" %}' * 10, includes={"n": f"p{level + 1}@1"})
        for level in range(7)
    }
    prompts["p7@1"] = text_prompt("ten chars!")
    with pytest.raises(PromptTooLarge) as caught:
        prepare(including("p0"), include=shelf(prompts))
    assert caught.value.size == 10**8
    prompts["p7@1"] = text_prompt("{{ '' }}")
    with pytest.raises(PromptTooCostly):
        render(including("p0"), {}, include=shelf(prompts))


def test_the_number_of_prompts_has_a_limit() -> None:
    spec = including(*(f"a{n}" for n in range(100)))
    prompts = {f"a{n}@1": including(*(f"b{n}-{m}" for m in range(5))) for n in range(100)}
    for n in range(100):
        prompts |= {f"b{n}-{m}@1": text_prompt("x") for m in range(5)}
    with pytest.raises(PromptTooLarge, match="prompts"):
        whole(spec, include=shelf(prompts))
