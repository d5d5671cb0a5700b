"""What a prompt is: its templates, the variables they take, what they include, how the model is asked.

A `PromptSpec` that exists is well formed: sizes, names, defaults and references were checked
when it was made. Whether its templates parse is looked at when it is prepared for rendering
(rendering.py); whether it is a good prompt is for lint.py.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import JsonValue, ValidationError

from opsroom.kit.canonical import NotCanonical, canonical
from opsroom.kit.wire import Wire, adapter

from .errors import PromptTooLarge, PromptWrong

MAX_TEXT = 256 * 1024
MAX_SCHEMA = 64 * 1024
MAX_MESSAGES = 200
MAX_VARIABLES = 200
MAX_INCLUDES = 100
SAFE_INTEGER = 2**53 - 1

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_LOCAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_REFERENCE = re.compile(r"(?:prompt/)?[a-z0-9][a-z0-9._-]{0,99}(?:@[a-z0-9][a-z0-9._-]{0,63})?")
# fmt: off
RESERVED = frozenset({
    "and", "else", "elif", "false", "False", "for", "if", "in", "is", "loop", "none", "None",
    "not", "or", "recursive", "self", "super", "true", "True",
})
# fmt: on


_SAID: dict[type, str] = {
    type(None): "nothing",
    bool: "a boolean",
    str: "text",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


class Format(StrEnum):
    TEXT = "text"
    CHAT = "chat"


class Syntax(StrEnum):
    """Whether the texts are templates, or stand for themselves whatever braces they hold."""

    TEMPLATE = "template"
    LITERAL = "literal"


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class VariableType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    OBJECT = "object"


class Trust(StrEnum):
    """Who fills a variable: only our own program, or somebody whose text we cannot vouch for."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Wire):
    """A value that a prompt takes. One with a default need not be passed.

    An optional one without a default is nothing (`none`) when it is not passed, and an empty
    text where it is placed. `max_length` counts characters of text or items of a list.
    """

    type: VariableType = VariableType.TEXT
    required: bool = True
    default: JsonValue = None
    description: str = ""
    max_length: int | None = None
    trust: Trust = Trust.UNTRUSTED

    @property
    def needed(self) -> bool:
        """Must the caller pass it?"""
        return self.required and self.default is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Wire):
    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(Wire):
    """How the model is asked. What only one provider knows goes under `extra`."""

    name: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    extra: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Part:
    """One template of a prompt, and where it stands."""

    place: str
    role: Role | None
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSpec(Wire):
    """A prompt as it is versioned. `includes` maps the names used in templates to `name@7`.

    Raises `PromptTooLarge` and `PromptWrong` when made from something that is no prompt.
    """

    format: Format
    syntax: Syntax = Syntax.TEMPLATE
    text: str | None = None
    messages: tuple[Message, ...] = ()
    variables: dict[str, Variable] = field(default_factory=dict[str, Variable])
    includes: dict[str, str] = field(default_factory=dict[str, str])
    model: Parameters = field(default_factory=Parameters)
    output_schema: dict[str, JsonValue] | None = None

    def __post_init__(self) -> None:
        _check_size(self)
        _check_format(self)
        for name, variable in self.variables.items():
            _check_variable(name, variable)
        _check_includes(self.includes)
        _check_parameters(self.model)
        if self.output_schema is not None:
            _check_schema(self.output_schema)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every template of the prompt, in order."""
        if self.format is Format.TEXT:
            return (Part("text", None, self.text or ""),)
        return tuple(
            Part(f"messages.{number}.content", message.role, message.content)
            for number, message in enumerate(self.messages)
        )


def text_prompt(text: str, **rest: Any) -> PromptSpec:
    return PromptSpec(format=Format.TEXT, text=text, **rest)


def chat_prompt(*messages: tuple[Role | str, str], **rest: Any) -> PromptSpec:
    turns = tuple(Message(role=Role(role), content=content) for role, content in messages)
    return PromptSpec(format=Format.CHAT, messages=turns, **rest)


def read_spec(data: object) -> PromptSpec:
    """A prompt from JSON data. Raises `PromptWrong` naming the first field that is wrong."""
    try:
        return adapter(PromptSpec).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "prompt"
        raise PromptWrong(place, first["msg"]) from error


def references(spec: PromptSpec) -> list[str]:
    """What the prompt cites, in order and once each: `prompt/name@7`."""
    return list(dict.fromkeys(full(reference) for reference in spec.includes.values()))


def full(reference: str) -> str:
    """`house-tone@3` as the registry cites it: `prompt/house-tone@3`."""
    return reference if reference.startswith("prompt/") else f"prompt/{reference}"


def fits(variable: Variable, value: object) -> str | None:
    """Why a plain value does not fit a variable, or None where it does."""
    match variable.type:
        case VariableType.TEXT:
            wanted = type(value) is str
        case VariableType.NUMBER:
            wanted = type(value) in {int, float}
        case VariableType.BOOLEAN:
            wanted = type(value) is bool
        case VariableType.LIST:
            wanted = type(value) is list
        case VariableType.OBJECT:
            wanted = type(value) is dict
    if not wanted:
        return f"{variable.type.value} is declared, and this is {said(value)}"
    if (
        variable.max_length is not None
        and isinstance(value, str | list)
        and len(value) > variable.max_length
    ):
        return f"it has {len(value)} {_unit(value)}, and {variable.max_length} are allowed"
    return None


def said(value: object) -> str:
    """The kind of a value in our words."""
    return _SAID.get(type(value), f"no plain data ({type(value).__name__})")


def _unit(value: str | list[Any]) -> str:
    return "characters" if isinstance(value, str) else "items"


def _check_size(spec: PromptSpec) -> None:
    size = len(spec.text or "") + sum(len(message.content) for message in spec.messages)
    if size > MAX_TEXT:
        raise PromptTooLarge("the template text", size, MAX_TEXT, "characters")
    for place, count, limit in (
        ("messages", len(spec.messages), MAX_MESSAGES),
        ("variables", len(spec.variables), MAX_VARIABLES),
        ("includes", len(spec.includes), MAX_INCLUDES),
    ):
        if count > limit:
            raise PromptTooLarge(place, count, limit, "entries long")


def _check_format(spec: PromptSpec) -> None:
    match spec.format:
        case Format.TEXT if spec.text is None:
            raise PromptWrong("text", "a text prompt needs it")
        case Format.TEXT if spec.messages:
            raise PromptWrong("messages", "a text prompt has none; say `format: chat`")
        case Format.CHAT if spec.text is not None:
            raise PromptWrong("text", "a chat prompt has messages instead")
        case Format.CHAT if not spec.messages:
            raise PromptWrong("messages", "a chat prompt needs at least one")
        case _:
            pass
    if spec.syntax is Syntax.LITERAL and (spec.variables or spec.includes):
        place = "variables" if spec.variables else "includes"
        raise PromptWrong(place, "a literal prompt has none; say `syntax: template`")
    for part in spec.parts:
        _check_text(part.place, part.template)


def _check_text(place: str, text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PromptWrong(
                place, f"character {error.start + 1} is half of a pair (a lone surrogate)"
            ) from error


def _check_variable(name: str, variable: Variable) -> None:
    place = f"variables.{name}"
    if _IDENTIFIER.fullmatch(name) is None or name.startswith("__"):
        raise PromptWrong(place, "a name is letters, digits and '_', and starts with a letter")
    if name in RESERVED:
        raise PromptWrong(place, "this word belongs to the template language")
    if variable.max_length is not None and variable.max_length < 1:
        raise PromptWrong(f"{place}.max_length", "it is at least 1")
    if variable.default is not None:
        _check_json(f"{place}.default", variable.default, MAX_SCHEMA)
        if why := fits(variable, variable.default):
            raise PromptWrong(f"{place}.default", why)


def _check_includes(includes: Mapping[str, str]) -> None:
    for name, reference in includes.items():
        if _LOCAL.fullmatch(name) is None:
            raise PromptWrong(f"includes.{name}", "a name is letters, digits, '.', '_' and '-'")
        if _REFERENCE.fullmatch(reference) is None:
            raise PromptWrong(f"includes.{name}", "cite a prompt as name@7")


def _check_parameters(model: Parameters) -> None:
    for name, value, low, high in (
        ("temperature", model.temperature, 0.0, 2.0),
        ("top_p", model.top_p, 0.0, 1.0),
        ("frequency_penalty", model.frequency_penalty, -2.0, 2.0),
        ("presence_penalty", model.presence_penalty, -2.0, 2.0),
        ("max_tokens", model.max_tokens, 1.0, 1e9),
        ("seed", model.seed, -SAFE_INTEGER, SAFE_INTEGER),
    ):
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise PromptWrong(f"model.{name}", f"it lies between {low:g} and {high:g}")
    if len(model.stop) > 16 or "" in model.stop:
        raise PromptWrong("model.stop", "at most 16 texts, none of them empty")
    _check_json("model.extra", model.extra, MAX_SCHEMA)


def _check_schema(schema: Mapping[str, JsonValue]) -> None:
    _check_json("output_schema", schema, MAX_SCHEMA)
    stack: list[object] = [schema]
    while stack:
        match stack.pop():
            case dict() as node:
                for key, value in node.items():
                    if key in {"$ref", "$dynamicRef"} and not str(value).startswith("#"):
                        raise PromptWrong(
                            "output_schema", f"{key} leaves the schema; only '#…' is followed"
                        )
                    stack.append(value)
            case list() as node:
                stack.extend(node)
            case _:
                pass


def _check_json(place: str, value: object, limit: int) -> None:
    try:
        size = len(canonical(value))
    except (NotCanonical, RecursionError) as error:
        raise PromptWrong(place, str(error)) from error
    if size > limit:
        raise PromptTooLarge(place, size, limit, "bytes")
