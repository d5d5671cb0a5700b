"""Prompts in the syntax of Langfuse, for programs that read them with its SDK.

That SDK puts values where `{{ name }}` stands and knows nothing else: no defaults, no choices,
no loops. What it would put together differently from us is refused here, since nobody would
notice it there. Its way of reading is that of langfuse-python 5 (`langfuse/model.py`,
`TemplateParser`); https://langfuse.com/docs/prompt-management describes what it answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .errors import NotForLangfuse
from .includes import Include, Whole, whole
from .model import Format, Parameters, PromptSpec, Syntax, Variable, VariableType
from .rendering import Prepared

_AS_TEXT = frozenset({VariableType.TEXT, VariableType.NUMBER})
_SCHEMA = "output_schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForLangfuse:
    """A prompt as its SDK takes it: a text or a list of messages, and how the model is asked."""

    type: str
    prompt: str | list[dict[str, str]]
    config: dict[str, Any]


def for_langfuse(spec: PromptSpec, *, include: Include) -> ForLangfuse:
    """The prompt with `{{name}}` for every variable, and everything it includes written out.

    Raises `NotForLangfuse` where its SDK would make another text of it than we do: where the
    template chooses, repeats or filters, where a variable may be left out, where a value is
    not written as it is, or where literal braces would be taken for a variable.
    """
    prompt = whole(spec, include=include)
    _check_logic(prompt)
    texts = _texts(prompt, include)
    for name, variable in prompt.variables.items():
        if any(f"{{{{{name}}}}}" in text for text in texts):
            _check_variable(name, variable)
    config = as_config(spec.model)
    if spec.output_schema is not None:
        config[_SCHEMA] = spec.output_schema
    if spec.format is Format.TEXT:
        return ForLangfuse(type="text", prompt=texts[0], config=config)
    messages = [
        {"type": "chatmessage", "role": message.role.value, "content": text}
        for message, text in zip(spec.messages, texts, strict=True)
    ]
    return ForLangfuse(type="chat", prompt=messages, config=config)


def put_together(text: str, values: Mapping[str, str]) -> str:
    """What Langfuse's SDK makes of a text: names between braces, of which it knows the values."""
    done: list[str] = []
    at = 0
    while (start := text.find("{{", at)) >= 0 and (end := text.find("}}", start)) >= 0:
        name = text[start + 2 : end].strip()
        done += (text[at:start], values.get(name, text[start : end + 2]))
        at = end + 2
    return "".join((*done, text[at:]))


def as_config(model: Parameters) -> dict[str, Any]:
    """How the model is asked, in one flat object; what is not set is left out."""
    said = {
        "model" if field.name == "name" else field.name: getattr(model, field.name)
        for field in fields(model)
        if field.name != "extra"
    }
    known = {name: value for name, value in said.items() if value not in (None, ())}
    return {**model.extra, **known}


def _check_logic(prompt: Whole) -> None:
    own = ((unit.place, unit.template) for _part, unit in prompt.parts)
    included = ((place, unit.template) for place, unit in prompt.included.items())
    for place, template in (*own, *included):
        if template.logic is not None:
            line, column = template.logic
            raise NotForLangfuse(
                f"{place}, line {line}, column {column}",
                "the template chooses, repeats or filters, and Langfuse only places values",
            )


def _check_variable(name: str, variable: Variable) -> None:
    if not variable.needed:
        why = "it may be left out here, and Langfuse would leave its braces standing"
        raise NotForLangfuse(f"variables.{name}", why)
    if variable.type not in _AS_TEXT:
        why = f"Langfuse does not write a value of type {variable.type.value} as we do"
        raise NotForLangfuse(f"variables.{name}", why)


def _texts(prompt: Whole, include: Include) -> list[str]:
    """The texts with `{{name}}` in place, each proven to come out there as it does here."""
    if prompt.spec.syntax is Syntax.LITERAL:
        return [part.template for part, _unit in prompt.parts]
    free = dict.fromkeys(prompt.variables, Variable())
    plain = Prepared(
        whole(
            replace(prompt.spec, variables=free),
            include=lambda reference: _freed(include(reference)),
        )
    )
    texts = _rendered(plain, {name: f"{{{{{name}}}}}" for name in free})
    mark = "\N{WHITE SQUARE}"
    while any(mark in text for text in texts):
        mark += "\N{WHITE SQUARE}"
    values = {name: f"{mark}{name}." for name in free}
    for (part, _unit), text, wanted in zip(
        plain.prompt.parts, texts, _rendered(plain, values), strict=True
    ):
        if put_together(text, values) != wanted:
            why = "braces that stand for themselves would be taken for a variable by Langfuse"
            raise NotForLangfuse(part.place, why)
    return texts


def _freed(spec: PromptSpec) -> PromptSpec:
    """The prompt with variables that take any text."""
    return replace(spec, variables=dict.fromkeys(spec.variables, Variable()))


def _rendered(prompt: Prepared, values: dict[str, str]) -> list[str]:
    done = prompt.render(values)
    if done.text is not None:
        return [done.text]
    return [message.content for message in done.messages]
