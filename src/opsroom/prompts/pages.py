"""What only prompts show on their page: the text with its variables, and how the model is asked."""

import re
from collections.abc import Iterator
from dataclasses import replace

from opsroom.kit.canonical import canonical
from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel

from .model import Parameters, Part, PromptSpec, Syntax
from .text import canonical_lines

SHOWN = 60_000  # characters of all texts together: a page has to stay a page
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def draw(_tx: Tx, version: Version) -> Panel:
    """The text as it is, with whatever is filled in standing out."""
    spec = adapter(PromptSpec).validate_python(version.spec)
    characters = sum(len(part.template) for part in spec.parts)
    return Panel(
        template="prompts/panel.html",
        facts={
            "version": version,
            "parts": [
                (part.role.value if part.role else "text", marked(part, spec.syntax))
                for part in _shown(spec)
            ],
            "characters": characters,
            "left_out": max(characters - SHOWN, 0),
            "variables": spec.variables,
            "includes": spec.includes,
            "asked": _asked(spec.model),
            "schema": None
            if spec.output_schema is None
            else "\n".join(canonical_lines(spec.output_schema)),
        },
    )


def _shown(spec: PromptSpec) -> Iterator[Part]:
    """The texts from the start, as far as a page shows them."""
    left = SHOWN
    for part in spec.parts:
        if left <= 0:
            return
        yield replace(part, template=part.template[:left])
        left -= len(part.template)


def marked(part: Part, syntax: Syntax) -> list[tuple[str, str]]:
    """The text in pieces; those of kind `mark` are filled in when it is rendered."""
    if syntax is Syntax.LITERAL:
        return [("text", part.template)]
    pieces: list[tuple[str, str]] = []
    end = 0
    for found in _TAG.finditer(part.template):
        pieces += [("text", part.template[end : found.start()]), ("mark", found.group())]
        end = found.end()
    return [(kind, text) for kind, text in (*pieces, ("text", part.template[end:])) if text]


def _asked(model: Parameters) -> list[tuple[str, str]]:
    """What the prompt asks of its model, without what it leaves open."""
    data = adapter(Parameters).dump_python(model, mode="json")
    known = data | data.pop("extra")
    return [
        (name, value if isinstance(value, str) else canonical(value).decode())
        for name, value in known.items()
        if value not in (None, [])
    ]


PAGE = KindPage(
    kind="prompt",
    path="/prompts",
    plural="prompts",
    question="Which prompts are live where?",
    absent="Write one as a file of `kind: prompt`, and push the folder it lies in.",
    command="opsroom push prompts/",
    draw=draw,
)
