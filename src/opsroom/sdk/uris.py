"""Prompts as MLflow cites them: `prompts:/NAME@ALIAS` and `prompts:/NAME/VERSION`.

An alias is a label of ours; `@latest` is the newest version. Source of the form:
https://mlflow.org/docs/latest/genai/prompt-registry/use-prompts-in-apps
"""

import re
from dataclasses import dataclass

from opsroom.kit.errors import Invalid
from opsroom.kit.texts import as_name

SCHEME = "prompts:/"
_URI = re.compile(
    r"prompts:/+(?P<name>[A-Za-z0-9_.-]+)(?:@(?P<alias>[A-Za-z0-9_.-]+)|/(?P<number>[0-9]{1,9}))"
)


@dataclass(eq=False)
class BadPromptUri(Invalid):
    code = "bad_prompt_uri"
    text = "{0.uri!r} cites no version of a prompt: {0.why}"
    hint = "write prompts:/NAME@LABEL, prompts:/NAME/3, or the name alone"
    uri: str
    why: str


def cited(reference: str) -> tuple[str, str] | None:
    """Name and place (a label or a number) of a URI, or None for what is none.

    Raises `BadPromptUri`.
    """
    if not reference.startswith(SCHEME[:-1]):
        return None
    found = _URI.fullmatch(reference)
    if found is None:
        raise BadPromptUri(reference[:200], "a label or a number has to stand behind the name")
    return as_name(found["name"]), found["number"] or as_name(found["alias"])


def asked_for(
    name: str, label: str | None, version: int | None
) -> tuple[str, str | None, int | None]:
    """The name, label and version that are meant, where the name may be a URI.

    Raises `BadPromptUri`, also where a label or version is given beside one.
    """
    found = cited(name)
    if found is None:
        return name, label, version
    if label is not None or version is not None:
        raise BadPromptUri(name[:200], "it says which version, and so does an argument")
    named, at = found
    return (named, None, int(at)) if at.isdecimal() else (named, at, None)
