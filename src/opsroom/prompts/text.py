"""A prompt as text that people read and that a diff compares: stable, and complete."""

from collections.abc import Iterator, Mapping
from typing import Any

from opsroom.kit.canonical import canonical
from opsroom.kit.wire import adapter

from .model import Parameters, PromptSpec, Syntax, Trust, Variable


def lines(spec: PromptSpec) -> Iterator[str]:
    """The prompt, line by line: its templates as they stand, then everything else by name."""
    if spec.syntax is Syntax.LITERAL:
        yield "── taken literally ──"
    for part in spec.parts:
        yield f"── {part.role.value if part.role else 'text'} ──"
        yield from part.template.split("\n")
        yield ""
    yield from _section(
        "variables", {name: signature(one) for name, one in spec.variables.items()}
    )
    yield from _section("includes", spec.includes)
    yield from _section("model", _set_parameters(spec.model))
    if spec.output_schema is not None:
        yield "── output schema ──"
        yield from canonical_lines(spec.output_schema)


def canonical_lines(value: object, indent: str = "") -> Iterator[str]:
    """JSON data over several lines with sorted keys, so that equal data gives equal lines."""
    if isinstance(value, dict) and value:
        yield indent + "{"
        for key in sorted(value):
            head, *rest = canonical_lines(value[key], indent + "  ")
            yield f"{indent}  {canonical(key).decode()}: {head.lstrip()}"
            yield from rest
        yield indent + "}"
    elif isinstance(value, list) and value:
        yield indent + "["
        for one in value:
            yield from canonical_lines(one, indent + "  ")
        yield indent + "]"
    else:
        yield indent + canonical(value).decode()


def _section(title: str, entries: Mapping[str, str]) -> Iterator[str]:
    if entries:
        yield f"── {title} ──"
        for name in sorted(entries):
            yield f"{name}: {entries[name]}"
        yield ""


def signature(variable: Variable) -> str:
    """A variable in one line."""
    words = [variable.type.value, "required" if variable.needed else "optional"]
    if variable.default is not None:
        words.append(f"default {canonical(variable.default).decode()}")
    if variable.max_length is not None:
        words.append(f"at most {variable.max_length}")
    if variable.trust is Trust.TRUSTED:
        words.append(variable.trust.value)
    head = ", ".join(words)
    return f"{head}: {variable.description}" if variable.description else head


def _set_parameters(model: Parameters) -> dict[str, str]:
    plain: dict[str, Any] = adapter(Parameters).dump_python(model, mode="json")
    extra = plain.pop("extra")
    return {
        name: canonical(value).decode()
        for name, value in (plain | extra).items()
        if value not in (None, [])
    }
