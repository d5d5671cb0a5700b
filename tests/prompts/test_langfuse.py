"""Prompts as Langfuse's SDK reads them: what it puts together is what we would, or it is refused."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langfuse.model import TemplateParser
from tests.api import Api, Caller

from opsroom.prompts.errors import NotForLangfuse, TemplateBroken, TemplateRefused
from opsroom.prompts.includes import nothing_to_include
from opsroom.prompts.langfuse import for_langfuse, put_together
from opsroom.prompts.model import (
    Parameters,
    PromptSpec,
    Variable,
    VariableType,
    chat_prompt,
    text_prompt,
)
from opsroom.prompts.rendering import render

BRACES = st.text(alphabet="{} ab#%\n", max_size=12)
NAMES = {"a": Variable(), "b": Variable()}


@given(text=BRACES, values=st.dictionaries(st.sampled_from("ab#"), BRACES))
def test_we_know_how_its_sdk_reads(text: str, values: dict[str, str]) -> None:
    assert put_together(text, values) == TemplateParser.compile_template(text, values)


@settings(max_examples=40)
@given(
    pieces=st.lists(
        st.sampled_from(
            ["{{ a }}", "{{a}}", "{{- b -}}", " ", "x", "{", "}", "{# no #}", '{{ "{" }}',
             "{% raw %}{{ a }}{% endraw %}", "{% raw %}{{{% endraw %}", "{% raw %}}}{% endraw %}"]
        ),
        max_size=8,
    ),
    a=BRACES,
    b=BRACES,
)  # fmt: skip
def test_what_is_given_out_comes_out_as_here(pieces: list[str], a: str, b: str) -> None:
    spec = text_prompt("".join(pieces), variables=NAMES)
    try:
        shown = for_langfuse(spec, include=nothing_to_include)
    except (NotForLangfuse, TemplateBroken, TemplateRefused):
        return
    values = {"a": a, "b": b}
    assert isinstance(shown.prompt, str)
    assert TemplateParser.compile_template(shown.prompt, values) == str(render(spec, values))


@pytest.mark.parametrize(
    "text",
    ["{{ a }} and {{a}}", "{{- a }}", '{% raw %}{"k": {"v": 1}}{% endraw %} {{ a }}', "{# x #}{{ a }}"],
)  # fmt: skip
def test_whole_values_among_text_are_given_out(text: str) -> None:
    shown = for_langfuse(text_prompt(text, variables=NAMES), include=nothing_to_include)
    assert "{{a}}" in shown.prompt


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (text_prompt("x\n{{ a | upper }}", variables=NAMES), "text, line 2, column 1"),
        (text_prompt("{% if a %}x{% endif %}", variables=NAMES), "text, line 1, column 1"),
        (text_prompt("{{ a if b else 'x' }}", variables=NAMES), "text, line 1, column 1"),
        (text_prompt("{{ a }}", variables={"a": Variable(default="x")}), "variables.a"),
        (text_prompt("{{ a }}", variables={"a": Variable(required=False)}), "variables.a"),
        (text_prompt("{{ a.b }}", variables=NAMES), "text, line 1, column 1"),
        (text_prompt("{% raw %}{{ a }}{% endraw %}{{ a }}", variables=NAMES), "text"),
        (text_prompt("{% raw %}{{ {% endraw %}{{ a }}", variables=NAMES), "text"),
    ],
)
def test_what_it_would_put_together_wrongly_is_refused(spec: PromptSpec, place: str) -> None:
    with pytest.raises(NotForLangfuse) as caught:
        for_langfuse(spec, include=nothing_to_include)
    assert (caught.value.place, caught.value.status) == (place, 400)


@pytest.mark.parametrize("kind", ["boolean", "list", "object"])
def test_a_value_that_it_writes_otherwise_is_refused(kind: Any) -> None:
    spec = text_prompt("{{ a }}", variables={"a": Variable(type=VariableType(kind))})
    with pytest.raises(NotForLangfuse):
        for_langfuse(spec, include=nothing_to_include)


def test_how_the_model_is_asked_is_its_config() -> None:
    model = Parameters(name="gpt-9", temperature=0.0, extra={"tier": "flex"})
    spec = chat_prompt(
        ("system", "Be kind."), ("user", "{{ a }}"), variables=NAMES, model=model
    )
    shown = for_langfuse(spec, include=nothing_to_include)
    assert shown.config == {"model": "gpt-9", "temperature": 0.0, "tier": "flex"}
    assert [one["role"] for one in shown.prompt if isinstance(one, dict)] == ["system", "user"]


def push(author: Caller, name: str, text: str, **rest: Any) -> None:
    spec = {"format": "text", "text": text, **rest}
    author.post("/v1/prompts/push", {"prompts": [{"name": name, "spec": spec}]})


def as_basic(who: Caller, name: str = "pk") -> dict[str, str]:
    secret = who.headers["Authorization"].partition(" ")[2]
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def test_a_version_with_its_labels_at_their_address(sqlite_api: Api) -> None:
    author, agent = sqlite_api.program("author"), sqlite_api.program("agent")
    push(author, "tone", "Be kind.")
    push(author, "desk-greeting", "{% include 'tone' %} Hello {{ who }}!",
         includes={"tone": "tone@1"}, variables={"who": {}})  # fmt: skip
    push(author, "desk-greeting", "Hi {{ who }}!", variables={"who": {}})
    author.put("/v1/artifacts/prompt/desk-greeting/labels/staging", {"number": 1})
    address = "/api/public/v2/prompts/desk%2Fgreeting"
    staged = agent.get(f"{address}?label=staging")
    assert (staged["name"], staged["version"]) == ("desk/greeting", 1)
    assert (staged["prompt"], staged["labels"]) == ("Be kind. Hello {{who}}!", ["staging"])
    assert agent.get(f"{address}?version=2")["labels"] == ["latest"]
    refusal = agent.refused("GET", address)
    assert (refusal.status, refusal.code) == (404, "version_not_found")
    refusal = agent.refused("GET", f"{address}?version=2&label=staging")
    assert (refusal.status, refusal.code) == (400, "prompt_label_and_version")
    assert agent.refused("GET", f"{address}?version=none").status == 422


def test_a_token_as_password_opens_these_doors_and_no_other(sqlite_api: Api) -> None:
    push(sqlite_api.program("author"), "greeting", "Hello.")
    agent, nobody = sqlite_api.program("agent"), sqlite_api.nobody
    address = "/api/public/v2/prompts/greeting?label=latest"
    assert nobody.send("GET", address, headers=as_basic(agent)).json()["prompt"] == "Hello."
    assert nobody.refused("GET", "/v1/me", headers=as_basic(agent)).code == "login_needed"
    secret = agent.headers["Authorization"].partition(" ")[2]
    assert nobody.refused("GET", "/v1/me", headers={"api_key": secret}).code == "login_needed"
    for wrong in ("pk:wrong", "no colon", ""):
        sent = {"Authorization": "Basic " + b64encode(wrong.encode()).decode()}
        assert nobody.refused("GET", address, headers=sent).code == "wrong_credentials"
    for broken in ("Basic !!!", "Basic /w==", "Basic"):
        sent = {"Authorization": broken}
        assert nobody.refused("GET", address, headers=sent).code == "wrong_credentials"
