"""What the registry needs to know about prompts."""

from collections.abc import Sequence
from dataclasses import replace

from opsroom.kit.wire import adapter
from opsroom.registry import Finding, Kind, Lookup

from . import lint as linting
from .includes import Include, whole
from .model import PromptSpec
from .model import references as cited
from .text import lines


def pin(spec: PromptSpec, lookup: Lookup) -> PromptSpec:
    """Replace labels by the versions they name now, and read every template.

    A version that cannot be rendered is never stored: raises what is wrong with a template,
    an include, or the variables that they share.
    """
    found = {name: lookup(cited, kind="prompt") for name, cited in spec.includes.items()}
    pinned = replace(
        spec, includes={name: f"{one.name}@{one.number}" for name, one in found.items()}
    )
    whole(pinned, include=include_from(lookup))
    return pinned


def include_from(lookup: Lookup) -> Include:
    """Finds included prompts where `lookup` finds versions."""

    def include(reference: str) -> PromptSpec:
        return adapter(PromptSpec).validate_python(lookup(reference, kind="prompt").spec)

    return include


def lint(spec: PromptSpec, before: PromptSpec | None, lookup: Lookup) -> Sequence[Finding]:
    """What there is to say about a version, compared with the one before it."""
    return linting.lint(spec, previous=before, include=include_from(lookup))


def references(spec: PromptSpec) -> Sequence[str]:
    return cited(spec)


def text(spec: PromptSpec) -> str:
    return "\n".join(lines(spec))


KIND = Kind(
    name="prompt", shape=PromptSpec, text=text, pin=pin, lint=lint, references=references
)
