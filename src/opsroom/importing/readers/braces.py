"""Texts of other prompt registries as templates of ours, proven to come out the same.

There, `{{name}}` is a value and everything else stands for itself. Here, other braces mean
something too, so those are placed as literal text.
"""

import re
from collections.abc import Callable, Iterator

from opsroom.prompts.errors import (
    PromptTooCostly,
    PromptTooLarge,
    PromptWrong,
    TemplateBroken,
    TemplateRefused,
)
from opsroom.prompts.model import RESERVED, Variable, text_prompt
from opsroom.prompts.rendering import render
from opsroom.prompts.template import placing

Pieces = Callable[[str], Iterator[tuple[bool, str]]]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_NAMELIKE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\- ]{0,99}", re.ASCII)
_MARKS = re.compile(r"\{(?=[{%#])")
_MLFLOW = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*\}\}")


class NotOurs(Exception):
    """A text that cannot be a template of ours; its message says why."""


def of_langfuse(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of a text of Langfuse: whether each is a variable, and its name or text."""
    at = 0
    while (start := text.find("{{", at)) >= 0 and (end := text.find("}}", start)) >= 0:
        name = text[start + 2 : end].strip()
        yield False, text[at:start]
        if _NAMELIKE.fullmatch(name):
            yield True, name
        else:
            yield False, text[start : end + 2]
        at = end + 2
    yield False, text[at:]


def of_mlflow(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of a text of MLflow."""
    at = 0
    for found in _MLFLOW.finditer(text):
        yield False, text[at : found.start()]
        yield True, found[1]
        at = found.end()
    yield False, text[at:]


def template(text: str, pieces: Pieces) -> tuple[str, list[str]]:
    """The text as a template of ours, and its variables. Raises `NotOurs`."""
    parts: list[str] = []
    names: dict[str, None] = {}
    joined: list[tuple[bool, str]] = []
    for variable, said in pieces(text):
        if not variable and joined and not joined[-1][0]:
            joined[-1] = (False, joined[-1][1] + said)
        else:
            joined.append((variable, said))
    for variable, said in joined:
        if not variable:
            parts.append(_literal(said))
            continue
        if not _NAME.fullmatch(said) or said in RESERVED or said.startswith("__"):
            raise NotOurs(f"the variable {said!r} cannot have this name here")
        names[said] = None
        parts.append(f"{{{{ {said} }}}}")
    made = "".join(parts)
    values = {name: f"\N{WHITE SQUARE}{name}" for name in names}
    wanted = "".join(values[said] if variable else said for variable, said in joined)
    try:
        spec = text_prompt(made, variables=dict.fromkeys(names, Variable()))
        same = str(render(spec, values)) == wanted
    except (
        PromptTooCostly,
        PromptTooLarge,
        PromptWrong,
        TemplateBroken,
        TemplateRefused,
    ) as error:
        raise NotOurs(str(error)) from error
    if not same:
        raise NotOurs("its braces would not come out the same")
    return made, list(names)


def _literal(text: str) -> str:
    """Text that stands for itself, in front of whatever follows."""
    kept = _MARKS.sub(placing("{"), text)
    return kept[:-1] + placing("{") if kept.endswith("{") else kept
